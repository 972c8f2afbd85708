"""A collection in an index of an OpenSearch server (extra `opensearch`), for several machines.

Terms are made by `text.terms`; the server only indexes them, with its default BM25. It has no
transactions: changes become visible with the refresh that ends a commit. The record of a file is
deleted before its passages change and written after them, so that the next run repairs what a
killed run left incomplete.
"""

import hashlib
import json
import os
import ssl
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from opensearchpy import OpenSearch, exceptions, helpers

from babelspan.retrieval.weighing import (
    COUNTED,
    ONCE,
    OTHERS,
    by_field,
    field_of,
    fitting,
    rarity,
    weighed,
)
from babelspan.seams import Entry, Group, Hit
from babelspan.types import ConfigError, DataError

ACCOUNT = "BABELSPAN_OPENSEARCH"
"""Environment variable with `user:password`."""
_ABOUT = "babelspan"
"""Key in `_meta` of the index for the rules that a collection was made with."""
_BATCH = 8_000_000
"""Number of characters of changes to collect before they are sent."""
_MOST_CLAUSES = 1000
"""Maximum number of terms in a search; the server's default limit is 1,024."""
_MOST_NAMES = 10_000
"""Maximum number of file names in a request; the server's default limits: 65,536 and 100 MB."""
_MOST_HITS = 10_000
"""Maximum number of hits; the server's default limit."""
_SECONDS = 120
"""Timeout of a request in seconds."""
_RETRIES = 5
"""Number of retries if the server is busy."""
_PATIENCE = 2
"""Seconds before the first retry; doubled each time."""
_PASSAGE, _FILE = "passage", "file"
_TERMS = {"type": "text", "analyzer": "whitespace"}
_INDEX: dict[str, dict[str, Any]] = {
    "settings": {"index": {"refresh_interval": "-1"}},
    "mappings": {
        "dynamic": "strict",
        "_source": {"excludes": [COUNTED, ONCE]},
        "properties": {
            COUNTED: {**_TERMS, "index_options": "freqs"},
            ONCE: {**_TERMS, "index_options": "docs"},
            "kind": {"type": "keyword"},
            "language": {"type": "keyword"},
            "file": {"type": "keyword"},
            "content": {"type": "keyword", "index": False, "doc_values": False},
        },
    },
}


