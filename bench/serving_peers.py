"""The service compared with the pipeline of transformers 4 in FastAPI, LitServe and Ray Serve.

All have the weights of the default reader, on the same machine; ours in fp32, and in int8 as
shipped. Eight clients send each of them questions of XQuAD, one at a time. Peers run in each
configuration that might suit them: all cores for one question at a time, one core for each of
several in parallel, small batches. All take turns within a round; the others are suspended, because
idle services poll for work, some of them with a tenth of a core.

    python bench/serving_peers.py [--rounds 3] [--questions 24] [--peers fastapi litserve ray]
                                  [--peers-python PYTHON]

The peers have their own environment, which is created in build/bench on the first run, unless
`--peers-python` names an interpreter with the packages in peers/services.txt.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import sys
import time
from pathlib import Path

from answering import alike, environment
from checkpoints import default
from measured import ratio, report
from services import Client, line, listening, sample
from serving import CLIENTS, with_clients

SEED = 1
PEERS = Path(__file__).parent / "peers"
READY = 120.0
"""Timeout in seconds for the first answer of a service."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument("--peers", nargs="+", default=["fastapi", "litserve", "ray"])
    parser.add_argument("--peers-python", type=Path, help="an interpreter that has all of them")
    wanted = parser.parse_args()
    python = wanted.peers_python or environment("services")
    asked = sample(wanted.questions, SEED)
    with contextlib.ExitStack() as running:
        sides = {
            name: running.enter_context(started(*made))
            for name, made in contenders(default(), python, wanted.peers).items()
        }
        texts = {name: side.answers(asked) for name, side in sides.items()}
        rates = {name: [] for name in sides}
        for number in range(wanted.rounds):
            for name in list(sides) if number % 2 == 0 else list(sides)[::-1]:
                with stopped(side for other, side in sides.items() if other != name):
                    rates[name].append(sides[name].rate(asked))
            print(f"round {number + 1}: { {n: round(r[-1], 1) for n, r in rates.items()} }")
    facts = {"seed": SEED, "rounds": wanted.rounds, "questions": wanted.questions}
    facts |= {"clients": CLIENTS, "rates": rates, "peers": requirements()}
    report("serving-peers", list(told(rates, texts)), libraries=["onnxruntime"], **facts)


def contenders(folders, python, wanted):
    """By name: the command of a service, the path for questions, and the request format."""
    cores = len(os.sched_getaffinity(0))
    ways = {
        "fastapi": [("all cores", 1), (f"{cores} threads", cores)],
        "litserve": [
            ("all cores", 1, 1),
            ("batches of 4", 1, 4),
            (f"{cores} workers", cores, 1),
        ],
        "ray": [(f"{cores} replicas", cores)],
    }
    found = {}
    for peer in wanted:
        for way, *arguments in ways[peer]:
            script = PEERS / f"{peer}_service.py"
            command = [python, script, folders["checkpoint"], *arguments]
            found[f"{peer}, {way}"] = command, "/answer", put_to_peer
    for precision in ("fp32", "int8"):
        command = [sys.executable, "-m", "babelspan", "serve", "--port", "0", "--reader"]
        command.append(f"default={folders[precision]}")
        found[f"babelspan, {precision}"] = command, "/v1/answer", line
    return found


def put_to_peer(example, **_):
    return json.dumps({"question": example.question, "context": example.context})


@contextlib.contextmanager
def started(command, path, put):
    """Start a service, and wait for its first answer."""
    with listening(command) as running:
        yield Side(running, path, put)


@contextlib.contextmanager
def stopped(sides):
    """Suspend the processes of these services within the block."""
    sides = list(sides)
    for side in sides:
        side.tell(signal.SIGSTOP)
    try:
        yield
    finally:
        for side in sides:
            side.tell(signal.SIGCONT)


class Side:
    """A service that listens on a port, with all processes of its session."""

    def __init__(self, running, path, put):
        self.port, self.path, self.put = running.port, path, put
        self.session = os.getsid(running.pid)

    def tell(self, sent):
        """Send a signal to all of its processes."""
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(pid) == self.session:
                    os.kill(pid, sent)

    def answers(self, asked):
        """The texts of its answers to single questions."""
        self._wait_for(asked[0])
        client = Client(self.port)
        found = [json.loads(client.post(self.path, self.put(e))[1]) for e in asked]
        client.close()
        return [(one["answers"][0] if "answers" in one else one)["answer"] for one in found]

    def rate(self, asked):
        """Questions per second with clients that each ask again as soon as they have an answer."""
        return with_clients(self.port, asked, path=self.path, put=self.put)

    def _wait_for(self, example):
        began = time.monotonic()
        while True:
            client = Client(self.port)
            with contextlib.suppress(ConnectionError):
                if client.post(self.path, self.put(example))[0] == 200:
                    return client.close()
            client.close()
            if time.monotonic() - began > READY:
                raise RuntimeError(f"port {self.port}: no answer in {READY} s")
            time.sleep(0.5)


def requirements():
    return (PEERS / "services.txt").read_text().split()


def told(rates, texts):
    """Rows of the table: medians over rounds; ratios of ours to each peer per round."""
    reference = next(name for name in rates if not name.startswith("babelspan"))
    for name, found in rates.items():
        yield {
            "service": name,
            "questions/s": statistics.median(found),
            "ours in fp32 / it": ratio(rates["babelspan, fp32"], found),
            "ours in int8 / it": ratio(rates["babelspan, int8"], found),
            f"answers as {reference}": alike(texts[name], texts[reference]) / len(texts[name]),
        }


if __name__ == "__main__":
    main()
