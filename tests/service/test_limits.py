"""Under load and among rude clients: who waits, who is refused, what is still read."""

import asyncio
import contextlib
import gc
import json
import socket
import threading
import time

import pytest

from babelspan.service.admission import Admission
from babelspan.service.problems import Problem
from babelspan.service.server import _listening_socket
from babelspan.service.settings import Settings
from babelspan.types import ConfigError
from served import TEXT, serving

LONG = "The lake lies in Siberia. " * 1200
JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}
HEAD = b"POST /v1/answer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


def until(true, seconds=120):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.01)


def in_background(call, *arguments, **options):
    """A call in a thread; the function that is returned gives its result."""
    found = []
    thread = threading.Thread(target=lambda: found.append(call(*arguments, **options)))
    thread.start()

    def result():
        thread.join(60)
        return found[0]

    return result


def raw(served, *parts, then=None):
    """What comes back for bytes, until the connection is closed."""
    with socket.create_connection(("127.0.0.1", served.port), 20) as sock:
        with contextlib.suppress(ConnectionError):  # it may answer and hang up before the end
            for part in parts:
                sock.sendall(part)
        if then is not None:
            then(sock)
        found = b""
        try:
            while chunk := sock.recv(65536):
                found += chunk
        except ConnectionError:
            pass
    return found


def body_of(text, **more):
    return json.dumps({"question": "Where?", "texts": [{"text": text}]} | more).encode()


def send(served, text, **more):
    """A connection that has sent a question and does not read yet."""
    body = body_of(text, **more)
    sock = socket.create_connection(("127.0.0.1", served.port), 20)
    sock.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    return sock


def test_when_clients_leave_their_windows_leave_the_queue(gated):
    served, gate = gated
    crew = served.service.readers.named(None).crew
    clients = [send(served, LONG) for _ in range(10)]
    until(lambda: crew.waiting > 100 and crew.turns == 10)
    for sock in clients:
        sock.close()
    until(lambda: crew.waiting == 0)
    assert gate.begun == 1  # what the one worker had begun
    gate.open.set()
    assert served.ask()[0] == 200
    assert gate.begun == 2
    assert b"babelspan_cancelled_total 10.0" in served.call("GET", "/metrics")[2]


def test_a_short_question_overtakes_long_ones(gated):
    served, gate = gated
    crew = served.service.readers.named(None).crew
    long = [send(served, LONG) for _ in range(4)]
    until(lambda: crew.turns == 4)
    short = in_background(served.ask)
    until(lambda: crew.turns == 5)
    waiting = crew.waiting
    gate.open.set()
    assert short()[0] == 200
    assert waiting > 50 and crew.waiting > 0.5 * waiting
    for sock in long:
        sock.close()


def test_a_window_that_fails_ends_its_own_request_only(gated):
    served, gate = gated
    gate.broken = True
    gate.open.set()
    status, problem = served.ask()
    assert status == 500 and "a bug in Babelspan; report it with the number" in problem["detail"]
    line = body_of(TEXT)
    status, _, content = served.call("POST", "/v1/batch", line + b"\n" + line, **LINES)
    assert [json.loads(x)["error"]["status"] for x in content.splitlines()] == [500, 500]
    body = body_of(TEXT)
    events = served.call("POST", "/v1/answer", body, **JSON, Accept="text/event-stream")[2]
    assert events.startswith(b"event: error\n") and events.count(b"event:") == 1
    gate.broken = False
    assert served.ask()[0] == 200


@pytest.fixture
def time_is_up(monkeypatch):
    """A function that ends the time of a question; it does not end by itself."""
    given = []

    def limit(_):
        given.append((asyncio.get_running_loop(), asyncio.timeouts.timeout(None)))
        return given[-1][1]

    def end():
        loop, timeout = given[-1]
        loop.call_soon_threadsafe(timeout.reschedule, 0)

    monkeypatch.setattr("babelspan.service.answering.asyncio.timeout", limit)
    return end


