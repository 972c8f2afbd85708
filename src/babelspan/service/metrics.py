"""What a service counts, in the form of Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counters of one service, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        r = self._registry
        self.requests = Counter("babelspan_requests", "Requests.", ["route", "status"], registry=r)
        self.windows = Counter("babelspan_windows", "Windows read.", ["reader"], registry=r)
        self.refused = Counter("babelspan_refused", "Requests not let in.", ["why"], registry=r)
        self.cancelled = Counter("babelspan_cancelled", "Requests whose client left.", registry=r)
        self.waiting = Gauge(
            "babelspan_queue_windows", "Windows that wait.", ["reader"], registry=r
        )
        self.ready = Gauge("babelspan_ready", "Readers that can read.", ["reader"], registry=r)
        self.documents = Gauge("babelspan_documents_bytes", "Bytes of stored texts.", registry=r)
        self.passages = Gauge(
            "babelspan_index_passages", "Passages to search.", ["collection"], registry=r
        )
        self.answer_seconds = Histogram(
            "babelspan_answer_seconds", "From body to answer.", buckets=_SECONDS, registry=r
        )

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self._registry)
