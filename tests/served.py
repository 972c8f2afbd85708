"""Real services at free ports of this machine, all with the default reader, loaded once."""

import http.client
import json
import threading
from contextlib import contextmanager
from functools import lru_cache

from babelspan.readers import DEFAULT_FOLDER, load_answerer
from babelspan.service import readers
from babelspan.service.answering import Service
from babelspan.service.server import Server
from babelspan.service.settings import Settings

SAMPLES = DEFAULT_FOLDER.parent / "samples"
TEXT = "The lake lies in Siberia. 🌊 Anna Köhler measured it in 1984 with the ship Tabor."


@lru_cache(maxsize=1)
def default_answerer():
    return load_answerer(workers=1)


class Served:
    """A service that listens; every call has a connection of its own."""

    def __init__(self, service, server, url):
        self.service = service
        self.server = server
        self.port = int(url.rstrip("/").rpartition(":")[2])

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def call(self, method, path, body=None, **headers):
        """Status, headers and body of a response; a body that is no text or bytes goes as JSON."""
        if body is not None and not isinstance(body, str | bytes):
            body = json.dumps(body)
        if isinstance(body, str):
            headers.setdefault("Content-Type", "application/json")
            body = body.encode("utf-8", "surrogatepass")
        connection = self.connection()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def json(self, method, path, body=None, **headers):
        """Status and JSON of a response."""
        status, _, content = self.call(method, path, body, **headers)
        return status, json.loads(content) if content else None

    def ask(self, question="Where is the lake?", text=TEXT, **more):
        return self.json(
            "POST", "/v1/answer", {"question": question, "texts": [{"text": text}]} | more
        )


@contextmanager
def serving(collections=None, reading=None, **settings):
    """A service with its server in a thread; it has all the time that a busy machine needs."""
    reading = reading or readers.Readers({"default": "default"})
    service = Service(Settings(**{"port": 0, "within": 600.0} | settings), reading, collections)
    address, is_up = [], threading.Event()

    def told(url):
        address.append(url)
        is_up.set()

    server = Server(service, told)
    thread = threading.Thread(target=server.serve_until_told)
    thread.start()
    try:
        assert is_up.wait(60)
        yield Served(service, server, address[0])
    finally:
        server.handle_exit(15, None)
        thread.join(60)
        assert not thread.is_alive()


class Gated:
    """The engine of a service, which reads a window only when it is let on."""

    def __init__(self, engine):
        self.engine = engine
        self.workers = 1
        self.begun = 0
        self.busy = threading.Event()
        self.open = threading.Event()
        self.broken = False

    def read(self, windows):
        self.begun += 1
        self.busy.set()
        assert self.open.wait(60)
        if self.broken:
            raise OSError("the reader fell over")
        return self.engine.read(windows)