def test_after_its_time_a_question_is_given_up(gated, time_is_up):
    served, gate = gated
    answer = in_background(served.ask, within=60)
    assert gate.busy.wait(120)
    time_is_up()
    status, problem = answer()
    assert status == 504 and "not answered within 60 s" in problem["detail"]
    assert served.service.readers.named(None).crew.waiting == 0


def test_a_partial_answer_says_what_was_read(gated, time_is_up):
    served, gate = gated
    crew = served.service.readers.named(None).crew
    answer = in_background(served.ask, text=LONG, partial=True)
    until(lambda: crew.waiting > 5)
    gate.read = let_on(gate, 3)
    gate.open.set()
    until(lambda: gate.begun > 3)
    time_is_up()
    status, found = answer()
    assert (status, found["complete"]) == (200, False)
    assert 1 <= found["read"]["windows"] < found["read"]["of"]
    assert found["answers"]
    gate.open.set()


def let_on(gate, count):
    def read(windows):
        gate.begun += 1
        if gate.begun > count:
            gate.open.clear()
        assert gate.open.wait(60)
        return gate.engine.read(windows)

    return read


@pytest.mark.parametrize("gated", [{"queue_windows": 60}], indirect=True)
def test_a_full_queue_refuses_with_the_time_to_come_back(gated):
    served, gate = gated
    crew = served.service.readers.named(None).crew
    first = send(served, LONG)
    until(lambda: crew.waiting > 20)
    second = send(served, LONG)
    until(lambda: crew.waiting > 40 or b"503" in peeked(second))
    status, headers, content = served.call("POST", "/v1/answer", body_of(LONG), **JSON)
    assert status == 503 and int(headers["retry-after"]) >= 1
    assert "windows are waiting" in json.loads(content)["detail"]
    status, problem = served.ask(text=LONG * 4)
    assert status == 422 and "expected texts of at most 60 windows" in problem["detail"]
    gate.open.set()
    first.close()
    second.close()


def peeked(sock):
    sock.setblocking(False)
    try:
        return sock.recv(100, socket.MSG_PEEK)
    except BlockingIOError:
        return b""
    finally:
        sock.setblocking(True)


def test_no_thread_is_woken_to_cut_a_short_text(served, monkeypatch):
    service = served.service
    in_thread, sizes = service.in_thread, []

    def noted(size, *call):
        sizes.append(size)
        return in_thread(size, *call)

    monkeypatch.setattr(service, "in_thread", noted)
    assert served.ask()[0] == 200
    assert sizes == []
    assert served.ask(text=LONG)[0] == 200
    assert len(sizes) == 3  # its JSON, its windows, its answer


