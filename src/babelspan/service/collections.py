"""The collections of a service, by name; reopened when `babelspan index` has changed them.

All searches run in one thread (`Service.searched`). Other threads may open a collection at the same
time; the one opened last is then used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babelspan.data.documents import LARGEST_TEXT, Document
from babelspan.data.files import read_bytes, short_checksum
from babelspan.documents.reading import read_bytes_as_document
from babelspan.jobs.collections import open_collection
from babelspan.jobs.search import PASSAGES, alternatives_of, joined
from babelspan.retrieval.searching import Retrieved, Search
from babelspan.seams import Alternatives, PassageIndex
from babelspan.service.problems import Problem, shown
from babelspan.types import UNDETERMINED, ConfigError, DataError


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open collection at one version of its store; `counts` are counted once."""

    version: str
    index: PassageIndex
    search: Search
    files: Mapping[str, Mapping[str, Any]]
    counts: Mapping[str, Any]


class Collection:
    """One collection.

    Args:
        name: name used in requests.
        place: where `babelspan index` wrote it, as in `open_collection`.
        alternatives: to find passages in other languages than the question's; None for none.

    Raises:
        DataError, ConfigError: if the collection cannot be opened.
    """

    def __init__(self, name: str, place: str, alternatives: Alternatives | None) -> None:
        self.name = name
        self._place = place
        self._alternatives = alternatives
        self._opened = self._open()
        self._is_available = True

    def check(self) -> None:
        """Open it again if it has changed; raises as `_now`."""
        self._now()

    def about(self) -> dict[str, Any]:
        """Return the entry of this collection in `GET /v1/collections`, as it was last opened."""
        return {"name": self.name, "available": self._is_available, **self._opened.counts}

    def passages(self, question: str, count: int | None, language: str | None) -> list[Retrieved]:
        """Return the best passages for a question, best first; None means `ask --in`'s default."""
        search = self._now().search
        return search.passages(question, count or PASSAGES, language=language or UNDETERMINED)

    def texts(self, question: str, count: int | None, language: str | None) -> list[Document]:
        """Return these passages as texts to read; overlapping passages are joined."""
        return joined(self.passages(question, count, language))

    def text(self, file: str) -> str:
        """Return the full text of a file; the offsets of answers count from its start.

        Raises:
            Problem: 404 if the collection has no such file, or it is gone; 409 if it has changed.
        """
        about = self._now().files.get(file)
        if about is None or "reason" in about:
            raise Problem(404, f"the collection {self.name!a} has no file {shown(file)}")
        try:
            raw = read_bytes(Path(file), largest=LARGEST_TEXT, most=LARGEST_TEXT)
            if short_checksum(raw) == about["sha256"]:
                return read_bytes_as_document(file, raw).text
        except DataError as error:
            raise Problem(404, f"the file can no longer be read: {error}") from None
        raise Problem(
            409, f"{shown(file)} has changed since it was indexed; run `babelspan index` again"
        )

    def _now(self) -> _Opened:
        """Return the open collection, reopened if it has changed.

        Raises:
            Problem: 503 if it can no longer be opened.
        """
        try:
            if self._opened.index.version() != self._opened.version:
                self._opened = self._open()
        except (DataError, ConfigError, OSError) as error:
            self._is_available = False
            raise Problem(503, f"the collection {self.name!a}: {error}", retry_after=60) from None
        self._is_available = True
        return self._opened

    def _open(self) -> _Opened:
        index = open_collection(self._place)
        version = index.version()
        index.reload()  # there may have been a commit since it was opened
        search = Search(index, self._alternatives)
        files, languages = index.files(), index.languages()
        return _Opened(version, index, search, files, _counts(files, languages))


def _counts(files: Mapping[str, Mapping[str, Any]], languages: Mapping[str, int]) -> dict[str, Any]:
    skipped = sum("reason" in about for about in files.values())
    return {
        "files": len(files) - skipped,
        "skipped": skipped,
        "passages": sum(languages.values()),
        "languages": dict(sorted(languages.items())),
    }


def opened(sources: Mapping[str, str], translator: str | None = None) -> dict[str, Collection]:
    """Open collections by name.

    Args:
        sources: their places, by name.
        translator: for passages in other languages, as in `jobs.search.alternatives_of`.

    Raises:
        DataError, ConfigError: if one cannot be opened, or the translator does not exist.
    """
    alternatives = alternatives_of(translator)
    return {name: Collection(name, place, alternatives) for name, place in sources.items()}
