"""The service beside the answerer that it is made of, with the default reader on this machine.

Four tables, each a ratio of times or rates of one round, with its range over the rounds:

    throughput  questions a second through POST /v1/batch, and from `Answerer.predict`
    latency     one short question at a time: through POST /v1/answer, and from `Answerer.ask`
    beside      a short question while four long texts are read, and alone
    overload    questions that arrive at three times the capacity, at fixed times, whatever becomes
                of them: answered in time, refused, and how long refusals took

    python bench/serving.py [--rounds 3] [--questions 16] [--seconds 6]

The service is a process of its own. Texts are passages of XQuAD in English and Chinese; the sizes
above take about a minute, those of a result should be larger.
"""

import argparse
import http.client
import json
import math
import random
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

from measured import DATA, ratio, report

import babelspan
from babelspan.data.squad import load_squad

SEED = 1
LONG_WINDOWS = 60
LATE = 2.0
"""Seconds within which an answer is in time."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6.0, help="of overload")
    wanted = parser.parse_args()
    asked = sample(wanted.questions)
    answerer = babelspan.load_answerer()
    rows = []
    with served("--within", str(LATE)) as port:
        check(port, answerer, asked)
        rows.append(throughput(port, answerer, asked, wanted.rounds))
        rows.append(latency(port, answerer, asked[0], wanted.rounds))
        rows.append(beside(port, asked, wanted.rounds))
        capacity = rows[0]["service"]
        overloaded = overload(port, asked, capacity, wanted.seconds)
    libraries = ["onnxruntime", "starlette", "uvicorn"]
    facts = {"seed": SEED, "rounds": wanted.rounds, "questions": wanted.questions}
    report("serving", rows, libraries=libraries, **facts)
    report("serving-overload", [overloaded], libraries=libraries, seconds=wanted.seconds, **facts)


def sample(count):
    """Questions with their passages, half English and half Chinese."""
    rng = random.Random(SEED)
    found = []
    for language in ("en", "zh"):
        examples = load_squad(DATA / "qa" / "xquad" / f"test.{language}.json.gz")
        found += rng.sample(examples, count // 2)
    return found


@contextmanager
def served(*options):
    """The port of a service that runs in a process of its own."""
    command = [sys.executable, "-m", "babelspan", "serve", "--port", "0", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        try:
            yield int(process.stdout.readline().strip().rstrip("/").rpartition(":")[2])
        finally:
            process.terminate()


class Client:
    """One connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def post(self, path, body, kind="application/json"):
        """Status, content, and the seconds that it took."""
        began = time.perf_counter()
        self.connection.request("POST", path, body, {"Content-Type": kind})
        response = self.connection.getresponse()
        content = response.read()
        return response.status, content, time.perf_counter() - began

    def close(self):
        self.connection.close()


def line(example, **more):
    texts = [{"text": example.context}]
    return json.dumps({"question": example.question, "texts": texts} | more)


def check(port, answerer, asked):
    """Answers through HTTP are those of the answerer."""
    client = Client(port)
    for example in asked:
        _, content, _ = client.post("/v1/answer", line(example, within=60))
        (best,) = answerer.ask(example.question, [example.context])
        (found,) = json.loads(content)["answers"]
        assert (found["answer"], found["score"]) == (best.prediction.text, best.prediction.score)
    client.close()


def throughput(port, answerer, asked, rounds):
    """Questions a second, all at once."""
    client = Client(port)
    body = "\n".join(line(example, within=300) for example in asked)
    service, direct = [], []
    for number in range(-1, rounds):
        _, content, taken = client.post("/v1/batch", body, "application/x-ndjson")
        assert content.count(b"\n") == len(asked) and b'"error"' not in content
        began = time.perf_counter()
        list(answerer.predict(asked))
        if number >= 0:
            service.append(taken)
            direct.append(time.perf_counter() - began)
    client.close()
    return told(
        "throughput, q/s",
        len(asked) / statistics.median(service),
        len(asked) / statistics.median(direct),
        ratio(direct, service),
    )


def latency(port, answerer, example, rounds):
    """Milliseconds of one short question at a time, p50."""
    client = Client(port)
    service, direct = [], []
    for number in range(-1, rounds):
        through, called = [], []
        for _ in range(10):
            through.append(client.post("/v1/answer", line(example, within=60))[2])
            began = time.perf_counter()
            answerer.ask(example.question, [example.context])
            called.append(time.perf_counter() - began)
        if number >= 0:
            service.append(1000 * statistics.median(through))
            direct.append(1000 * statistics.median(called))
    client.close()
    medians = statistics.median(service), statistics.median(direct)
    return told("latency, ms", *medians, ratio(service, direct))


def beside(port, asked, rounds):
    """Milliseconds of a short question beside four long texts, and alone, p50."""
    example = asked[0]
    long = (example.context + "\n") * (LONG_WINDOWS * 900 // len(example.context))
    client = Client(port)
    busy, alone = [], []
    for _ in range(rounds):
        quiet = [client.post("/v1/answer", line(example, within=60))[2] for _ in range(8)]
        others = [Client(port) for _ in range(4)]
        body = json.dumps({"question": "Why?", "texts": [{"text": long}], "within": 300})
        threads = [threading.Thread(target=swallow, args=(c, body)) for c in others]
        for thread in threads:
            thread.start()
        time.sleep(1.0)
        crowded = [client.post("/v1/answer", line(example, within=60))[2] for _ in range(8)]
        for other in others:
            other.connection.sock.shutdown(2)  # hang up: what was not begun is not read
        for thread in threads:
            thread.join()
        busy.append(1000 * statistics.median(crowded))
        alone.append(1000 * statistics.median(quiet))
    client.close()
    medians = statistics.median(busy), statistics.median(alone)
    return told("beside 4 long / alone, ms", *medians, ratio(busy, alone))


def swallow(client, body):
    with suppress(OSError, http.client.HTTPException):
        client.post("/v1/answer", body)


def overload(port, asked, capacity, seconds):
    """What becomes of questions that arrive at three times the capacity."""
    count = math.ceil(3 * capacity * seconds)
    results = [None] * count
    began = time.perf_counter() + 0.5

    def arrive(number):
        due = began + number / (3 * capacity)
        client = Client(port)
        client.connection.connect()
        time.sleep(max(0.0, due - time.perf_counter()))
        status, _, _ = client.post("/v1/answer", line(asked[number % len(asked)]))
        results[number] = status, time.perf_counter() - due
        client.close()

    threads = [threading.Thread(target=arrive, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answered = [taken for status, taken in results if status == 200]
    refused = [taken for status, taken in results if status == 503]
    late = [taken for status, taken in results if status == 504]
    in_time = sum(taken <= LATE for taken in answered)
    return {
        "arrived": count,
        "capacity, q/s": capacity,
        "in time / capacity": in_time / (capacity * seconds),
        "p50 of answers, ms": 1000 * statistics.median(answered),
        "refused": len(refused),
        "p99 of refusals, ms": 1000 * quantile(refused, 0.99) if refused else "",
        "given up": len(late),
        "other": count - len(answered) - len(refused) - len(late),
    }


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def told(what, service, other, shown):
    return {"what": what, "service": service, "beside it": other, "ratio": shown}


if __name__ == "__main__":
    main()
