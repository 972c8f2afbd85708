"""A server in this process that answers the requests of OpenSearch which the engine makes.

It follows the documented forms and refuses all others, finds what has been refreshed only, and
scores as Lucene does: BM25 with k1 1.2 and b 0.75 (times k1 + 1, as OpenSearch keeps it), lengths
in one byte, of an index in one shard without removed passages.
"""

import json
import math
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

MOST_CLAUSES = 1024
MOST_TERMS = 65_536
_CODES = {400: "illegal_argument_exception", 404: "index_not_found_exception"}


class RefusedError(Exception):
    """A request that a server would refuse: status and reason."""


class Index:
    """Documents by id, as they are, and as they were at the last refresh."""

    def __init__(self, body):
        self.properties = body["mappings"]["properties"]
        self.meta = body["mappings"].get("_meta")
        self.left_out = body["mappings"].get("_source", {}).get("excludes", [])
        self.refreshes = body["settings"]["index"].get("refresh_interval") != "-1"
        self.now, self.seen, self._inverted = {}, {}, {}
        assert body["mappings"]["dynamic"] == "strict"

    def refresh(self):
        self.seen, self._inverted = dict(self.now), {}

    def change(self, operation, key, source):
        """Status of one action of a bulk request."""
        if operation == "delete":
            return 200 if self.now.pop(key, None) else 404
        assert operation == "index" and len(key.encode()) <= 512
        if set(source) - set(self.properties):
            return 400
        status = 200 if key in self.now else 201
        self.now[key] = source
        return status

    def postings(self, name):
        """Passages with a field, its length in all, and those of each term: times and length."""
        if name not in self._inverted:
            holding, documents, total = {}, 0, 0
            for key, document in self.seen.items():
                counted, length, words = self._counted(name, document)
                documents, total = documents + bool(words), total + words
                for word, times in counted.items():
                    holding.setdefault(word, {})[key] = (times, length)
            self._inverted[name] = documents, total, holding
        return self._inverted[name]

    def _counted(self, name, document):
        """How often each term is in a field, its length as far as a byte tells it, and exactly."""
        kind, value = self.properties[name], document.get(name)
        if value is None:
            return {}, 0, 0
        if kind["type"] == "keyword":
            return {value: 1}, 1, 1
        assert kind["type"] == "text" and kind["analyzer"] == "whitespace"
        words = value.split()
        if kind["index_options"] == "docs":
            words = list(dict.fromkeys(words))
        return Counter(words), in_a_byte(len(words)), len(words)

    def source(self, document):
        return {name: value for name, value in document.items() if name not in self.left_out}


def in_a_byte(length):
    """A length as `SmallFloat.byte4ToInt(intToByte4(length))` gives it back: 4 leading bits."""
    if length < 24:
        return length
    shift = max(0, (length - 24).bit_length() - 4)
    return 24 + ((length - 24) >> shift << shift)


