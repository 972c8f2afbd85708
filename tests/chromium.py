"""A real browser for tests, spoken to in its DevTools protocol over a pipe."""

import json
import os
import select
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--lang=en",
    "--remote-debugging-pipe",
)


def binary():
    """The browser of this machine, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser with one page; `complaints` and `requests` are those since the last `open`."""

    def __init__(self, profile):
        commands, self._commands = os.pipe()
        self._replies, replies = os.pipe()
        flags = [*FLAGS, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            # the browser reads its descriptor 3 and writes to 4, whatever ours are
            ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{replies}', "bash", binary(), *flags],
            pass_fds=(commands, replies),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(replies)
        self._read, self._count, self._events = b"", 0, []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, url, *, width=1280, height=900):
        """Load a page, anew, in a window of so many pixels."""
        self._load("about:blank")  # else another place in the same page would not load it
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", **metrics)
        self._load(url)

    def run(self, script):
        """The value of a script in the page."""
        done = self._call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    @property
    def complaints(self):
        """Errors of scripts, and what the browser wrote on its console."""
        names = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [event for name in names for event in self._named(name)]

    @property
    def requests(self):
        """Addresses that were asked for."""
        sent = self._named("Network.requestWillBeSent")
        return [event["request"]["url"] for event in sent]

    def close(self):
        """End the browser."""
        self._call("Browser.close")
        self._process.wait(timeout=30)
        os.close(self._commands)
        os.close(self._replies)

    def _load(self, url):
        self._events.clear()
        self._call("Page.navigate", url=url)
        while not self._named("Page.loadEventFired"):
            self._events.append(self._receive())

    def _named(self, name):
        return [event["params"] for event in self._events if event.get("method") == name]

    def _call(self, method, **params):
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if not method.startswith(("Browser.", "Target.")):
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (reply := self._receive()).get("id") != self._count:
            self._events.append(reply)
        assert "error" not in reply, f"{method}: {reply['error']}"
        return reply["result"]

    def _receive(self):
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._replies], [], [], 60)
            assert ready, "the browser has been silent for a minute"
            found = os.read(self._replies, 1 << 16)
            assert found, "the browser has ended"
            self._read += found
        message, _, self._read = self._read.partition(b"\0")
        return json.loads(message)
