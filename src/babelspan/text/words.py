"""Word segmentation."""

import regex

from babelspan.text.languages import UNSPACED_SCRIPTS, is_spaced
from babelspan.types import ConfigError, Span
from babelspan.version import how_to_install

_SPACED = (
    rf"[[\p{{L}}\p{{N}}]--[{UNSPACED_SCRIPTS}]][[\p{{L}}\p{{N}}\p{{M}}]--[{UNSPACED_SCRIPTS}]]*"
)
_WORD = regex.compile(
    rf"[{UNSPACED_SCRIPTS}]\p{{M}}*|{_SPACED}(?:['’.,-]{_SPACED})*", regex.VERSION1
)
_LEXICAL = regex.compile(r"[\p{L}\p{N}\p{M}]+")
_ENGLISH = regex.compile(r"[\p{L}\p{N}\p{M}]+(?:['’](?:[\p{L}\p{N}\p{M}]+|(?<=s['’])))*")


def words(text: str, language: str) -> list[Span]:
    """Spans of the words of a text, in order, without punctuation.

    In scripts without spaces each character is a word, whatever the language.
    """
    return [Span(m.start(), m.end()) for m in _WORD.finditer(text)]


def lexical_words(text: str, language: str) -> list[Span]:
    """Spans of the words of a text for dictionary lookup, in order.

    Hyphens and, except in English, apostrophes separate words: `well-known` and `l'eau` are two
    words each, which a dictionary may list as a phrase. Text in languages without spaces is
    segmented by ICU.

    Args:
        text: any text.
        language: ISO 639-1 code.

    Raises:
        ConfigError: if the language is written without spaces and ICU is not installed.
    """
    if is_spaced(language):
        return [Span(m.start(), m.end()) for m in _lexical(language).finditer(text)]
    found = []
    start = 0
    for piece in pieces(text, language):
        if _LEXICAL.search(piece):
            found.append(Span(start, start + len(piece)))
        start += len(piece)
    return found


def spaced_words(text: str, language: str) -> list[str]:
    """The words of `lexical_words`, for a language written with spaces; faster than spans."""
    found: list[str] = _lexical(language).findall(text)
    return found


def _lexical(language: str) -> regex.Pattern[str]:
    return _ENGLISH if language == "en" else _LEXICAL


def segmenter() -> str:
    """Name and version of the segmenter for text without spaces, or "no ICU"."""
    try:
        import icu4py
    except ImportError:
        return "no ICU"
    return f"ICU {icu4py.icu_version}"


def pieces(text: str, language: str) -> list[str]:
    """Split a text by ICU into words and the text between them; joined, they give the text.

    Args:
        text: any text.
        language: language of the rules; "" for the general rules, which include dictionaries for
            scripts without spaces.

    Raises:
        ConfigError: if ICU is not installed.
    """
    try:
        from icu4py.breakers import WordBreaker
    except ImportError:
        where = f"text in {language!r}" if language else "some of the text"
        raise ConfigError(
            f"{where} is written without spaces, and segmenting it into words needs ICU: "
            f"{how_to_install('translate')}"
        ) from None
    # ICU counts UTF-16 units, so its pieces are used and not its offsets; and it does not accept
    # lone surrogates.
    return list(WordBreaker(regex.sub(r"\p{Cs}", "\ufffd", text), language or "root"))