class Scorer:
    """Scores of the documents that a query matches, by id."""

    def __init__(self, index):
        self.index = index
        self.clauses = 0

    def scores(self, query):
        ((kind, given),) = query.items()
        return getattr(self, f"_{kind}", self._unknown)(dict(given))

    def _unknown(self, given):
        raise RefusedError(400, f"unknown query: {given}")

    def _match_all(self, given):
        return dict.fromkeys(self.index.seen, 1.0)

    def _exists(self, given):
        name = only(given, "field")["field"]
        return {k: 1.0 for k, d in self.index.seen.items() if d.get(name) is not None}

    def _term(self, given):
        ((name, value),) = given.items()
        value = value if isinstance(value, dict) else {"value": value}
        return self._bm25(name, **only(value, "value", "boost"))

    def _terms(self, given):
        ((name, values),) = given.items()
        if len(values) > MOST_TERMS:
            raise RefusedError(400, f"the number of terms has exceeded {MOST_TERMS}")
        wanted = set(values)
        return {k: 1.0 for k, d in self.index.seen.items() if d.get(name) in wanted}

    def _bm25(self, name, value, boost=1.0):
        self.clauses += 1
        if self.clauses > MOST_CLAUSES:
            raise RefusedError(
                400, f"too_many_nested_clauses: maxClauseCount is set to {MOST_CLAUSES}"
            )
        documents, total, holding = self.index.postings(name)
        found = holding.get(value, {})
        idf = math.log(1 + (documents - len(found) + 0.5) / (len(found) + 0.5))
        of_one = 0.75 * documents / total if total else 0.0
        return {
            key: boost * 2.2 * idf * times / (times + 1.2 * (0.25 + of_one * length))
            for key, (times, length) in found.items()
        }

    def _dis_max(self, given):
        tie = only(given, "queries", "tie_breaker").get("tie_breaker", 0.0)
        found = {}
        for query in given["queries"]:
            for key, score in self.scores(query).items():
                found.setdefault(key, []).append(score)
        return {key: max(of) + tie * (sum(of) - max(of)) for key, of in found.items()}

    def _bool(self, given):
        only(given, "must", "filter", "should", "minimum_should_match")
        should, found = [self.scores(q) for q in given.get("should", [])], None
        least = given.get("minimum_should_match", 0 if set(given) & {"must", "filter"} else 1)
        for kind in ("must", "filter"):
            for query in given.get(kind, []):
                scores = self.scores(query)
                if kind == "filter":
                    scores = dict.fromkeys(scores, 0.0)
                both = scores if found is None else found.keys() & scores.keys()
                found = {k: scores[k] + (found[k] if found else 0.0) for k in both}
        found = dict.fromkeys(self.index.seen, 0.0) if found is None else found
        return {
            key: score + sum(of.get(key, 0.0) for of in should)
            for key, score in found.items()
            if not should or sum(key in of for of in should) >= least
        }


def only(given, *names):
    """What is given, if it has no other keys."""
    if set(given) - set(names):
        raise RefusedError(400, f"unknown keys: {sorted(set(given) - set(names))}")
    return given


def aggregated(index, wanted):
    ((kind, given),) = wanted.items()
    if kind == "filters":
        counts = [len(Scorer(index).scores(query)) for query in only(given, "filters")["filters"]]
        return {"buckets": [{"doc_count": number} for number in counts]}
    assert kind == "terms" and index.properties[given["field"]]["type"] == "keyword"
    values = [d[given["field"]] for d in index.seen.values() if given["field"] in d]
    of = {value: values.count(value) for value in values}
    ranked = sorted(of.items(), key=lambda item: -item[1])[: only(given, "field", "size")["size"]]
    return {"buckets": [{"key": key, "doc_count": number} for key, number in ranked]}


