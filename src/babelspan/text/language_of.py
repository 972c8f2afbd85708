"""Language identification: by script if that is enough, else by py3langid (extra `index`)."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

import regex

from babelspan.types import UNDETERMINED

LEAST = 0.5
"""Minimum probability of a language; below it the result is "und"."""
RULES = "1"
"""Version of the rules; increase it whenever results of `language_of` change."""

_SEEN = 500
"""Number of characters of a text that are used."""
_ONE_LANGUAGE = {
    "Hangul": "ko",
    "Thai": "th",
    "Lao": "lo",
    "Khmer": "km",
    "Myanmar": "my",
    "Greek": "el",
    "Hebrew": "he",
    "Georgian": "ka",
    "Armenian": "hy",
    "Tamil": "ta",
    "Telugu": "te",
    "Kannada": "kn",
    "Malayalam": "ml",
    "Sinhala": "si",
    "Gujarati": "gu",
    "Gurmukhi": "pa",
    "Oriya": "or",
}
"""Scripts in which most texts are in one language."""
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_HAN = regex.compile(r"\p{Han}")
_LETTER = regex.compile(r"\p{L}")
_OF_SCRIPT = {language: regex.compile(rf"\p{{{s}}}") for s, language in _ONE_LANGUAGE.items()}
_LEAST_KANA = 0.05
"""Minimum share of kana in a Japanese text; Chinese texts contain Japanese names occasionally."""
SAME = {"nb": "no", "nn": "no"}
"""Codes that are treated as another code's language."""


def language_of(text: str, among: Collection[str] = ()) -> str:
    """The ISO 639-1 code of a text's language, or "und".

    Args:
        text: any text; only the beginning of a long text is used.
        among: candidate languages; empty for all supported languages.
    """
    seen = text[:_SEEN]
    if not _LETTER.search(seen):
        return UNDETERMINED
    if found := by_script(seen):
        return found
    ranked: dict[str, float] = {}
    for language, probability in _identifier().rank(seen):
        language = SAME.get(language, language)
        if not among or language in among:
            ranked[language] = ranked.get(language, 0.0) + probability
    best = max(ranked, key=ranked.__getitem__, default=UNDETERMINED)
    return best if ranked and ranked[best] >= LEAST * sum(ranked.values()) else UNDETERMINED


def by_script(text: str) -> str | None:
    """The language of a text if its script implies one; else None."""
    if text.isascii():
        return None
    letters = len(_LETTER.findall(text))
    han, kana = len(_HAN.findall(text)), len(_KANA.findall(text))
    if 2 * (han + kana) > letters:
        return "ja" if kana >= _LEAST_KANA * (han + kana) else "zh"
    for language, letter in _OF_SCRIPT.items():
        if 2 * len(letter.findall(text)) > letters:
            return language
    return None


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """The model of py3langid, loaded once."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