class OpenSearchIndex:
    """Passages in an index of a server.

    Args:
        address: address of the server with the name of the index:
            `https://search.example:9200/papers`.
        rules: rules by which its passages are made; stored when the index is created.
        writes: whether to open it for writing; it is created if it does not exist.

    Raises:
        DataError: if there is no such index, or the server cannot be reached or refuses.
        ConfigError: if the address is not valid, or the index is not a collection.
    """

    reads_files = False

    def __init__(self, address: str, *, rules: Mapping[str, str], writes: bool = False) -> None:
        self._address = address
        server, self._name = _parts(address)
        account = os.environ.get(ACCOUNT, "").partition(":")
        self._client = OpenSearch(
            [server],
            http_auth=(account[0], account[2]) if account[1] else None,
            ssl_context=ssl.create_default_context() if server.startswith("https") else None,
            timeout=_SECONDS,
        )
        self._old: list[str] = []
        self._records: dict[str, Mapping[str, Any] | None] = {}
        self._passages: list[dict[str, Any]] = []
        self._waiting = 0
        self._seen: set[str] = set()
        if not self._ask("indices.exists"):
            if not writes:
                raise DataError(
                    f"opensearch:{address}: expected a collection, found no index {self._name!r}; "
                    f"make one with `babelspan index FOLDER --out opensearch:{address}`"
                )
            mappings = {**_INDEX["mappings"], "_meta": _meta(rules)}
            self._ask("indices.create", body={**_INDEX, "mappings": mappings})
        if writes:
            self._ask("indices.refresh")
        self.reload()

    def rules(self) -> Any:
        """The rules that the index was made with; None if it is not a collection."""
        return self._about().get("rules")

    def version(self) -> str:
        """As `seams.PassageIndex.version`."""
        return str(self._about().get("commit"))

    def replace(self, file: str, about: Mapping[str, Any], entries: Iterable[Entry]) -> None:
        """As `seams.PassageIndex.replace`."""
        self._change(file, about)
        for number, entry in enumerate(entries):
            fields = {name: terms for name, terms in by_field(entry.terms).items() if terms}
            fields |= {"language": entry.language, "content": entry.content}
            self._passages.append(self._document(_PASSAGE, file, number, fields))
            self._waiting += sum(map(len, fields.values()))
        self._write_if_many()

    def renew(self, file: str, about: Mapping[str, Any]) -> None:
        """As `seams.PassageIndex.renew`."""
        self._change(file, about, keeps=True)
        self._write_if_many()

    def remove(self, file: str) -> None:
        """As `seams.PassageIndex.remove`."""
        self._change(file, None)
        self._write_if_many()

    def commit(self) -> None:
        """As `seams.PassageIndex.commit`, but not atomic; see the module's docstring."""
        self._write()
        self._ask("indices.refresh")
        self._seen.clear()
        self._ask("indices.put_mapping", body={"_meta": _meta(self.rules())})
        self.reload()

    def reload(self) -> None:
        """As `seams.PassageIndex.reload`."""
        found = self._counts([{"exists": {"field": name}} for name in (COUNTED, ONCE)])
        self._holding_any = dict(zip((COUNTED, ONCE), found["each"], strict=True))
        self._languages = found["languages"]

    def close(self) -> None:
        """Close the connection; changes that are not committed are lost."""
        self._client.close()

    def search(self, groups: Sequence[Group], *, language: str | None, count: int) -> list[Hit]:
        """As `seams.PassageIndex.search`."""
        among = self._languages.get(language, 0) if language else sum(self._languages.values())
        groups = fitting(groups, _MOST_CLAUSES)
        terms = list(dict.fromkeys(t for g in groups for of in g.alternatives for t in of))
        if not terms or not among:
            return []
        found = self._counts([{"term": {field_of(term): term}} for term in terms])
        holding = dict(zip(terms, found["each"], strict=True))
        queries = [q for g in groups if (q := self._best_of(g, holding, among)) is not None]
        if not queries:
            return []
        query: dict[str, Any] = {"should": queries, "minimum_should_match": 1}
        if language:
            query["filter"] = [{"term": {"language": language}}]
        found = self._ask(
            "search",
            search_type="dfs_query_then_fetch",  # document frequencies over all shards
            body={
                "query": {"bool": query},
                "size": min(count, _MOST_HITS),
                "track_total_hits": False,
                "_source": ["file", "content"],
            },
        )
        return [_hit(hit, hit["_score"]) for hit in found["hits"]["hits"]]

    def _best_of(
        self, group: Group, holding: Mapping[str, int], among: int
    ) -> dict[str, Any] | None:
        """A query for the alternatives of a group; the server multiplies by IDF."""
        queries = []
        for terms, counts, weight in weighed(group, holding.__getitem__, among):
            any_term = [self._holding_any[field_of(term)] for term in terms]
            own = sum(rarity(n, of) for n, of in zip(counts, any_term, strict=True))
            all_of = [
                {"term": {field_of(term): {"value": term, "boost": weight / own}}} for term in terms
            ]
            queries.append(all_of[0] if len(all_of) == 1 else {"bool": {"must": all_of}})
        return {"dis_max": {"queries": queries, "tie_breaker": OTHERS}} if queries else None

    def languages(self) -> dict[str, int]:
        """As `seams.PassageIndex.languages`."""
        return dict(self._languages)

    def files(self) -> dict[str, dict[str, Any]]:
        """As `seams.PassageIndex.files`."""
        return {hit.file: json.loads(hit.content) for hit in self._all(_FILE)}

    def everything(self) -> Iterator[Hit]:
        """As `seams.PassageIndex.everything`."""
        yield from self._all(_PASSAGE)

    def _about(self) -> dict[str, Any]:
        (found,) = self._ask("indices.get_mapping").values()
        about: dict[str, Any] = found["mappings"].get("_meta", {}).get(_ABOUT, {})
        return about

    def _counts(self, filters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Number of passages that match each filter, and of each language."""
        languages = {"terms": {"field": "language", "size": 10_000}}
        aggregations = {"each": {"filters": {"filters": list(filters)}}, "languages": languages}
        found = self._ask("search", body={"size": 0, "aggs": aggregations})["aggregations"]
        return {
            "each": [bucket["doc_count"] for bucket in found["each"]["buckets"]],
            "languages": {b["key"]: b["doc_count"] for b in found["languages"]["buckets"]},
        }

    def _all(self, kind: str) -> Iterator[Hit]:
        query = {"query": {"term": {"kind": kind}}, "_source": ["file", "content"]}
        with _told(self._address):
            for hit in helpers.scan(self._client, query=query, index=self._name):
                yield _hit(hit, 0.0)

    def _ask(self, call: str, **given: Any) -> Any:
        """Call a method of the client on the index."""
        with _told(self._address):
            return attrgetter(call)(self._client)(index=self._name, **given)

    def _change(self, file: str, about: Mapping[str, Any] | None, *, keeps: bool = False) -> None:
        """Queue new metadata of a file, and the deletion of its passages unless `keeps`."""
        if file in self._seen:  # its pending changes cannot be found before a refresh
            self.commit()
        self._seen.add(file)
        self._records[file] = about
        self._waiting += len(file) + len(json.dumps(about))
        if not keeps:
            self._old.append(file)

    def _write_if_many(self) -> None:
        if self._waiting > _BATCH:
            self._write()

    def _write(self) -> None:
        """Send the queued changes, in an order that is safe to interrupt at any point."""
        kept = {file: about for file, about in self._records.items() if about is not None}
        gone = [file for file in self._records if file not in kept]
        records = [
            self._document(_FILE, file, None, {"content": json.dumps(about)})
            for file, about in kept.items()
        ]
        self._delete(_FILE, [file for file in self._old if file in kept])
        self._delete(_PASSAGE, self._old)
        for documents in (self._passages, records):
            with _told(self._address):
                helpers.bulk(
                    self._client, documents, max_retries=_RETRIES, initial_backoff=_PATIENCE
                )
        self._delete(_FILE, gone)
        self._old, self._records, self._passages, self._waiting = [], {}, [], 0

    def _delete(self, kind: str, files: Sequence[str]) -> None:
        for first in range(0, len(files), _MOST_NAMES):
            names = [_name(file) for file in files[first : first + _MOST_NAMES]]
            query = {"bool": {"filter": [{"term": {"kind": kind}}, {"terms": {"file": names}}]}}
            self._ask("delete_by_query", body={"query": query})

    def _document(
        self, kind: str, file: str, number: int | None, fields: Mapping[str, str]
    ) -> dict[str, Any]:
        of_file = hashlib.sha256(_name(file).encode()).hexdigest()[:32]
        return {
            "_index": self._name,
            "_id": of_file if number is None else f"{of_file}:{number}",
            "kind": kind,
            "file": _name(file),
            **fields,
        }


def _parts(address: str) -> tuple[str, str]:
    """Split an address into server and index name."""
    parts = urlsplit(address)
    name = parts.path.strip("/")
    if parts.scheme not in ("http", "https") or not parts.hostname or not name or "/" in name:
        raise ConfigError(
            f"opensearch:{address}: expected the address of a server and an index, such as "
            "opensearch:https://search.example:9200/papers"
        )
    if parts.username is not None:
        raise ConfigError(
            f"expected an address without user and password for {parts.hostname}; put them into "
            f"the environment variable {ACCOUNT} as user:password"
        )
    return f"{parts.scheme}://{parts.netloc}", name


def _meta(rules: Any) -> dict[str, Any]:
    """The `_meta` of an index: the rules and a new commit id."""
    return {_ABOUT: {"rules": dict(rules), "commit": uuid.uuid4().hex}}


def _name(file: str) -> str:
    """A file name, which need not be UTF-8, as a term."""
    return json.dumps(file)


def _hit(found: Mapping[str, Any], score: float) -> Hit:
    kept = found["_source"]
    return Hit(json.loads(kept["file"]), kept["content"], score)


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Convert exceptions of the client to `DataError`."""
    try:
        yield
    except (exceptions.AuthenticationException, exceptions.AuthorizationException):
        raise DataError(
            f"opensearch:{address}: the server refuses this user; put an account that may use the "
            f"index into the environment variable {ACCOUNT} as user:password"
        ) from None
    except exceptions.ConnectionError as error:
        raise DataError(
            f"opensearch:{address}: the server cannot be reached ({_line(error)}); check the "
            "address and the network"
        ) from None
    except exceptions.OpenSearchException as error:
        raise DataError(f"opensearch:{address}: the server refuses this: {_line(error)}") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
