"""`babelspan serve` as a process: its address, its signals, its refusals."""

import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from babelspan.cli.serve import command
from babelspan.readers import DEFAULT_FOLDER
from babelspan.service.server import Server

TEXT = "The lake lies in Siberia. " * 300


@pytest.fixture
def started():
    """A function that starts the verb at a free port; what is left of them is killed."""
    running = []

    def start(*options):
        process = subprocess.Popen(
            [sys.executable, "-m", "babelspan", "serve", "--port", "0", "--workers", "1", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in running:
        process.kill()
        process.communicate()


def asked(url, text, **more):
    body = {"question": "Where is the lake?", "texts": [{"text": text}], "within": 120} | more
    request = urllib.request.Request(
        f"{url}v1/answer", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)


def test_a_service_starts_answers_and_stops_when_told(started, tmp_path):
    reader = shutil.copytree(DEFAULT_FOLDER, tmp_path / "reader", copy_function=os.symlink)
    process, url = started("--reader", f"mine={reader}", "--feedback", str(tmp_path / "f.jsonl"))
    logs = followed(process)
    assert url.startswith("http://127.0.0.1:")
    first = asked(url, "The lake lies in Siberia.")
    assert (first["answers"][0]["answer"], first["reader"]["name"]) == ("Siberia", "mine")

    (reader / "reader.json").rename(tmp_path / "away")
    process.send_signal(signal.SIGHUP)  # the new one is broken: the old one answers on
    until(lambda: "reader stays" in events(logs))
    assert asked(url, "The lake lies in Siberia.") == first
    (tmp_path / "away").rename(reader / "reader.json")
    process.send_signal(signal.SIGHUP)
    until(lambda: "reader loaded" in events(logs))

    port = int(url.rstrip("/").rpartition(":")[2])
    half = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(500)]
    for sock in half:
        sock.sendall(b"POST /v1/answer HTTP/1.1\r\n")
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(asked(url, TEXT)["complete"]))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    until(lambda: waiting(url) >= 3 or len(found) == 3)
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(120)
    for sock in half:
        sock.close()
    assert process.wait(timeout=120) == 0
    assert found == [True] * 3
    until(lambda: sum(line.get("route") == "/v1/answer" for line in logs) == 5)


def followed(process):
    """The lines of its log, as they come."""
    lines = []

    def follow():
        for line in process.stderr:
            lines.append(json.loads(line))

    threading.Thread(target=follow, daemon=True).start()
    return lines


def events(logs):
    return [line["event"] for line in logs]


def until(true, seconds=120):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.05)


def metrics(url):
    with urllib.request.urlopen(f"{url}metrics", timeout=60) as response:
        return response.read().decode()


def waiting(url):
    (line,) = (x for x in metrics(url).splitlines() if x.startswith("babelspan_queue_windows{"))
    return float(line.split()[-1])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--host", "0.0.0.0"], "expected --token-file FILE"),
        (["--reader", "no-such/folder-here/x"], "no-such/folder-here/x"),
        (["--reader", "a=default", "--reader", "a=other"], "'a' is taken by 'default'"),
        (["--token-file", os.devnull], "expected a token of 16 or more visible ASCII characters"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(started, options, why):
    process, url = started(*options)
    _, said = process.communicate(timeout=120)
    assert (url, process.returncode) == ("", 2)
    assert said.startswith("babelspan: ") and why in said and said.count("\n") == 1


def test_a_port_that_is_taken_is_said(started):
    _, url = started()
    port = url.rstrip("/").rpartition(":")[2]
    process, _ = started("--port", port)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert f"--port {port}: cannot listen there" in said and "choose another port" in said


def test_what_is_loaded_is_no_longer_searched_for_garbage(monkeypatch):
    apart = []

    def noted(server):
        apart.append(gc.get_freeze_count())
        server._service.close()

    monkeypatch.setattr(Server, "serve_until_told", noted)
    try:
        command(port=0, workers=1)
    finally:
        gc.unfreeze()
    assert apart[0] > 10_000
