"""A real HTTP server on this machine that does what servers should not do, as it is told."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Files by path, and for each path what to do at each request; the last thing told stays.

    What it can do: "ok"; "ignore" a Range; ("break", n) after n bytes; ("length", n) instead of
    the true Content-Length; ("status", code); "loop", a redirect to itself; ("to", path), a
    redirect; "slow", a pause after the first bytes; "silent", no answer; "page", a web page;
    "other part", the start of another version in answer to a Range; "unnamed", nothing that names
    the version; "endless" bytes.
    """

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/"
        self.files = {}
        self.tags = {}
        self.plans = {}
        self.headers = {}
        self.requests = []
        self.stopped = threading.Event()

    def serve(self, path, content, *plan, tag='"v1"'):
        self.files[path] = content
        self.tags[path] = tag
        self.plans[path] = list(plan or ["ok"])
        return self.url + path

    def asked(self, path):
        """The Range of each request for a path; None where it asked for all."""
        return [span for asked, span, _ in self.requests if asked == path]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        told, path = self.server.told, self.path.lstrip("/")
        told.requests.append((path, self.headers.get("Range"), self.headers.get("If-Range")))
        plan = told.plans.get(path, [("status", 404)])
        step = plan.pop(0) if len(plan) > 1 else plan[0]
        name, value = step if isinstance(step, tuple) else (step, None)
        other = {
            "status": lambda: self.refuse(path, value),
            "loop": lambda: self.redirect(path),
            "to": lambda: self.redirect(value),
            "silent": lambda: told.stopped.wait(5),
            "page": lambda: self.answer(200, b"<!DOCTYPE html>", {"Content-Type": "text/html"}),
            "endless": self.pour,
        }
        other.get(name, lambda: self.send_file(path, name, value))()

    def send_file(self, path, name, value):
        content, tag = self.server.told.files[path], self.server.told.tags[path]
        span, condition = self.headers.get("Range"), self.headers.get("If-Range")
        headers = {"ETag": tag} if tag and name != "unnamed" else {}
        first = int(span.removeprefix("bytes=").rstrip("-")) if span else 0
        if name == "other part" and span:
            headers |= {"ETag": '"v0"', "Content-Range": f"bytes {first}-9/{len(content)}"}
            self.answer(206, b"?" * 10, headers)
        elif not span or name == "ignore" or condition not in (None, tag):
            self.send_part(200, content, headers, name, value)
        elif first >= len(content):
            self.refuse(path, 416)
        else:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self.send_part(206, content[first:], headers, name, value)

    def send_part(self, status, body, headers, name, value):
        length = value if name == "length" else len(body)
        sent = body[:value] if name == "break" else body
        self.answer(status, sent if name != "slow" else body[:10], headers, length)
        if name == "slow":
            self.server.told.stopped.wait(1)

    def answer(self, status, body, headers, length=None):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def refuse(self, path, status):
        self.send_response(status)
        for key, value in self.server.told.headers.get(path, {}).items():
            self.send_header(key, value)
        self.end_headers()

    def redirect(self, path):
        self.send_response(302)
        self.send_header("Location", self.server.told.url + path)
        self.end_headers()

    def pour(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b"{" * 1000)

    def log_message(self, *_):
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # the other side hung up, as some tests want it to


@contextmanager
def hostile():
    """A running server, told what to do through the object."""
    with _Quiet(("127.0.0.1", 0), _Handler) as server:
        server.told = Server(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.told
        finally:
            server.told.stopped.set()
            server.shutdown()
            thread.join()
