"""LibreTranslate: a real server in a thread, that fails in all the usual ways."""

import contextlib
import email.utils
import html
import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from babelspan.translators import load_translator, names
from babelspan.translators.libretranslate import KEY, LibreTranslate, Options, translator
from babelspan.types import ConfigError, TranslationError

IMPATIENT = 0.4
"""Seconds that a client waits for a server that says nothing."""

LANGUAGES = [
    {"code": "en", "name": "English", "targets": ["en", "es", "zh-Hans", "zh-Hant"]},
    {"code": "es", "name": "Spanish", "targets": ["en"]},
    {"code": "zh-Hans", "name": "Chinese", "targets": ["en"]},
]
SPEC = {"info": {"title": "LibreTranslate", "version": "1.6.2"}}


class Server:
    """Answers `/translate` by `replies`, one each, and then by translating: `[es] text`.

    A reply is a function of the handler, or (state, body[, headers]).
    """

    def __init__(self):
        self.replies = []
        self.asked = []
        self.others = {"/languages": (200, LANGUAGES), "/spec": (200, SPEC)}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                server.reply(self, server.others.get(self.path, (404, {"error": "no such page"})))

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                server.asked.append(json.loads(self.rfile.read(length)))
                server.reply(self, server.replies.pop(0) if server.replies else server.translated)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def reply(self, handler, reply):
        if callable(reply):
            return reply(handler)
        state, body, *headers = reply
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(state)
        for name, value in headers[0].items() if headers else ():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        return handler.wfile.write(raw)

    def translated(self, handler):
        asked = self.asked[-1]
        texts = [f"[{asked['target']}] {text}" for text in asked["q"]]
        if asked["format"] == "html":
            texts = [html.unescape(text) for text in texts]
        self.reply(handler, (200, {"translatedText": texts}))


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(KEY, raising=False)
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def waits():
    """What was slept, in seconds; nobody really sleeps."""
    return []


@pytest.fixture
def client(server, waits):
    def make(key="", clock=time.monotonic, **options):
        return LibreTranslate(
            server.url, Options(**options), key=key, sleep=waits.append, clock=clock
        )

    return make


def spanish(client, texts=("one",), **options):
    return client.translate(list(texts), source="en", target="es", **options)