class Server:
    """Indexes by name; `refused` has statuses to give to the next requests of a path."""

    def __init__(self):
        self.indexes, self.scrolls, self.requests, self.refused = {}, {}, [], {}
        self.account = None
        self._numbers = count()

    def answer(self, method, path, parameters, body):
        """Status and content of an answer."""
        first, _, action = path.strip("/").partition("/")
        if path == "/_bulk":
            return 200, self._bulk(body)
        body = json.loads(body) if body else None
        if path == "/_search/scroll":
            return self._scroll(method, body)
        if (method, action) == ("PUT", ""):
            self.indexes[first] = Index(body)
            return 200, {"acknowledged": True, "shards_acknowledged": True, "index": first}
        if first not in self.indexes:
            raise RefusedError(404, f"no such index [{first}]")
        return self._of_index(f"{method} {action}", first, parameters, body)

    def _of_index(self, wanted, name, parameters, body):
        index = self.indexes[name]
        if wanted == "HEAD ":
            return 200, None
        if wanted == "GET _mapping":
            return 200, {name: {"mappings": {"_meta": index.meta} if index.meta else {}}}
        if wanted == "PUT _mapping":
            index.meta = only(body, "_meta")["_meta"]
            return 200, {"acknowledged": True}
        if wanted == "POST _refresh":
            index.refresh()
            return 200, {"_shards": {"total": 1, "successful": 1, "failed": 0}}
        if wanted == "POST _delete_by_query":
            return self._delete(index, only(body, "query")["query"])
        if wanted == "POST _search":
            return 200, self._search(name, index, parameters, body)
        raise RefusedError(400, f"no handler for {wanted}")

    def _bulk(self, body):
        assert body.endswith(b"\n")
        lines = [json.loads(line) for line in body.splitlines()]
        items = []
        while lines:
            ((operation, of),) = lines.pop(0).items()
            source = lines.pop(0) if operation != "delete" else None
            status = self.indexes[of["_index"]].change(operation, of["_id"], source)
            error = {} if status < 300 else {"error": {"reason": "refused"}}
            items.append({operation: {"_id": of["_id"], "status": status, **error}})
        return {"errors": any("error" in i for of in items for i in of.values()), "items": items}

    def _delete(self, index, query):
        keys = Scorer(index).scores(query)
        conflicts = [key for key in keys if index.now.get(key) is not index.seen[key]]
        if conflicts:
            return 409, {"deleted": 0, "version_conflicts": len(conflicts), "failures": []}
        for key in keys:
            del index.now[key]
        return 200, {"deleted": len(keys), "version_conflicts": 0, "failures": []}

    def _search(self, name, index, parameters, body):
        only(body, "query", "size", "aggs", "sort", "track_total_hits", "_source")
        only(parameters, "search_type", "scroll", "size")
        if index.refreshes:
            index.refresh()
        found = {"aggregations": {k: aggregated(index, a) for k, a in body.get("aggs", {}).items()}}
        size = int(parameters.get("size", body.get("size", 10)))
        if size > 10_000:
            raise RefusedError(400, "Result window is too large")
        scores = Scorer(index).scores(body.get("query", {"match_all": {}}))
        if body.get("sort") != "_doc":
            scores = dict(sorted(scores.items(), key=lambda item: -item[1]))
        wanted = body.get("_source")
        hits = [
            {
                "_index": name,
                "_id": key,
                "_score": score,
                "_source": {k: v for k, v in index.source(index.seen[key]).items() if k in wanted},
            }
            for key, score in scores.items()
        ] if size else []  # fmt: skip
        found["hits"] = {"hits": hits[:size]}
        if "scroll" in parameters:
            found["_scroll_id"] = f"scroll{next(self._numbers)}"
            self.scrolls[found["_scroll_id"]] = (hits[size:], size)
        return {"took": 1, "timed_out": False, "_shards": {"total": 1, "successful": 1}, **found}

    def _scroll(self, method, body):
        if method == "DELETE":
            return 200, {
                "succeeded": all(self.scrolls.pop(i) is not None for i in body["scroll_id"])
            }
        key = only(body, "scroll_id", "scroll")["scroll_id"]
        hits, size = self.scrolls[key]
        self.scrolls[key] = (hits[size:], size)
        of_all = {"total": 1, "successful": 1}
        return 200, {"_scroll_id": key, "_shards": of_all, "hits": {"hits": hits[:size]}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece, or the client waits 40 ms for the second

    def _any(self):
        server = self.server.opensearch
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parameters = {name: of[0] for name, of in parse_qs(parts.query).items()}
        server.requests.append((self.command, parts.path, body))
        try:
            if server.account and self.headers.get("Authorization") != server.account:
                raise RefusedError(401, "Unauthorized")
            if server.refused.get(parts.path):
                raise RefusedError(server.refused[parts.path].pop(0), "busy")
            status, content = server.answer(self.command, parts.path, parameters, body)
        except RefusedError as refused:
            status, reason = refused.args
            cause = {"type": _CODES.get(status, "exception"), "reason": reason}
            content = {"error": {"root_cause": [cause], **cause}, "status": status}
        sent = b"" if content is None or self.command == "HEAD" else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any  # noqa: N815

    def log_message(self, *_):
        pass


@contextmanager
def opensearch():
    """A server, and the address that it has."""
    server = Server()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    listening.daemon_threads = True
    listening.opensearch = server
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield server, f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        listening.server_close()