@pytest.mark.parametrize("within", [600, 0.00001])
def test_a_request_leaves_nothing_that_has_to_be_searched_for(served, within):
    def ask():
        return served.call("POST", "/v1/answer", body_of(TEXT, within=within), **JSON)[0]

    status = ask()
    assert status == (200 if within == 600 else 422)
    gc.collect()
    gc.disable()
    try:
        assert [ask() for _ in range(5)] == [status] * 5
        until(lambda: not served.server.server_state.connections)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found = {type(one).__module__ for one in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not {name for name in found if name.startswith("babelspan")}


def test_what_cannot_be_read_in_time_is_not_even_cut(gated, monkeypatch):
    served, gate = gated
    crew = served.service.readers.named(None).crew
    waiting = [send(served, LONG) for _ in range(6)]
    until(lambda: crew.turns == 6)
    crew.seconds = 100.0  # a window takes as long
    cut = []
    monkeypatch.setattr(gate.engine, "windows", lambda *_: cut.append(1) or iter(()))
    status, problem = served.ask(within=600)
    assert status == 503 and "too many to answer in time" in problem["detail"]
    assert cut == []
    gate.open.set()
    for sock in waiting:
        sock.close()


def test_what_would_take_too_long_is_refused_before_it_is_read():
    class Slow:
        seconds, workers, waiting, turns = 1.0, 2, 0, 0

    admission = Admission(Settings())
    admission.admit(20, Slow, within=30, partial=False)
    with pytest.raises(Problem, match=r"^texts of 100 windows take about 50 s, more than `within`"):
        admission.admit(100, Slow, within=30, partial=False)
    admission.admit(100, Slow, within=30, partial=True)
    Slow.waiting, Slow.turns = 50, 10
    admission.admit(3, Slow, within=30, partial=False)
    with pytest.raises(Problem, match="50 windows are waiting"):  # 22 s would leave no margin
        admission.admit(4, Slow, within=30, partial=False)
    Slow.waiting, Slow.turns = 200, 40
    admission.admit(1, Slow, within=30, partial=False)
    with pytest.raises(Problem, match="200 windows are waiting") as refused:
        admission.admit(20, Slow, within=30, partial=False)
    assert (refused.value.status, refused.value.retry_after) == (503, 50)


def test_a_client_has_so_many_windows_a_minute():
    with serving(rate=2) as served:
        assert [served.ask()[0] for _ in range(2)] == [200, 200]
        status, headers, content = served.call("POST", "/v1/answer", body_of(TEXT), **JSON)
        assert status == 429 and 1 <= int(headers["retry-after"]) <= 30
        assert "at most 2 windows per minute" in json.loads(content)["detail"]


def test_bodies_are_counted_while_they_come():
    with serving(body_mib=1) as served:
        declared = raw(served, HEAD + b"Content-Length: 2000000\r\n\r\n")
        assert declared.startswith(b"HTTP/1.1 413") and b"found 2,000,000" in declared
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        chunked = raw(served, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 17)
        assert chunked.startswith(b"HTTP/1.1 413")
        assert served.ask()[0] == 200
        end = time.monotonic() + 10  # a body is let go of after its response
        while served.service.admission._held and time.monotonic() < end:
            time.sleep(0.01)
        assert served.service.admission._held == 0


def test_all_bodies_together_are_limited():
    with serving(queue_mib=1, body_mib=4) as served:
        status, problem = served.ask(text="x" * 2**20)
        assert status == 503 and "too many texts are waiting" in problem["detail"]
        assert served.ask()[0] == 200


def test_who_sends_nothing_is_let_go():
    with serving(header_seconds=0.3, idle_seconds=0.3) as served:
        half = [socket.create_connection(("127.0.0.1", served.port), 20) for _ in range(20)]
        for sock in half:
            sock.sendall(HEAD)
        assert served.ask()[0] == 200  # beside them
        assert [sock.recv(10) for sock in half] == [b""] * 20
        slow = raw(served, HEAD + b"Content-Length: 100\r\n\r\n{")
        assert slow.startswith(b"HTTP/1.1 408") and b"no data received for 0.3 s" in slow


def test_who_takes_nothing_of_its_answer_is_let_go():
    with serving(idle_seconds=0.3) as served:
        document = served.json("PUT", "/v1/documents/n", b"lake " * 1_600_000)[1]["id"]
        head = f"GET /v1/documents/{document}/text HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", served.port))
            sock.sendall(head.encode())
            until(lambda: served.server.server_state.connections)
            until(lambda: not served.server.server_state.connections)
        assert served.ask()[0] == 200


def test_headers_without_end_are_refused(served):
    found = raw(served, b"GET / HTTP/1.1\r\n", *[b"X-A: " + b"a" * 1000 + b"\r\n"] * 40)
    assert found.startswith(b"HTTP/1.1 400") and b"headers are too long" in found


