"""Word-by-word translation with a bilingual dictionary, for languages without a translator.

`lexicon:FILE`, with a file `[<source>.]<a>-<b>.tsv[.gz]` in the format of `babelspan.data.lexicon`,
a folder of such files, or several of them joined by `+`; the first has precedence.

The "word-by-word" rows of Lee and Lee (2019), arXiv:1907.06042, Sections 5.3 and 5.6; the paper
does not say how words are looked up. Here, from left to right, the longest sequence of words that
is in the dictionary is replaced by its first translation. It is looked up as written, then in any
case, and a single word then as an inflected form (`babelspan.text.inflection`). Words that are not
found are kept, and so are punctuation, white space and tags. In a language without spaces, spaces
next to a word in its script are removed.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import regex

from babelspan.data.files import checksum
from babelspan.data.lexicon import Lexicon, languages_of, load_lexicon
from babelspan.text.languages import UNSPACED_SCRIPTS, is_spaced
from babelspan.text.words import lexical_words, segmenter
from babelspan.types import ConfigError
from babelspan.version import VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The number of words translated by each rule; each word of a phrase counts.

    Attributes:
        words: all words except numbers, which are kept.
        exact: words found as written.
        case: words found in another case.
        inflection: words found as inflected forms.
        parts: words split into shorter entries, in a language without spaces.
    """

    words: int = 0
    exact: int = 0
    case: int = 0
    inflection: int = 0
    parts: int = 0

    @property
    def unknown(self) -> int:
        """Number of words that were not translated."""
        return self.words - self.exact - self.case - self.inflection - self.parts

    @property
    def share(self) -> float:
        """Fraction of the words that were translated; 1 if there are no words."""
        return 1 - self.unknown / self.words if self.words else 1.0


def translator(argument: str) -> "WordByWord":
    """Create the translator for `FILE[+FILE…]`.

    Raises:
        ConfigError: if no file is named.
        DataError: if a file is missing.
    """
    if not argument:
        raise ConfigError("lexicon: expected a file, as in lexicon:en-de.tsv.gz, found none")
    return WordByWord([Path(name) for name in argument.split("+")])


class WordByWord:
    """A translator from dictionaries. Thread-safe.

    Args:
        paths: files and folders; earlier ones have precedence.

    Raises:
        DataError: if a file is missing.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._lexicons: dict[tuple[str, str], Lexicon] = {}
        self._lock = Lock()
        self._counted: Counter[str] = Counter()
        files = [file for path in paths for file in _files(path)]
        sums = "\n".join(f"{file.name} {checksum(file)}" for file in files)
        self._checksum = hashlib.sha256(sums.encode()).hexdigest()[:16]

    @property
    def identity(self) -> str:
        """Names and checksum of the files, and versions of the rules and of ICU."""
        names = "+".join(path.name for path in self._paths)
        return f"lexicon {VERSION}; {names}; {self._checksum}; {segmenter()}"

    @property
    def coverage(self) -> Coverage:
        """Coverage of the words of all texts so far."""
        with self._lock:
            counted = {rule: n for rule, n in self._counted.items() if rule and rule != "number"}
        words = sum(counted.values())
        counted.pop("unknown", None)
        return Coverage(words=words, **counted)

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """Translate as in `babelspan.seams.Translator`.

        Raises:
            ConfigError: if there is no dictionary for these languages, or ICU is needed for text
                without spaces and not installed.
            DataError: if a dictionary is broken.
        """
        with self._lock:
            if (source, target) not in self._lexicons:
                found = load_lexicon(self._paths, source=source, target=target)
                self._lexicons[source, target] = found
        lexicon = self._lexicons[source, target]
        tag = re.compile(rf"</?(?:{'|'.join(map(re.escape, tags))})>" if tags else "(?!)")
        counted: Counter[str] = Counter()
        came = []
        for text in texts:
            pieces = list(_pieces(text, tag, source, lexicon))
            came.append(_joined(pieces, tag, parted=is_spaced(source), spaced=is_spaced(target)))
            for piece in pieces:
                counted[piece.rule] += piece.words
        with self._lock:
            self._counted += counted
        return came


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word or phrase, translated or not, or the text between two of them.

    Attributes:
        text: the output text.
        rule: an attribute of `Coverage` or "number"; "" between words.
        words: the number of words that it counts as.
    """

    text: str
    rule: str = ""
    words: int = 0


