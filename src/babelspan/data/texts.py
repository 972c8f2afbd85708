"""Texts to generate questions about, paragraph by paragraph: SQuAD layout and plain text.

In the SQuAD layout, a paragraph may have `links`, character spans [start, end) of its anchors, as
written by `babelspan data wikipedia`; its questions are ignored. Plain text is split into
paragraphs at empty lines or, if there are none, at line ends.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from babelspan.data.documents import find_documents, read_document
from babelspan.data.folder import describe, inside
from babelspan.data.squad import field_of
from babelspan.data.stream import raw_paragraphs
from babelspan.text.languages import CODE
from babelspan.types import UNDETERMINED, DataError, Span

_PLAIN = re.compile(rf".+?(?:\.(?P<language>{CODE}))?\.(?:txt|md)(?:\.gz)?")
_JSON = re.compile(r".+\.jsonl?(?:\.gz)?")
_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph.

    Attributes:
        id: hash of language and text.
        title: title of its article; may be empty.
        text: its text; half surrogates, which no file can store, are replaced by U+FFFD.
        language: ISO 639-1 code.
        links: places of its anchors.
    """

    id: str
    title: str
    text: str
    language: str
    links: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of texts in one language."""

    path: Path
    language: str

    def texts(self) -> Iterator[Text]:
        """Yield its non-empty paragraphs, in order.

        Raises:
            DataError: if the file is broken, or a link is not a place in its text.
        """
        if _JSON.fullmatch(self.path.name):
            for paragraph, title, where in raw_paragraphs(self.path):
                text = field_of(paragraph, "context", str, where)
                yield from self._text(text, title, _links(paragraph, len(text), where))
        else:
            document = read_document(str(self.path))
            for text in _parts(document.text.removeprefix("\ufeff")):
                yield from self._text(text, "", ())

    def _text(self, text: str, title: str, links: tuple[Span, ...]) -> Iterator[Text]:
        if text.strip():
            whole = _HALF_CHARACTER.sub("\ufffd", text)
            title = _HALF_CHARACTER.sub("\ufffd", title)
            yield Text(identity_of(whole, self.language), title, whole, self.language, links)


def identity_of(text: str, language: str) -> str:
    """Return the id of a paragraph."""
    return hashlib.sha256(f"{language}\0{text}".encode(errors="replace")).hexdigest()[:16]


def find_texts(paths: Sequence[Path], *, language: str | None = None) -> list[TextFile]:
    """Return the text files in paths; for a folder, those in and below it.

    Args:
        paths: SQuAD files, plain text, and folders of either.
        language: language of files whose names lack it, unlike `texts.de.json` and `news.de.txt`.

    Raises:
        DataError: if there is none, or a file's language is unknown.
    """
    found = list(chain.from_iterable(_among(path, language) for path in paths))
    if not found:
        raise DataError(f"{', '.join(map(str, paths))}: expected texts, found none")
    return found


def distinct(texts: Iterable[Text]) -> Iterator[Text]:
    """Yield texts without repeats; 16 characters per text are kept in memory."""
    seen: set[str] = set()
    for text in texts:
        if text.id not in seen:
            seen.add(text.id)
            yield text


def _among(path: Path, language: str | None) -> Iterator[TextFile]:
    if not path.is_dir():
        if not path.is_file():
            raise DataError(f"{path}: there is no such file")
        yield _described(path, language)
        return
    for file in inside(path):
        yield TextFile(file.path, file.context_language)
    plain = [Path(p) for p in find_documents([str(path)], recursive=True)]
    yield from (_described(p, language) for p in plain if _PLAIN.fullmatch(p.name))


def _described(path: Path, language: str | None) -> TextFile:
    plain = _PLAIN.fullmatch(path.name)
    said = plain["language"] if plain else describe(path).context_language
    if said in (None, UNDETERMINED):
        said = language
    if said is None:
        raise DataError(
            f"{path}: expected a name that says the language, such as texts.de.json or "
            "news.de.txt; rename it"
        )
    return TextFile(path, said)


def _links(paragraph: Any, length: int, where: str) -> tuple[Span, ...]:
    if "links" not in paragraph:
        return ()
    spans = []
    for link in field_of(paragraph, "links", list, where):
        is_span = isinstance(link, list) and len(link) == 2 and all(type(n) is int for n in link)
        if not is_span or not 0 <= link[0] < link[1] <= length:
            raise DataError(
                f"{where}: expected links [start, end] within {length} characters, found {link!r}"
            )
        spans.append(Span(*link))
    return tuple(spans)


def _parts(text: str) -> list[str]:
    parts = _EMPTY_LINE.split(text.strip())
    return [part.strip() for part in (parts if len(parts) > 1 else text.split("\n"))]
