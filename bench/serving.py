"""The service compared with direct calls of its answerer, with the default reader.

Each round measures all of these, one after the other; ratios are computed within a round:

    throughput  questions per second through POST /v1/batch, and from `Answerer.predict`
    clients     the same through POST /v1/answer, with eight clients, one question at a time
    latency     one short question at a time: through POST /v1/answer, and from `Answerer.ask`
    beside      a short question while four long texts are read, and alone
    overload    questions that arrive at three times the capacity, at fixed times: answered in
                time, refused, time of refusals, memory of the service
    hung up     windows that are started after 100 clients with long texts have all hung up

    python bench/serving.py [--rounds 3] [--questions 16] [--seconds 6] [--hang-up 100] [--on ray]

The service runs in a separate process; with `--on ray`, replicas on a local Ray read for it. Texts
are passages of XQuAD in English and Chinese. The sizes above take about two minutes; use larger
ones for published results.
"""

import argparse
import asyncio
import json
import math
import socket
import statistics
import threading
import time
from contextlib import suppress
from http.client import HTTPException

from measured import ratio, report
from services import Client, line, sample, served

import babelspan

SEED = 1
CLIENTS = 8
CALLS = 20
LONG_WINDOWS, HUNG_UP_WINDOWS = 60, 30
"""Approximate number of windows of a long text."""
LATE = 2.0
"""Seconds within which an answer is in time."""
AIMS = {
    "throughput, q/s": ">= 0.90",
    "throughput of 8 clients, q/s": "",
    "p50 of a short question, ms": "<= 1.15, 5 ms more",
    "p50 beside 4 long / alone, ms": "<= 2.0",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6.0, help="of overload")
    parser.add_argument("--hang-up", type=int, default=100, help="how many clients do")
    parser.add_argument("--on", choices=("local", "ray"), default="local")
    wanted = parser.parse_args()
    asked = sample(wanted.questions, SEED)
    answerer = babelspan.load_answerer()
    rounds, loads = [], []
    with served("--within", str(LATE), "--on", wanted.on) as running:
        check(running.port, answerer, asked)
        for number in range(-1, wanted.rounds):
            measured = compared(running.port, answerer, asked)
            if number < 0:
                continue  # warm-up
            rounds.append(measured)
            capacity = measured["throughput, q/s"][0]
            loads.append(overload(running, asked, capacity, wanted.seconds))
            loads[-1] |= hung_up(running, asked[0], wanted.hang_up)
            print(f"round {number + 1}: {loads[-1]}", flush=True)
    facts = {"seed": SEED, **vars(wanted), "raw": rounds, "raw loads": loads}
    libraries = ["onnxruntime", "starlette", "uvicorn"]
    name = "serving" if wanted.on == "local" else "serving-on-ray"
    report(name, list(told(rounds)), libraries=libraries, **facts)
    report(f"{name}-load", list(told_of_loads(loads)), libraries=libraries, **facts)


def check(port, answerer, asked):
    """Check that answers through HTTP equal those of the answerer."""
    client = Client(port)
    for example in asked:
        _, content, _ = client.post("/v1/answer", line(example, within=60))
        (best,) = answerer.ask(example.question, [example.context])
        (found,) = json.loads(content)["answers"]
        assert (found["answer"], found["score"]) == (best.prediction.text, best.prediction.score)
    client.close()


def compared(port, answerer, asked):
    """One round: for each measurement, the values of the service and of the comparison."""
    body = "\n".join(line(example, within=300) for example in asked)
    client = Client(port)
    _, content, taken = client.post("/v1/batch", body, "application/x-ndjson")
    client.close()
    assert content.count(b"\n") == len(asked) and b'"error"' not in content
    by_clients = with_clients(port, asked)
    began = time.perf_counter()
    list(answerer.predict(asked))
    direct = len(asked) / (time.perf_counter() - began)
    figures = [
        (len(asked) / taken, direct),
        (by_clients, direct),
        latency(port, answerer, asked[0]),
        beside(port, asked[0]),
    ]
    return dict(zip(AIMS, figures, strict=True))


def with_clients(port, asked, path="/v1/answer", put=line):
    """Questions per second with clients that each ask again as soon as they have an answer."""
    left = iter(asked)
    lock = threading.Lock()

    def ask():
        client = Client(port)
        while True:
            with lock:
                example = next(left, None)
            if example is None:
                break
            status, content, _ = client.post(path, put(example, within=300))
            assert status == 200, content
        client.close()

    began = time.perf_counter()
    in_threads([ask] * CLIENTS)
    return len(asked) / (time.perf_counter() - began)