_UNSPACED = regex.compile(rf"[{UNSPACED_SCRIPTS}\p{{Tibetan}}]")


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if languages_of(file))


def _pieces(text: str, tag: re.Pattern[str], language: str, lexicon: Lexicon) -> Iterator[_Piece]:
    """Split a whole text into pieces; tags count as text between words."""
    start = 0
    for found in tag.finditer(text):
        yield from _looked_up(text[start : found.start()], language, lexicon)
        yield _Piece(found[0])
        start = found.end()
    yield from _looked_up(text[start:], language, lexicon)


def _looked_up(text: str, language: str, lexicon: Lexicon) -> Iterator[_Piece]:
    """Look up the words of a text by greedy longest match; also yields the text between words."""
    places = lexical_words(text, language)
    spaced = is_spaced(language)
    reach = lexicon.most_words if spaced else lexicon.most_characters
    first = done = 0
    while first < len(places):
        start = places[first].start
        yield _Piece(text[done:start])
        for last in range(min(first + reach, len(places)) - 1, first - 1, -1):
            found = lexicon.find(
                " ".join(text[start : places[last].end].split()), inflected=last == first
            )
            if found:
                yield _Piece(found.text, found.rule, last - first + 1)
                break
        else:
            last = first
            yield from _not_found(places[first].of(text), None if spaced else lexicon)
        done = places[last].end
        first = last + 1
    yield _Piece(text[done:])


def _not_found(word: str, lexicon: Lexicon | None) -> list[_Piece]:
    """An unknown word as it is, or split into entries by greedy longest match."""
    if not regex.search(r"\p{L}", word):
        return [_Piece(word, "number", 1)]
    pieces: list[_Piece] = []
    characters = regex.findall(r"\X", word) if lexicon else []
    while characters and lexicon:
        for end in range(len(characters), 0, -1):
            found = lexicon.find("".join(characters[:end]))
            if found:
                pieces.append(_Piece(found.text, "parts"))
                break
        else:
            end = 1
            pieces.append(_Piece(characters[0], "unknown"))
        del characters[:end]
    if all(piece.rule == "unknown" for piece in pieces):
        return [_Piece(word, "unknown", 1)]
    return [*pieces, _Piece("", "parts", 1)]


def _joined(pieces: list[_Piece], tag: re.Pattern[str], *, parted: bool, spaced: bool) -> str:
    """Join pieces to a text, with spaces between words if and only if the target has them.

    Args:
        pieces: all pieces of the text.
        tag: pattern of markup between words.
        parted: whether the source has spaces between words.
        spaced: whether the target has spaces between words.
    """
    written: list[str] = []
    between = ""
    before = ""
    for piece in pieces:
        if not piece.rule:
            between += piece.text
        elif piece.text:
            if before and spaced and not parted:
                between = _with_space(between, tag)
            elif parted and not spaced and _UNSPACED.search(before[-1:] + piece.text[0]):
                between = _without_space(between, tag)
            written += [between, piece.text]
            between, before = "", piece.text
    return "".join([*written, between])


def _without_space(between: str, tag: re.Pattern[str]) -> str:
    """Remove spaces from the text between two words, if it consists of spaces and tags only."""
    return between.replace(" ", "") if not tag.sub("", between).strip(" ") else between


def _with_space(between: str, tag: re.Pattern[str]) -> str:
    """Insert a space after closing tags between two words, if there are only tags."""
    if tag.sub("", between):
        return between
    opening = re.search("<(?!/)|$", between)
    place = opening.start() if opening else 0
    return f"{between[:place]} {between[place:]}"
