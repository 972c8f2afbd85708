"""Run the commands that the pages show, and put what they print into the pages.

    python docs/_site/outputs.py                   # `make outputs`; about five minutes
    python docs/_site/outputs.py --check           # change nothing; exit code 1 if a page is stale
    python docs/_site/outputs.py --check --quick README.md

What is run, page by page, in an empty folder for each page:

* In a `console` block a line `$ …` is a command, and the lines up to the next are its output. In a
  `text` block that begins with `babelspan `, lines that begin so are the commands (as `make` shows
  them). Only `babelspan` and a few small commands are run, and `curl` once the page has a server.
  Where a page shows no output, none is put in.
* In a `python` block a comment under an expression is its value. `babelspan` and `qa`, the answerer
  of the default reader, are there. If the block is followed by the word "prints" and a `text`
  block, that one has its output. A block that ends in `serve_forever()` is a server.

A line `…` stands for lines that are left out; the line after it is found again by its first word.
With `--quick` the commands that answer many questions are not run.
"""

import argparse
import ast
import contextlib
import difflib
import io
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/tutorial/first-steps.md"]
PAGES += sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs/how-to").glob("*.md"))
RUN = {"babelspan", "cp", "mkdir", "printf"}
SLOW = {"data", "evaluate", "predict", "score", "translate"}
"""Verbs that `--quick` leaves out: they answer many questions, or need the output of one."""
LEFT_OUT = "…"
LONGEST = 100
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCORE = re.compile(r"\b\d+\.\d+%?|\b\d+%")
CLOSE = 0.06
"""Scores may differ by this much: an 8-bit reader depends on the processor."""


@dataclass
class Session:
    """The folder in which the commands of a page are run, and its server."""

    folder: Path
    quick: bool
    server: "subprocess.Popen[bytes] | None" = None
    port: str = ""
    free_port: str = ""

    def __post_init__(self) -> None:
        data = os.environ.get("BABELSPAN_DATA")
        for name in ("squad", "xquad") if data else ():
            (self.folder / name).symlink_to(Path(data or "").resolve() / "qa" / name)

    @cached_property
    def names(self) -> dict[str, Any]:
        """What Python examples may name."""
        import babelspan

        return {"babelspan": babelspan, "qa": babelspan.load_answerer()}

    def runs(self, command: str) -> bool:
        """Whether a command is one of those that are run."""
        words = shlex.split(command, comments=True)
        if words[0] == "curl":
            return self.server is not None and shutil.which("curl") is not None
        if words[0] == "babelspan" and self.quick:
            return not SLOW & set(words[1:2])
        return words[0] in RUN

    def printed(self, command: str) -> list[str]:
        """The lines that a command prints."""
        if self.server is not None:
            command = command.replace(self.port, self.free_port)
        done = subprocess.run(
            ["bash", "-c", f'babelspan() {{ {sys.executable} -m babelspan "$@"; }}\n{command}'],
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "80"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if command.startswith("curl") else subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1, 3):  # 1: no answer; 3: faults in data
            raise SystemExit(f"{command}\nended with {done.returncode}:\n{done.stdout}")
        return done.stdout.rstrip().splitlines()

    def serve(self, program: str) -> None:
        """Start the server of a page on a free port, and wait until it listens."""
        self.port = re.findall(r'"127\.0\.0\.1", (\d+)', program)[0]
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            self.free_port = str(door.getsockname()[1])
        path = self.folder / "server.py"
        path.write_text(program.replace(self.port, self.free_port), encoding="utf-8")
        self.server = subprocess.Popen([sys.executable, path], stderr=subprocess.DEVNULL)
        while self.server.poll() is None:
            with contextlib.suppress(ConnectionError), socket.socket() as door:
                door.connect(("127.0.0.1", int(self.free_port)))
                return
            time.sleep(0.1)
        raise SystemExit("the server of the page ended before it listened")

    def close(self) -> None:
        """Stop the server."""
        if self.server is not None:
            self.server.terminate()
            self.server.wait()


def renewed(page: str, session: Session) -> str:
    """The page with what its commands print now."""
    parts, at, program = [], 0, ""
    for block in BLOCK.finditer(page):
        language, body = block.groups()
        before = page[at : block.start()]
        if language == "console":
            body = "".join(_console(body, session, prompt="$ "))
        elif language == "text" and body.startswith("babelspan "):
            body = "".join(_console(body, session, prompt="babelspan "))
        elif language == "text" and program and before.strip() == "prints":
            body = "\n".join(said_by(program, session.names)) + "\n"
        elif language == "python" and "serve_forever()" in body:
            session.serve(body)
        elif language == "python":
            body = valued(body, session)
        program = body if language == "python" else ""
        parts += [before, f"```{language}\n{body}```"]
        at = block.end()
    return "".join([*parts, page[at:]])


def _console(body: str, session: Session, *, prompt: str) -> Iterator[str]:
    for command, shown in commands(body.splitlines(), prompt):
        yield from (f"{line}\n" for line in command)
        text = "\n".join(command)
        text = text.removeprefix(prompt) if prompt == "$ " else text
        if session.runs(text):
            printed = session.printed(text)
            shown = abridged(shown, printed) if shown else []
        yield from (f"{line}\n" for line in shown)