def in_threads(calls):
    """Make all calls concurrently."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def latency(port, answerer, example):
    """Median milliseconds of single short questions: through HTTP, and by direct calls."""
    client = Client(port)
    through, called = [], []
    for _ in range(CALLS):
        through.append(client.post("/v1/answer", line(example, within=60))[2])
        began = time.perf_counter()
        answerer.ask(example.question, [example.context])
        called.append(time.perf_counter() - began)
    client.close()
    return 1000 * statistics.median(through), 1000 * statistics.median(called)


def beside(port, example):
    """Median milliseconds of a short question: while four long texts are read, and alone."""
    client = Client(port)
    short = line(example, within=60)
    quiet = [client.post("/v1/answer", short)[2] for _ in range(CALLS)]
    others = [Client(port) for _ in range(4)]
    body = asking_long(example, LONG_WINDOWS)
    threads = [threading.Thread(target=swallow, args=(c, body)) for c in others]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    crowded = [client.post("/v1/answer", short)[2] for _ in range(CALLS)]
    for other in others:
        other.connection.sock.shutdown(socket.SHUT_RDWR)  # queued windows are then cancelled
    for thread in threads:
        thread.join()
    client.close()
    return 1000 * statistics.median(crowded), 1000 * statistics.median(quiet)


def asking_long(example, windows):
    """A request about a text of approximately that many windows."""
    text = (example.context + "\n") * (windows * 900 // len(example.context))
    return json.dumps({"question": "Why?", "texts": [{"text": text}], "within": 600})


def swallow(client, body):
    with suppress(OSError, HTTPException):
        client.post("/v1/answer", body)


def overload(running, asked, capacity, seconds):
    """Results of questions that arrive at three times the capacity, and memory."""
    count = math.ceil(3 * capacity * seconds)
    requests = [raw(line(example)) for example in asked]
    running.forget_the_peak()
    before, _ = running.memory()
    results = asyncio.run(arriving(running.port, requests, count, 3 * capacity))
    answered = [taken for status, taken, _ in results if status == 200]
    refused = [taken for status, taken, _ in results if status == 503]
    late = sum(status == 504 for status, *_ in results)
    return {
        "arrived": count,
        "answered in time / capacity": sum(taken <= LATE for taken in answered)
        / (capacity * seconds),
        "p50 of answers, ms": 1000 * statistics.median(answered),
        "refused": len(refused),
        "p50 of refusals, ms": 1000 * statistics.median(refused) if refused else 0.0,
        "p99 of refusals, ms": 1000 * quantile(refused, 0.99) if refused else 0.0,
        "p99 of the client's own delay, ms": 1000 * quantile([own for *_, own in results], 0.99),
        "given up": late,
        "other": count - len(answered) - len(refused) - late,
        "MiB before": before,
        "most MiB": running.memory()[1],
    }


def raw(body):
    """A complete HTTP request for a connection of its own."""
    head = "POST /v1/answer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


async def arriving(port, requests, count, rate):
    """For each of `count` requests: status, seconds to the complete answer, seconds of delay.

    Both are counted from its due time; delay means that this program sent it late.
    """
    began = time.perf_counter() + 0.5

    async def arrive(number):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        late = time.perf_counter() - due
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(requests[number % len(requests)])
        content = await reader.read()
        taken = time.perf_counter() - due
        writer.close()
        return int(content.split(b" ", 2)[1]), taken, late

    return await asyncio.gather(*(arrive(number) for number in range(count)))


def hung_up(running, example, clients):
    """Windows started after clients with long texts have hung up, and windows waiting."""
    watching = Client(running.port)
    state = lambda: watching.get("/v1/readers")["readers"][0]  # noqa: E731
    request = raw(asking_long(example, HUNG_UP_WINDOWS))
    sockets = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(clients)]
    before = state()["windows_begun"]
    for sock in sockets:
        sock.sendall(request)
    settled(lambda: state()["windows_begun"] - before + state()["windows_waiting"])
    then = state()
    for sock in sockets:
        sock.close()
    settled(lambda: state()["windows_begun"])
    after = state()
    watching.close()
    assert then["windows_waiting"] > after["windows_waiting"] == 0, (then, after)
    return {
        "windows waiting when clients hang up": then["windows_waiting"],
        "windows begun afterwards": after["windows_begun"] - then["windows_begun"],
        "workers": after["workers"],
    }


def settled(look, every=0.25, times=4):
    """Wait until a value has not changed for a second."""
    seen = []
    while len(seen) < times or len(set(seen[-times:])) > 1:
        time.sleep(every)
        seen.append(look())


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def told(rounds):
    """Rows of the comparisons: medians, and ratios over rounds."""
    for what, aim in AIMS.items():
        service, other = zip(*(one[what] for one in rounds), strict=True)
        yield {
            "what": what,
            "service": statistics.median(service),
            "beside it": statistics.median(other),
            "ratio": ratio(service, other),
            "aim": aim,
        }


def told_of_loads(loads):
    """Rows of the load tests: median, minimum and maximum over rounds."""
    for what in loads[0]:
        values = [load[what] for load in loads]
        yield {
            "what": what,
            "median": float(statistics.median(values)),
            "least": float(min(values)),
            "most": float(max(values)),
        }


if __name__ == "__main__":
    main()
