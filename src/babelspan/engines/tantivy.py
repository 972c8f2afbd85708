"""A collection in tantivy (extra `index`): passages and files in one store with atomic commits.

Terms are made by `text.terms`; the store only indexes them. Readers open the store without a lock
and keep their snapshot while they answer.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy

from babelspan.retrieval.weighing import COUNTED, ONCE, OTHERS, by_field, field_of, rarity, weighed
from babelspan.seams import Entry, Group, Hit
from babelspan.types import ConfigError, DataError

_HEAP = 200_000_000
"""Memory of the writer in bytes, before it writes a segment."""
_PRESSED = 6
"""Compression level of zlib; the store's own compression is optimised for speed."""
_SHORT = 400
"""Size in bytes up to which content is not compressed here: the store compresses it in blocks."""
_ZLIB = b"x"
"""First byte of zlib data; JSON never starts with it."""
_OPTION = {COUNTED: "freq"}
_PASSAGE, _FILE = "passage", "file"


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in (COUNTED, ONCE):
        builder.add_text_field(
            name, tokenizer_name="whitespace", index_option=_OPTION.get(name, "basic")
        )
    for name in ("kind", "language", "file"):
        builder.add_text_field(
            name,
            stored=name == "file",
            fast=name == "language",
            tokenizer_name="raw",
            index_option="basic",
        )
    builder.add_bytes_field("content", stored=True)
    return builder.build()


