"""Apertium: rule-based machine translation with the packages of a Linux distribution, offline.

`apertium[:DIRECTION]`, where the direction is an installed mode (`eng-spa`) or a chain of modes
(`eng-spa-cat`); without one, the shortest chain is found for each language pair. On Debian:
`apt-get install apertium apertium-eng-spa`.

The programs of a mode keep running, connected by pipes, and flush at each NUL character, which ends
a text (`-z`, <https://wiki.apertium.org/wiki/NUL_flush>). Each text starts with a blank that
contains its number and ends with an empty blank, so that output cannot be mistaken for the
translation of another text.
"""

import contextlib
import hashlib
import os
import re
import selectors
import shlex
import shutil
import subprocess
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path
from typing import IO, Self

from babelspan.config import nearest
from babelspan.text.iso639 import names_of
from babelspan.translators.apertium.stream import decode, encode
from babelspan.types import ConfigError, TranslationError

_PROGRAMS = ("apertium", "apertium-wblank-mode", "lt-proc")
_SILENCE = 120.0
"""Seconds without output after which the programs are assumed to hang."""


def translator(argument: str) -> "Apertium":
    """Create the translator for a direction, or for all installed modes if `argument` is empty.

    Raises:
        ConfigError: if Apertium or the direction is not installed.
    """
    return Apertium(argument)


class Apertium:
    """Runs Apertium's programs and keeps them running; concurrent calls wait for each other.

    Args:
        direction: an installed mode or a chain of modes; "" to choose by language pair.
        data: the folder with `modes/`; by default that of the program `apertium`.

    Raises:
        ConfigError: if a program or a mode is missing.
    """

    def __init__(self, direction: str = "", *, data: Path | None = None) -> None:
        missing = [name for name in _PROGRAMS if shutil.which(name) is None]
        if missing:
            raise ConfigError(
                f"apertium: the program {missing[0]} is not installed (Apertium 3.8 or later); on "
                "Debian: apt-get install apertium apertium-eng-spa"
            )
        self._modes = installed(
            data or Path(os.environ.get("APERTIUM_DATADIR", "/usr/share/apertium"))
        )
        self._given = links(direction, self._modes) if direction else ()
        self._pipelines: dict[tuple[str, ...], _Pipeline] = {}
        self._lock = threading.Lock()

    @cached_property
    def identity(self) -> str:
        """Versions of the programs, the modes, and a checksum of their data."""
        modes = self._given or tuple(sorted(self._modes))
        digest = hashlib.sha256()
        for word in (w for mode in modes for stage in stages(self._modes[mode]) for w in stage):
            digest.update(word.encode())
            if Path(word).is_file():
                digest.update(Path(word).read_bytes())
        versions = (_said("apertium", "-V"), _said("lt-proc", "-v"))
        return "; ".join([*versions, " ".join(modes), digest.hexdigest()[:16]])

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """Translate as in `babelspan.seams.Translator`; unknown words are kept.

        An element whose words are separated is returned as several elements. An element without
        translation, such as an English auxiliary, is dropped.

        Raises:
            ConfigError: if no chain of installed modes leads from `source` to `target`.
            TranslationError: if a program fails twice; the message contains its error output.
        """
        modes = self._chain(source, target)
        encoded = [encode(text, tags) for text in texts]
        with self._lock:
            if modes not in self._pipelines:
                self._pipelines[modes] = _Pipeline(modes, [self._modes[mode] for mode in modes])
            came = self._pipelines[modes].translate([text.stream for text in encoded])
        return [decode(*both) for both in zip(came, encoded, strict=True)]

    def _chain(self, source: str, target: str) -> tuple[str, ...]:
        if not self._given:
            return shortest(self._modes, source, target)
        if _same(_ends(self._given[0])[0], source) and _same(_ends(self._given[-1])[1], target):
            return self._given
        raise ConfigError(
            f"apertium:{'-'.join(self._given)} does not translate from {source!r} to {target!r}; "
            "leave the direction out to have one chosen"
        )

    def close(self) -> None:
        """Stop the programs; the next text starts them again."""
        with self._lock:
            for pipeline in self._pipelines.values():
                pipeline.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def installed(data: Path) -> dict[str, Path]:
    """The files of the installed translation modes, by name, such as `eng-spa`."""
    return {
        file.stem: file for file in (data / "modes").glob("*.mode") if file.stem.count("-") == 1
    }


