"""What the benchmarks of the service share: a service of its own process, a client, questions."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from measured import DATA

from babelspan.data.squad import load_squad


class Running:
    """A service that listens at `port`, as the process `pid`."""

    def __init__(self, port, pid):
        self.port, self.pid = port, pid

    def memory(self):
        """MiB that its process holds now, and the most it has held since `forget_the_peak`."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        kib = {line.split()[0]: int(line.split()[1]) for line in lines if line.startswith("Vm")}
        return kib["VmRSS:"] / 1024, kib["VmHWM:"] / 1024

    def forget_the_peak(self):
        """Let the most memory be counted from now on (Linux)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@contextmanager
def served(*options):
    """`babelspan serve` with the default reader, in a process of its own."""
    command = [sys.executable, "-m", "babelspan", "serve", "--port", "0", *options]
    with listening(command) as running:
        yield running


@contextmanager
def listening(command):
    """A process that prints its address when it can be asked; its log goes nowhere.

    At the end, also if this program is told to stop, so is it, and what it leaves behind is killed.
    """
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that what follows `finally` is done
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([*map(str, command)], **pipes, start_new_session=True) as process:
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise RuntimeError(f"{process.args} ended; run it by hand to see why")
            yield Running(int(address.rstrip("/").rpartition(":")[2]), process.pid)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


class Client:
    """One connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def post(self, path, body, kind="application/json"):
        """Status, content, and the seconds that it took."""
        began = time.perf_counter()
        self.connection.request("POST", path, body, {"Content-Type": kind})
        response = self.connection.getresponse()
        content = response.read()
        return response.status, content, time.perf_counter() - began

    def get(self, path):
        """The JSON at a path."""
        self.connection.request("GET", path)
        return json.loads(self.connection.getresponse().read())

    def close(self):
        self.connection.close()


def line(example, **more):
    """The request that asks the question of an example over its context."""
    texts = [{"text": example.context}]
    return json.dumps({"question": example.question, "texts": texts} | more)


def sample(count, seed):
    """Questions of XQuAD with their passages, half English and half Chinese."""
    rng = random.Random(seed)
    found = []
    for language in ("en", "zh"):
        found += rng.sample(questions(language), count // 2)
    return found


def questions(language):
    """All questions of XQuAD in a language."""
    return load_squad(DATA / "qa" / "xquad" / f"test.{language}.json.gz")
