"""The metrics of a service, in the format of Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The metrics of one service, in their own registry."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        r = self._registry
        self.requests = Counter("babelspan_requests", "Requests.", ["route", "status"], registry=r)
        self.windows = Counter("babelspan_windows", "Windows read.", ["reader"], registry=r)
        self.refused = Counter("babelspan_refused", "Requests refused.", ["why"], registry=r)
        self.cancelled = Counter("babelspan_cancelled", "Clients that left.", registry=r)
        self.waiting = Gauge(
            "babelspan_queue_windows", "Windows in the queue.", ["reader"], registry=r
        )
        self.ready = Gauge("babelspan_ready", "Readers ready to read.", ["reader"], registry=r)
        self.documents = Gauge(
            "babelspan_documents_bytes", "Bytes of memory that stored texts take.", registry=r
        )
        self.passages = Gauge(
            "babelspan_index_passages", "Passages in the index.", ["collection"], registry=r
        )
        self.available = Gauge(
            "babelspan_index_available",
            "Whether the index could be opened when last checked (1 or 0).",
            ["collection"],
            registry=r,
        )
        self.answer_seconds = Histogram(
            "babelspan_answer_seconds", "Time to answer.", buckets=_SECONDS, registry=r
        )

    def text(self) -> bytes:
        """Return all metrics as text."""
        return generate_latest(self._registry)