def links(direction: str, modes: Iterable[str]) -> tuple[str, ...]:
    """The modes of a chain, such as `eng-spa` and `spa-cat` for `eng-spa-cat`.

    Raises:
        ConfigError: if one of them is not installed.
    """
    codes = direction.split("-")
    found = tuple(f"{a}-{b}" for a, b in pairwise(codes)) or (direction,)
    for mode in found:
        if mode not in modes:
            raise ConfigError(
                f"apertium: {mode!r} is not installed{nearest(mode, sorted(modes))}; "
                f"on Debian: apt-get install apertium-{mode}"
            )
    return found


def shortest(modes: Iterable[str], source: str, target: str) -> tuple[str, ...]:
    """The shortest chain of modes between two languages; ties in alphabetical order.

    Args:
        modes: the installed modes.
        source: ISO 639-1 code.
        target: ISO 639-1 code.

    Raises:
        ConfigError: if there is none.
    """
    ordered = sorted(modes)
    chains: deque[tuple[str, ...]] = deque(
        (mode,) for mode in ordered if _same(_ends(mode)[0], source)
    )
    seen = set()
    while chains:
        chain = chains.popleft()
        end = _ends(chain[-1])[1]
        if _same(end, target):
            return chain
        if end not in seen:
            seen.add(end)
            chains += [(*chain, mode) for mode in ordered if _same(_ends(mode)[0], end)]
    raise ConfigError(
        f"apertium: no installed pairs translate from {source!r} to {target!r}; installed: "
        f"{_listed(ordered)}; to find more on Debian: apt-cache search ^apertium-"
    )


def stages(mode: Path) -> list[list[str]]:
    """The commands of a mode, with options to flush at NUL, keep word-bound blanks and hide marks.

    Raises:
        ConfigError: if Apertium cannot read the file.
    """
    done = subprocess.run(
        ["apertium-wblank-mode", "-z", str(mode)], capture_output=True, text=True, check=False
    )
    if done.returncode or not done.stdout.strip():
        raise ConfigError(f"{mode}: Apertium cannot read this mode: {done.stderr.strip()}")
    words = shlex.shlex(done.stdout, posix=True, punctuation_chars="|")
    words.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            commands.append([])
        elif word != "$2":  # an option of the tagger that shows all candidates
            commands[-1].append("-n" if word == "$1" else word)
    return commands


class _Pipeline:
    """The programs of a chain of modes, in parts, started on demand."""

    def __init__(self, modes: tuple[str, ...], files: list[Path]) -> None:
        self._name = f"apertium:{'-'.join(modes)}"
        self._parts: list[_Programs] = []
        commands = [command for file in files for command in stages(file)]
        for tags, group in groupby(commands, lambda c: "-g" in c and c[0].endswith("-tagger")):
            self._parts.append((_Tagger if tags else _Programs)(self._name, list(group)))
        self._sent = 0

    def translate(self, streams: list[str]) -> list[str]:
        """Send texts through the programs; if they fail, restart them once."""
        try:
            return self._exchange(streams)
        except TranslationError:
            return self._exchange(streams)

    def stop(self) -> None:
        for part in self._parts:
            part.stop()

    def _exchange(self, streams: list[str]) -> list[str]:
        numbers = [f"[#{self._sent + i}]" for i in range(len(streams))]
        self._sent += len(streams)
        came = [number + text for number, text in zip(numbers, streams, strict=True)]
        try:
            for part in self._parts:
                came = part.exchange(came)
            for number, text, sent in zip(numbers, came, streams, strict=True):
                if not (text.startswith(number) and text.endswith("[]")):
                    raise TranslationError(f"{self._name}: sent {sent[:99]!r}, got {text[:99]!r}")
        except BaseException:  # data left in the pipes must not reach later texts
            self.stop()
            raise
        return [text.removeprefix(number) for number, text in zip(numbers, came, strict=True)]