def commands(lines: list[str], prompt: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each command of a block, over several lines perhaps, with the output that is shown."""
    at = 0
    while at < len(lines):
        command = [lines[at]]
        at += 1
        while not _is_whole("\n".join(command)):
            command.append(lines[at])
            at += 1
        end = at
        while end < len(lines) and not lines[end].startswith(prompt):
            end += 1
        yield command, lines[at:end]
        at = end


def _is_whole(command: str) -> bool:
    if command.endswith("\\"):
        return False
    try:
        shlex.split(command.removeprefix("$ "), comments=True)
    except ValueError:  # an open quotation mark
        return False
    return True


def abridged(shown: list[str], printed: list[str]) -> list[str]:
    """What is printed, with lines left out where the page leaves lines out."""
    short = [_shortened(line) for line in printed]
    if not any(line.strip() == LEFT_OUT for line in shown):
        return short
    result: list[str] = []
    at, is_gap = 0, False
    for line in shown:
        if line.strip() == LEFT_OUT:
            result.append(line)
            is_gap = True
            continue
        if is_gap:
            at = _again(line, short, at)
        result += short[at : at + 1]
        at, is_gap = at + 1, False
    return result if is_gap or at >= len(short) else [*result, LEFT_OUT]


def _again(line: str, lines: list[str], start: int) -> int:
    """The number of the next line that begins with the same word."""
    word = line.split()[0]
    for number in range(start, len(lines)):
        if lines[number].split()[:1] == [word]:
            return number
    raise SystemExit(f"no line begins with {word!r} any more; mend the page by hand:\n{line}")


def _shortened(line: str) -> str:
    """A line of at most 100 characters; signatures are cut between their parts."""
    if len(line) <= LONGEST:
        return line
    cut = line.rfind("|", 0, LONGEST)
    return (line[: cut + 1] if cut > 0 else line[: LONGEST - 1]) + LEFT_OUT


def valued(program: str, session: Session) -> str:
    """A program with the values of the expressions that have a comment under them."""
    lines = program.splitlines()
    for node in ast.parse(program).body:
        under = lines[node.end_lineno] if (node.end_lineno or 0) < len(lines) else ""
        if isinstance(node, ast.Expr) and under.startswith("# "):
            value = eval(ast.unparse(node), dict(session.names))
            lines[node.end_lineno or 0] = f"# {value!r}"
    return "\n".join(lines) + "\n"


def said_by(program: str, names: dict[str, Any]) -> list[str]:
    """What a program prints."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(program, dict(names))
    return said.getvalue().rstrip().splitlines()


def differences(old: str, new: str) -> list[tuple[str, str]]:
    """The lines that differ, but for scores that are close."""
    one, other = old.splitlines(), new.splitlines()
    found: list[tuple[str, str]] = []
    match = difflib.SequenceMatcher(a=_blanked(one), b=_blanked(other), autojunk=False)
    for _, *ends in match.get_opcodes():
        pairs = zip_longest(one[ends[0] : ends[1]], other[ends[2] : ends[3]], fillvalue="(no line)")
        found += [pair for pair in pairs if not alike(*pair)]
    return found


def alike(one: str, other: str) -> bool:
    """Whether two lines are the same but for scores that are close, and for spaces."""
    if _blanked([one]) != _blanked([other]):
        return False
    scores = [[_number(s) for s in SCORE.findall(line)] for line in (one, other)]
    return all(abs(a - b) <= CLOSE for a, b in zip(*scores, strict=True))


def _blanked(lines: list[str]) -> list[str]:
    return [" ".join(SCORE.sub("#", line).split()) for line in lines]


def _number(score: str) -> float:
    """A share of 1: figures above 1 are in percent."""
    value = float(score.rstrip("%"))
    return value / 100 if score.endswith("%") or value > 1 else value


def stale(name: str, *, quick: bool) -> list[tuple[str, str]]:
    """The lines of a page that the commands no longer print, with those that they print."""
    old = (ROOT / name).read_text("utf-8")
    return differences(old, run(old, quick=quick))


def run(page: str, *, quick: bool) -> str:
    """The page with what its commands print now, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder), quick)
        try:
            return renewed(page, session)
        finally:
            session.close()


def main() -> int:
    """Renew or check the pages that are named, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pages", nargs="*", default=PAGES)
    parser.add_argument("--check", action="store_true", help="change nothing; say what differs")
    parser.add_argument("--quick", action="store_true", help="leave out what takes long")
    given = parser.parse_args()
    is_stale = False
    for name in given.pages:
        old = (ROOT / name).read_text("utf-8")
        new = run(old, quick=given.quick)
        for shown, printed in differences(old, new):
            is_stale = True
            print(f"{name}\n- {shown}\n+ {printed}")
        if not given.check and new != old:
            (ROOT / name).write_text(new, encoding="utf-8")
            print(f"wrote {name}")
    return int(is_stale and given.check)


if __name__ == "__main__":
    sys.exit(main())