class TantivyIndex:
    """Passages in a folder.

    Args:
        folder: folder of the store.
        writes: whether to open it for writing; it is created if it does not exist.

    Raises:
        DataError: if there is no store, or it is damaged.
        ConfigError: if another process is writing to it.
    """

    reads_files = True

    def __init__(self, folder: Path, *, writes: bool = False) -> None:
        self._folder = folder
        self._schema = _schema()
        self._searcher: Any = None
        if writes:
            folder.mkdir(parents=True, exist_ok=True)
        with _told(folder):
            self._index = (
                tantivy.Index(self._schema, str(folder), sort_by_field="language")
                if writes
                else tantivy.Index.open(str(folder))
            )
            self._see()
        self._writer: Any = None
        if writes:
            try:
                self._writer = self._index.writer(_HEAP, 1)
            except ValueError as error:
                raise ConfigError(
                    f"{folder}: another process is changing this store ({_line(error)}); wait "
                    "until it has finished"
                ) from None

    def version(self) -> str:
        """As `seams.PassageIndex.version`: the time when the folder was last changed."""
        try:
            return str(self._folder.stat().st_mtime_ns)
        except OSError:  # the folder has been removed
            return ""

    def replace(self, file: str, about: Mapping[str, Any], entries: Iterable[Entry]) -> None:
        """As `seams.PassageIndex.replace`."""
        self.remove(file)
        self._add(_FILE, file, json.dumps(about), "", ())
        for entry in entries:
            self._add(_PASSAGE, file, entry.content, entry.language, entry.terms)

    def renew(self, file: str, about: Mapping[str, Any]) -> None:
        """As `seams.PassageIndex.renew`."""
        old = [self._term("file", _name(file)), self._term("kind", _FILE)]
        query = tantivy.Query.boolean_query([(tantivy.Occur.Must, one) for one in old])
        self._writer.delete_documents_by_query(query)
        self._add(_FILE, file, json.dumps(about), "", ())

    def remove(self, file: str) -> None:
        """As `seams.PassageIndex.remove`."""
        self._writer.delete_documents_by_term("file", _name(file))

    def commit(self) -> None:
        """As `seams.PassageIndex.commit`."""
        self._searcher = None  # files that it keeps open would not be deleted
        with _told(self._folder):
            self._writer.commit()
        self.reload()

    def reload(self) -> None:
        """As `seams.PassageIndex.reload`."""
        with _told(self._folder):
            self._index.reload()
            self._see()

    def close(self) -> None:
        """As `seams.PassageIndex.close`."""
        if self._writer is not None:
            self._searcher = None
            self._writer.garbage_collect_files()
            self._writer.wait_merging_threads()
            self._writer = None

    def search(self, groups: Sequence[Group], *, language: str | None, count: int) -> list[Hit]:
        """As `seams.PassageIndex.search`."""
        passages = self.languages()
        among = passages.get(language, 0) if language else sum(passages.values())
        with _told(self._folder):
            queries = [q for group in groups if (q := self._best_of(group, among)) is not None]
        if not queries:
            return []
        query = self._in(self._any_of(queries), language)
        return [self._hit(address, score) for score, address in self._found(query, count)]

    def _best_of(self, group: Group, among: int) -> tantivy.Query | None:
        """A query for the alternatives of a group, without the IDF that tantivy multiplies by."""
        queries = [
            tantivy.Query.boost_query(
                self._all_of(terms), weight / sum(rarity(n, self._documents) for n in holding)
            )
            for terms, holding, weight in weighed(group, self._holding, among)
        ]
        return tantivy.Query.disjunction_max_query(queries, OTHERS) if queries else None

    def _holding(self, term: str) -> int:
        """The document frequency of a term."""
        return int(self._searcher.doc_freq(field_of(term), term))

    def languages(self) -> dict[str, int]:
        """As `seams.PassageIndex.languages`."""
        return dict(self._languages)

    def files(self) -> dict[str, dict[str, Any]]:
        """As `seams.PassageIndex.files`."""
        return {hit.file: json.loads(hit.content) for hit in self._all(_FILE)}

    def everything(self) -> Iterator[Hit]:
        """As `seams.PassageIndex.everything`."""
        yield from self._all(_PASSAGE)

    def _see(self) -> None:
        self._searcher = self._index.searcher()
        self._documents = max(1, int(self._searcher.num_docs))
        found = self._searcher.aggregate(
            self._term("kind", _PASSAGE), {"of": {"terms": {"field": "language", "size": 10_000}}}
        )
        self._languages = {b["key"]: b["doc_count"] for b in found["of"]["buckets"]}

    def _all(self, kind: str) -> Iterator[Hit]:
        query = tantivy.Query.const_score_query(self._term("kind", kind), 0.0)
        for _, address in self._found(query, max(1, self._searcher.num_docs)):
            yield self._hit(address, 0.0)

    def _found(self, query: tantivy.Query, count: int) -> list[tuple[Any, tantivy.DocAddress]]:
        with _told(self._folder):
            hits: list[tuple[Any, tantivy.DocAddress]] = self._searcher.search(
                query, count, count=False
            ).hits
        return hits

    def _hit(self, address: tantivy.DocAddress, score: float) -> Hit:
        with _told(self._folder):
            stored = self._searcher.doc(address)
            packed = bytes(stored["content"][0])
            content = zlib.decompress(packed) if packed.startswith(_ZLIB) else packed
            return Hit(json.loads(stored["file"][0]), content.decode(), score)

    def _add(self, kind: str, file: str, content: str, language: str, terms: Sequence[str]) -> None:
        raw = content.encode()
        document = tantivy.Document(
            **by_field(terms),
            kind=kind,
            language=language,
            file=_name(file),
            content=zlib.compress(raw, _PRESSED) if len(raw) > _SHORT else raw,
        )
        self._writer.add_document(document)

    def _term(self, field: str, value: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, value, _OPTION.get(field, "basic"))

    def _all_of(self, terms: Sequence[str]) -> tantivy.Query:
        queries = [self._term(field_of(term), term) for term in terms]
        if len(queries) == 1:
            return queries[0]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in queries])

    def _any_of(self, queries: Sequence[tantivy.Query]) -> tantivy.Query:
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])

    def _in(self, query: tantivy.Query, language: str | None) -> tantivy.Query:
        if language is None:
            return query
        wanted = tantivy.Query.const_score_query(self._term("language", language), 0.0)
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, query), (tantivy.Occur.Must, wanted)]
        )


def _name(file: str) -> str:
    """A file name, which need not be UTF-8, as a term."""
    return json.dumps(file)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Convert exceptions and panics of tantivy to `DataError`."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:  # a panic is not an Exception
        raise DataError(
            f"{folder}: the store of this collection cannot be used: {_line(error)}; remove the "
            "collection and make it anew with `babelspan index`"
        ) from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
