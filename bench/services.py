"""Shared code of the service benchmarks: a service in its own process, a client, questions."""

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
    """A service that listens on `port`, with process id `pid`."""

    def __init__(self, port, pid):
        self.port, self.pid = port, pid

    def memory(self):
        """Current memory of its process, and its peak since `forget_the_peak`, in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        kib = {line.split()[0]: int(line.split()[1]) for line in lines if line.startswith("Vm")}
        return kib["VmRSS:"] / 1024, kib["VmHWM:"] / 1024

    def forget_the_peak(self):
        """Reset the peak memory counter (Linux)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@contextmanager
def served(*options):
    """`babelspan serve` with the default reader, in a separate process."""
    command = [sys.executable, "-m", "babelspan", "serve", "--port", "0", *options]
    with listening(command) as running:
        yield running


@contextmanager
def listening(command):
    """A process that prints its address when it is ready; its log is discarded.

    At the end, even if this program is terminated, it is stopped, and its children are killed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the code after `finally` runs
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
        """Status, content, and seconds of a POST request."""
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
    """The request that asks the question of an example about its context."""
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