@pytest.mark.parametrize(
    "start",
    [
        b"nonsense\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n12345",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(served, start):
    found = raw(served, start)
    assert found.startswith(b"HTTP/1.1 400") and b"application/problem+json" in found


def test_a_client_that_waits_to_be_let_on_is(served):
    body = body_of(TEXT)
    head = HEAD + b"Content-Length: %d\r\nConnection: close\r\n" % len(body)

    def go(sock):
        assert sock.recv(100).startswith(b"HTTP/1.1 100")
        sock.sendall(body)

    found = raw(served, head + b"Expect: 100-continue\r\n\r\n", then=go)
    assert b"HTTP/1.1 200" in found


def test_too_many_connections_are_refused():
    with serving(connections=3) as served:
        open_ = [served.connection() for _ in range(3)]
        for one in open_:
            one.connect()
        until(lambda: raw(served, b"").startswith(b"HTTP/1.1 503"))
        for one in open_:
            one.close()
        until(
            lambda: raw(served, b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")[9:12] == b"200"
        )


def test_what_was_accepted_is_finished_when_the_service_stops(gated):
    served, gate = gated
    answer = in_background(served.ask)
    assert gate.busy.wait(30)
    served.service.admission.is_draining = True
    assert served.call("GET", "/readyz")[0] == 503
    status, problem = served.ask()
    assert status == 503 and "the service is stopping" in problem["detail"]
    gate.open.set()
    assert answer()[0] == 200


@pytest.mark.parametrize("gated", [{"grace": 1}], indirect=True)
def test_what_takes_longer_than_the_grace_is_told(gated):
    served, gate = gated
    answer = in_background(served.ask)
    assert gate.busy.wait(30)
    served.server.handle_exit(15, None)
    status, problem = answer()
    assert status == 503 and "stopped before this was answered" in problem["detail"]


def test_a_batch_that_is_left_leaves_the_queue(gated):
    served, gate = gated
    crew = served.service.readers.named(None).crew
    head = HEAD.replace(b"answer", b"batch").replace(
        b"application/json", LINES["Content-Type"].encode()
    )
    body = b"\n".join([body_of(TEXT)] * 300)
    with socket.create_connection(("127.0.0.1", served.port), 20) as sock:
        sock.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        until(lambda: crew.waiting > 3 and gate.begun == 1)
        assert crew.turns == 1
    until(lambda: served.service.admission._held == 0, seconds=15)  # sooner than `within`
    assert (crew.waiting, gate.begun) == (0, 1)


def test_a_full_disk_is_told_and_nothing_half_is_left(tmp_path):
    from pathlib import Path

    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with serving(feedback=Path("/dev/full")) as served:
        judged = {"question": "Where?", "text": TEXT, "verdict": "none"}
        status, problem = served.json("POST", "/v1/feedback", judged)
        assert status == 507 and "No space left on device" in problem["detail"]
        assert served.ask()[0] == 200


def test_judgements_are_kept_only_where_that_is_wanted():
    with serving() as served:
        status, problem = served.json("POST", "/v1/feedback", {})
        assert status == 404 and "--feedback FILE" in problem["detail"]


def test_stored_documents_make_room_for_new_ones():
    with serving(documents_mib=1) as served:
        texts = [f"{n}{'x' * 400_000}".encode() for n in range(3)]
        ids = [served.json("PUT", "/v1/documents/n", text)[1]["id"] for text in texts]
        found = [served.call("GET", f"/v1/documents/{identity}")[0] for identity in ids]
        assert found == [404, 200, 200]
        assert served.json("PUT", "/v1/documents/n", b"x" * (2**20 + 1))[0] == 413


def test_a_public_address_without_a_token_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"--host 0\.0\.0\.0 can be reached .* --token-file"):
        Settings(host="0.0.0.0")
    (tmp_path / "token").write_text("short")
    with pytest.raises(ConfigError, match=r"expected a token of 16 or more .* found 5"):
        Settings(host="0.0.0.0", token_file=tmp_path / "token").token()
    with pytest.raises(ConfigError, match="the token cannot be read"):
        Settings(host="::", token_file=tmp_path / "none").token()
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        assert Settings(host=host).is_local


def test_small_writes_to_a_client_do_not_wait_for_it():
    async def accepted():
        found = asyncio.get_running_loop().create_future()

        def take(_, writer):
            of = writer.get_extra_info("socket")
            found.set_result(of.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listening = _listening_socket("127.0.0.1", 0)
        async with await asyncio.start_server(take, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            value = await found
            writer.close()
        return value

    assert asyncio.run(accepted()) != 0
