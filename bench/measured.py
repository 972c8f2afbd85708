"""Shared code of the benchmarks: interleaved rounds, ratios with ranges, memory, machine, files.

Other programs may run on the same machine. So all contenders take turns within a round, ratios are
computed within a round, and every ratio is reported with its smallest and largest value. CPU time,
which is less affected, is reported besides wall-clock time.
"""

import gc
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from babelspan.data.files import write_json
from babelspan.version import VERSION

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench"
DATA = Path(os.environ.get("BABELSPAN_DATA") or ROOT.parent / "shared" / "data")

Row = Mapping[str, Any]


class Ratio(NamedTuple):
    """Median, minimum and maximum of the ratios of all rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """As in "2.1 (1.9 to 2.4)"."""
        digits = 1 if self.median >= 10 else 2
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def ratio(over: Sequence[float], under: Sequence[float]) -> Ratio:
    """`over` divided by `under`, round by round."""
    ratios = [a / b for a, b in zip(over, under, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


class Taken(float):
    """Wall-clock seconds of a call; `processor` has the CPU seconds of all its threads."""

    processor: float


def processor(taken: Sequence[Taken]) -> list[float]:
    """CPU seconds, which depend less on what else runs on the machine."""
    return [one.processor for one in taken]


def seconds(call: Callable[[], object]) -> Taken:
    """Time one call."""
    began, worked = time.perf_counter(), time.process_time()
    call()
    taken = Taken(time.perf_counter() - began)
    taken.processor = time.process_time() - worked
    return taken


def rounds(
    contenders: Mapping[str, Callable[[], object]], count: int = 5, *, warm: bool = True
) -> dict[str, list[Taken]]:
    """Seconds of each contender in each round; the order changes from round to round.

    Args:
        contenders: calls by name.
        count: number of rounds.
        warm: whether to run a warm-up round first, which is not counted.
    """
    gc.collect()
    gc.freeze()  # exclude the benchmark's own objects from garbage collection
    names = list(contenders)
    found: dict[str, list[Taken]] = {name: [] for name in names}
    for number in range(-1 if warm else 0, count):
        for name in names if number % 2 == 0 else reversed(names):
            taken = seconds(contenders[name])
            if number >= 0:
                found[name].append(taken)
    return found


def peak_memory() -> float:
    """Peak resident memory of this process, in MiB.

    Read from /proc if possible, because `ru_maxrss` of a child starts with its parent's memory.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def child(script: str, *arguments: object, **settings: str) -> dict[str, Any]:
    """Run `script` in a separate process; returns the JSON that it prints as its last line.

    Args:
        script: path of a Python file.
        arguments: arguments of the script.
        settings: environment variables.
    """
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, **settings},
    )
    return json.loads(done.stdout.splitlines()[-1])


class Companion:
    """A process of `script` that answers each input line with a line of JSON."""

    def __init__(self, script: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, line: object) -> dict[str, Any]:
        """Send a line, and return the answer."""
        assert self._process.stdin and self._process.stdout
        print(line, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Close its input, and wait for its end."""
        self._process.communicate()


def serve(answer: Callable[[str], dict[str, Any]]) -> None:
    """The other end of a `Companion`; output of `answer` goes to standard error."""
    for line in sys.stdin:
        with redirect_stdout(sys.stderr):
            found = answer(line.strip())
        print(json.dumps(found), flush=True)


def with_packages(*packages: str) -> None:
    """Restart the running script in an environment with `packages`, unless it already runs there.

    The environment is in build/bench and extends the current one, so that both sides share one
    process, one tokenizer and one PyTorch.

    Args:
        packages: packages with versions, such as "datasets==5.2.0".
    """
    folder = OUT / "environments" / "-".join(packages)
    python = folder / "bin" / "python"
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    if not (folder / "complete").exists():
        venv.create(folder, clear=True)
        places = {"base": str(folder), "platbase": str(folder)}
        site = Path(sysconfig.get_path("purelib", scheme="venv", vars=places))
        below = sysconfig.get_path("purelib")
        (site / "below.pth").write_text(f"import site; site.addsitedir({below!r})\n")
        pip = [sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet"]
        subprocess.run([*pip, *packages], check=True)
        (folder / "complete").touch()
    os.execv(python, [str(python), *sys.argv])


def report(name: str, rows: Sequence[Row], *, libraries: Sequence[str], **facts: Any) -> None:
    """Print rows as a table, and write them with machine, versions and facts as JSON.

    Args:
        name: name of the benchmark; the file is build/bench/NAME.json.
        rows: rows with the same keys, which are the column headings.
        libraries: libraries whose versions are recorded.
        facts: other conditions of the results, such as the seed, and raw times.
    """
    about = {
        "benchmark": name,
        "date": date.today().isoformat(),
        "machine": _machine(),
        "versions": {
            "babelspan": VERSION,
            "python": platform.python_version(),
            **{library: importlib.metadata.version(library) for library in libraries},
        },
        **facts,
    }
    versions = ", ".join(f"{library} {version}" for library, version in about["versions"].items())
    print(f"\n{name}: {about['machine']}; {versions}; seed {about.get('seed', 'none')}\n")
    print(table(rows))
    write_json(OUT / f"{name}.json", {**about, "rows": [_plain(row) for row in rows]})


def table(rows: Sequence[Row]) -> str:
    """Format rows as a Markdown table; numbers with three significant digits."""
    cells = [list(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(row: Row) -> dict[str, Any]:
    return {k: v._asdict() if isinstance(v, Ratio) else v for k, v in row.items()}


def _machine() -> str:
    """CPU, number of cores, operating system."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        models = [x.partition(":")[2].strip() for x in lines if x.startswith("model name")]
        processor = models[0] if models else processor
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}"