class _Programs:
    """Programs connected by pipes; they are started by the first text."""

    def __init__(self, name: str, commands: list[list[str]]) -> None:
        self._name = name
        self._commands = commands
        self._processes: list[subprocess.Popen[bytes]] = []

    def exchange(self, texts: list[str]) -> list[str]:
        """Send texts through the programs; returns one output per text, in order.

        Raises:
            ConfigError: if a program is not installed.
            TranslationError: if a program ends, or there is no output for too long.
        """
        if not self._processes:
            self._start()
        data = "".join(f"{text}\0" for text in texts).encode()
        return self._flow(data, len(texts)).decode("utf-8", errors="replace").split("\0")[:-1]

    def stop(self) -> None:
        if self._processes:
            self._end()
            self._processes = []

    def _start(self) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        self._end = weakref.finalize(self, _end, self._processes, self._complaints)
        before = None
        for command in self._commands:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=before or subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._complaints,
                    env={**os.environ, "LC_ALL": "C.UTF-8"},
                )
            except FileNotFoundError:
                raise ConfigError(
                    f"{self._name}: found no program {command[0]}; on Debian: apt-get install "
                    "apertium lttoolbox apertium-lex-tools cg3"
                ) from None
            self._processes.append(process)
            if before:
                before.close()  # only the new process keeps it, so that its end ends the previous
            before = process.stdout

    def _flow(self, data: bytes, count: int) -> bytearray:
        """Write `data` and read until `count` NULs have come, as far as the pipes allow."""
        first, last = self._processes[0].stdin, self._processes[-1].stdout
        assert first is not None
        assert last is not None
        os.set_blocking(first.fileno(), False)
        left = memoryview(data)
        came = bytearray()
        complete = 0
        with selectors.DefaultSelector() as either:
            either.register(first, selectors.EVENT_WRITE)
            either.register(last, selectors.EVENT_READ)
            while complete < count:
                ready = [key.fileobj for key, _ in either.select(_SILENCE)]
                if not ready:
                    raise self._failure(f"no output for {_SILENCE:g} seconds")
                if last in ready:
                    part = os.read(last.fileno(), 1 << 16)
                    if not part:
                        raise self._failure("a program stopped")
                    came += part
                    complete += part.count(b"\0")
                if first in ready:
                    left = left[_write(first, left) :]
                    if not left:
                        either.unregister(first)
        return came

    def _failure(self, what: str) -> TranslationError:
        """An error with what happened, which programs ended, and the end of their error output."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._processes[-1].wait(1)
        ended = [
            f"{command[0]} ended with {process.poll()}"
            for command, process in zip(self._commands, self._processes, strict=True)
            if process.poll() is not None
        ]
        said = self._said().decode("utf-8", errors="replace").strip()[-500:]
        return TranslationError("; ".join([f"{self._name}: {what}", *ended, said]))

    def _said(self) -> bytes:
        """The error output of the programs."""
        handle = self._complaints.fileno()
        return os.pread(handle, os.fstat(handle).st_size, 0)  # does not move the file offset


class _Tagger(_Programs):
    """A part-of-speech tagger whose output does not depend on earlier texts.

    After a word with an ambiguity class that it was not trained on, Apertium's hidden Markov tagger
    (3.8.3) treats all later unknown words differently (`find_similar_ambiguity_class` assigns to
    the tagger's own set), so a translation would depend on earlier texts. With `-d` it reports
    this, and is then restarted.
    """

    def __init__(self, name: str, commands: list[list[str]]) -> None:
        super().__init__(name, [[program, "-d", *rest] for program, *rest in commands])

    def exchange(self, texts: list[str]) -> list[str]:
        came = []
        for text in texts:
            came += super().exchange([text])
            if self._said():
                self.stop()
        return came


def _write(pipe: IO[bytes], data: memoryview) -> int:
    """Write to a pipe; returns the number of bytes written, or all if the reader has gone."""
    try:
        return os.write(pipe.fileno(), data[: 1 << 16])
    except BlockingIOError:
        return 0
    except BrokenPipeError:  # the end of the output, which follows, is reported instead
        return len(data)


def _end(processes: list[subprocess.Popen[bytes]], complaints: IO[bytes]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
    complaints.close()


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def _ends(mode: str) -> tuple[str, str]:
    source, target = mode.split("-")
    return source, target


def _same(code: str, other: str) -> bool:
    """Whether two codes (ISO 639-1 or -3, with or without variant) denote the same language."""
    code, other = re.split("[-_]", code)[0], re.split("[-_]", other)[0]
    return code in names_of(other) or other in names_of(code)


def _listed(modes: Iterable[str]) -> str:
    return ", ".join(sorted(modes)) or "none"