def reset(handler):
    """Break the connection off, so that the other side sees a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def cut_short(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"translatedText": [')
    handler.close_connection = True


def silent(handler):
    time.sleep(2 * IMPATIENT)
    handler.close_connection = True


def test_texts_come_back_in_order_in_batches(client, server, waits):
    texts = ["one", "", "two & <b>", " \n", "three", "four"]
    assert spanish(client(batch=2), texts) == [
        "[es] one", "", "[es] two & <b>", " \n", "[es] three", "[es] four",
    ]  # fmt: skip
    assert server.asked == [
        {"q": ["one", "two & <b>"], "source": "en", "target": "es", "format": "text"},
        {"q": ["three", "four"], "source": "en", "target": "es", "format": "text"},
    ]
    assert waits == []
    assert spanish(client(), ["", "\t"]) == ["", "\t"]
    assert len(server.asked) == 2


def test_a_request_has_a_limit_of_characters(client, server):
    spanish(client(characters=10), ["a" * 6, "b" * 4, "c", "d" * 30, "e"])
    assert [len("".join(asked["q"])) for asked in server.asked] == [10, 1, 30, 1]


def test_the_translator_is_known_by_name(server):
    assert "libretranslate" in names()
    chosen = load_translator(f"libretranslate:{server.url}/,batch=1,rate=0.5")
    assert chosen.url == server.url
    assert (chosen.options.batch, chosen.options.rate, chosen.options.retries) == (1, 0.5, 5)


def test_tags_are_markup_and_all_else_is_literal(client, server):
    text = "Tom & <i>Jo</i>: 1 < 2, &amp; <b>answer</b>"
    (found,) = spanish(client(), [text], tags=("b", "q"))
    assert server.asked[0]["q"] == [
        "Tom &amp; &lt;i&gt;Jo&lt;/i&gt;: 1 &lt; 2, &amp;amp; <b>answer</b>"
    ]
    assert server.asked[0]["format"] == "html"
    assert found == f"[es] {text}"


def test_entities_that_a_server_leaves_are_resolved(client, server):
    server.replies = [(200, {"translatedText": ["Tom &amp; 1 &lt; 2 <b>x</b>", "<b>A</b>&#39;s"]})]
    assert spanish(client(), ["a", "b"], tags=("b",)) == ["Tom & 1 < 2 <b>x</b>", "<b>A</b>'s"]
    server.replies = [(200, {"translatedText": ["a &amp; b"]})]
    assert spanish(client()) == ["a &amp; b"]


def test_pairs_are_those_of_the_server(client, server):
    client().translate(["one"], source="en", target="zh")
    client().translate(["yi"], source="zh", target="en")
    assert [(a["source"], a["target"]) for a in server.asked] == [
        ("en", "zh-Hans"),
        ("zh-Hans", "en"),
    ]
    with pytest.raises(ConfigError, match="from 'en' to en, es, zh-Hans, zh-Hant, not to 'de'"):
        client().translate([], source="en", target="de")
    with pytest.raises(ConfigError, match="translates from en, es, zh-Hans, not from 'de'"):
        client().translate(["eins"], source="de", target="en")
    server.others["/languages"] = (200, [{"code": "en"}, {"code": "de"}])
    assert client().translate(["one"], source="en", target="de") == ["[de] one"]


def test_a_pair_that_the_server_refuses_all_the_same(client, server, waits):
    server.replies = [(400, {"error": "es is not supported"})]
    with pytest.raises(TranslationError, match=r"/translate: 400 es is not supported$"):
        spanish(client())
    assert waits == []


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({}, 1.0), ({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, 1.0)],
)
def test_too_many_requests_are_waited_for(client, server, waits, headers, wait):
    server.replies = [(429, {"error": "Slowdown"}, headers)]
    assert spanish(client()) == ["[es] one"]
    assert waits == [wait]


def test_a_date_to_wait_for(client, server, waits):
    for offset in (90, -90):
        date = email.utils.formatdate(time.time() + offset, usegmt=True)
        server.replies.append((503, {}, {"Retry-After": date}))
    assert spanish(client()) == ["[es] one"]
    assert 80 < waits[0] <= 90
    assert waits[1:] == [0.0]


def test_a_server_that_asks_for_hours_is_given_up(client, server, waits):
    server.replies = [(429, {"error": "20 per day"}, {"Retry-After": "86400"})]
    with pytest.raises(
        TranslationError, match=r"429 20 per day \(tried 1 times\); it asks to wait 86400 seconds"
    ):
        spanish(client())
    assert waits == []


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        ((500, {"error": "Cannot translate text"}), "500 Cannot translate text"),
        ((502, b"<html>bad gateway</html>"), "502 Bad Gateway"),
        (reset, "the connection broke: .*reset"),
        (cut_short, "the connection broke: IncompleteRead"),
        (silent, "no answer in time|the connection broke"),
    ],
    ids=["500", "502", "reset", "cut short", "silent"],
)
def test_what_may_pass_is_tried_again(client, server, waits, failure, cause):
    timeout = IMPATIENT if failure is silent else 30
    server.replies = [failure, failure]
    assert spanish(client(timeout=timeout)) == ["[es] one"]
    assert waits == [1.0, 2.0]
    server.replies = [failure] * 3
    with pytest.raises(TranslationError, match=rf"/translate: ({cause}).* \(tried 3 times\)$"):
        spanish(client(timeout=timeout, retries=2))


def test_no_server(server, client, waits):
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(
        TranslationError,
        match=r"127.0.0.1:\d+: /languages: no server answers there \(tried 4 times",
    ):
        spanish(client(retries=3))
    assert waits == [1.0, 2.0, 4.0]
    with pytest.raises(TranslationError, match="/spec: no server answers there"):
        client(retries=0).identity  # noqa: B018


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>hello</html>", r"expected JSON, found '<html>hello</html>'; is it a Libre"),
        (b"\xff\xfe", r"expected JSON, found"),
        (b"", r"expected JSON, found ''"),
        ({"translatedText": ["uno"]}, r"expected 2 translations, found 1 items, 1 of them texts"),
        ({"translatedText": ["a", "b", "c"]}, r"expected 2 translations, found 3 items"),
        (
            {"translatedText": ["a", "b", None]},
            r"expected 2 translations, found 3 items, 2 of them",
        ),
        ({"translatedText": ["uno", None]}, r"expected 2 translations, found 2 items, 1 of them"),
        ({"translatedText": "uno"}, r"expected \{'translatedText': \[...\]\}, found"),
        ({"error": "none"}, r"expected \{'translatedText': \[...\]\}, found \{'error': 'none'\}"),
        ([1, 2], r"expected \{'translatedText': \[...\]\}, found \[1, 2\]"),
    ],
)
def test_answers_that_are_none(client, server, waits, body, message):
    server.replies = [(200, body)]
    with pytest.raises(TranslationError, match=message):
        spanish(client(), ["one", "two"])
    assert waits == []


@pytest.mark.parametrize("body", [{"error": "x"}, [1], [{"name": "English"}], None])
def test_languages_that_are_none(client, server, body):
    server.others["/languages"] = (200, body)
    with pytest.raises(TranslationError, match="/languages: expected a list of languages, found"):
        spanish(client())


def test_a_huge_answer_is_not_read_to_its_end(client, server):
    sent = []

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        with contextlib.suppress(OSError):
            while len(sent) < 256:
                sent.append(handler.wfile.write(b" " * 2**20))

    server.replies = [endless]
    with pytest.raises(TranslationError, match="the answer has more than 16777216 bytes"):
        spanish(client())
    assert 16 <= len(sent) < 64  # MiB; some are on their way


@pytest.mark.parametrize("state", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(client, server, state):
    place = {"Location": "https://elsewhere.example/translate?secret=1"}
    server.replies = [(state, {}, place)]
    with pytest.raises(
        ConfigError, match=r"redirects to https://elsewhere\.example; use that address$"
    ):
        spanish(client(key="s3cret"))


def test_a_bad_key_is_told_of_without_the_key(client, server, waits):
    server.replies = [(403, {"error": "Invalid API key: s3cret"})]
    with pytest.raises(ConfigError) as refusal:
        spanish(client(key="s3cret"))
    assert str(refusal.value).endswith(
        f"403 Invalid API key: <key>; set {KEY} to a key of this server"
    )
    assert "s3cret" not in repr(refusal.value.__context__) + repr(vars(refusal.value))
    assert waits == []


def test_the_key_comes_from_the_environment_and_shows_nowhere(server, monkeypatch, capsys):
    monkeypatch.setenv(KEY, "s3cret")
    keyed = translator(server.url)
    assert spanish(keyed) == ["[es] one"]
    assert server.asked[0]["api_key"] == "s3cret"
    assert keyed.identity == f"libretranslate:{server.url} version=1.6.2"
    assert "s3cret" not in repr(keyed)
    assert capsys.readouterr() == ("", "")


def test_the_identity_of_servers_that_say_no_version(client, server):
    for answer in ((404, b"none"), (200, []), (200, {"info": {}})):
        server.others["/spec"] = answer
        assert client().identity == f"libretranslate:{server.url} version=unknown"


def test_requests_keep_their_distance(server):
    now = [100.0]
    waits = []

    def sleep(seconds):
        waits.append(round(seconds, 6))
        now[0] += seconds

    options = Options(rate=4, batch=1)
    slow = LibreTranslate(server.url, options, sleep=sleep, clock=lambda: now[0])
    spanish(slow, ["a", "b", "c"])
    assert waits == [0.25, 0.25, 0.25]  # after that for the languages
    now[0] += 10
    spanish(slow, ["d"])
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("", r"expected an address such as http://localhost:5000, found ''"),
        ("localhost:5000", r"expected an address .*, found 'localhost:5000'"),
        ("ftp://me:secret@host/x", r"expected an address .*, found 'host/x'$"),
        ("http://host:port", r"expected an address .*, found 'http://host:port'"),
        ("http://hö.example", r"expected an address"),
        ("http://a b", r"expected an address"),
        ("http://me:secret@host", r"without user, password.* for host; put the key into BABELSPAN"),
        ("http://host/?api_key=secret", r"without user, password.* for host; put the key into"),
        ("http://host,rite=2", r"libretranslate: unknown key 'rite'; did you mean 'rate'\?"),
        ("http://host,rate=fast", r"'rate': input should be a valid number, found 'fast'"),
        ("http://host,batch=0", r"'batch': input should be greater than or equal to 1, found 0"),
    ],
)
def test_addresses_and_options_are_strict(argument, message):
    with pytest.raises(ConfigError, match=message) as refusal:
        translator(argument)
    assert "secret" not in str(refusal.value)
