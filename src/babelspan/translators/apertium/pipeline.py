"""Apertium: rule-based translation by the programs of a Linux distribution, offline.

`apertium[:DIRECTION]`, where the direction is an installed mode (`eng-spa`) or a chain of them
(`eng-spa-cat`); without one it is found for each pair of languages, the shortest chain first. On
Debian: `apt-get install apertium apertium-eng-spa`.

The programs of a mode stay up, joined by pipes, and flush at each NUL character, which ends a text
(`-z`, <https://wiki.apertium.org/wiki/NUL_flush>). Each text starts with a blank that holds its
number and ends with an empty one, so that nothing is taken for its translation that is not.
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
"""Seconds without a byte after which the programs are taken to hang."""


def translator(argument: str) -> "Apertium":
    """The translator of a direction, or of all that is installed when `argument` is empty.

    Raises:
        ConfigError: if Apertium or the direction is not installed.
    """
    return Apertium(argument)


class Apertium:
    """Apertium's programs, kept running; calls from several threads wait for each other.

    Args:
        direction: an installed mode or a chain of modes; "" to choose by the languages.
        data: the folder that holds `modes/`; by default the one of the program `apertium`.

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
        """Versions of the programs, the modes, and a checksum of the data they read."""
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
        """Translations as `babelspan.seams.Translator` has them; unknown words stay as they are.

        An element whose words come apart comes back as several, and one whose words all vanish,
        such as an English auxiliary, does not come back.

        Raises:
            ConfigError: if no chain of installed modes leads from `source` to `target`.
            TranslationError: if a program fails twice, with what it said.
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
        """End the programs; the next text starts them again."""
        with self._lock:
            for pipeline in self._pipelines.values():
                pipeline.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def installed(data: Path) -> dict[str, Path]:
    """The files of the modes that translate, by name, such as `eng-spa`."""
    return {
        file.stem: file for file in (data / "modes").glob("*.mode") if file.stem.count("-") == 1
    }


def links(direction: str, modes: Iterable[str]) -> tuple[str, ...]:
    """The modes of a chain: `eng-spa` and `spa-cat` of `eng-spa-cat`.

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
    """The shortest chain of modes between two languages, the first in the alphabet among equals.

    Args:
        modes: what is installed.
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
    """The commands of a mode, made to flush at NUL, to keep word-bound blanks, and without marks.

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
        elif word != "$2":  # an option of the tagger, to show what it chose from
            commands[-1].append("-n" if word == "$1" else word)
    return commands


class _Pipeline:
    """The programs of a chain of modes, in parts, started when they are needed."""

    def __init__(self, modes: tuple[str, ...], files: list[Path]) -> None:
        self._name = f"apertium:{'-'.join(modes)}"
        self._parts: list[_Programs] = []
        commands = [command for file in files for command in stages(file)]
        for tags, group in groupby(commands, lambda c: "-g" in c and c[0].endswith("-tagger")):
            self._parts.append((_Tagger if tags else _Programs)(self._name, list(group)))
        self._sent = 0

    def translate(self, streams: list[str]) -> list[str]:
        """Texts through the programs, which are started again, once, if they fail."""
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
        except BaseException:  # what is under way in the pipes belongs to no later text
            self.stop()
            raise
        return [text.removeprefix(number) for number, text in zip(numbers, came, strict=True)]


class _Programs:
    """Programs joined by pipes; they are started by the first text."""

    def __init__(self, name: str, commands: list[list[str]]) -> None:
        self._name = name
        self._commands = commands
        self._processes: list[subprocess.Popen[bytes]] = []

    def exchange(self, texts: list[str]) -> list[str]:
        """Texts through the programs, in order and as many.

        Raises:
            ConfigError: if a program is not installed.
            TranslationError: if one ends, or nothing comes for too long.
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
                before.close()  # the new process alone has it, so that its end ends the one before
            before = process.stdout

    def _flow(self, data: bytes, count: int) -> bytearray:
        """Write `data` and read until `count` NULs came, each as far as the pipes let it."""
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
                    raise self._failure(f"nothing came for {_SILENCE:g} seconds")
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
        """What happened, which programs ended, and the last that any of them said."""
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
        """What the programs wrote to their standard error."""
        handle = self._complaints.fileno()
        return os.pread(handle, os.fstat(handle).st_size, 0)  # leaves their place where it is


class _Tagger(_Programs):
    """A part-of-speech tagger that has seen nothing before a text but that text.

    Apertium's hidden Markov tagger (3.8.3) takes a word with a set of tags that it was not
    trained on as a reason to change, from there on, what it takes unknown words to be
    (`find_similar_ambiguity_class` assigns to the tagger's own set), so that a translation would
    depend on all that came before it. With `-d` it says so, and is started anew.
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
    """How much of `data` is done with: what the pipe took, or all if nobody reads it any more."""
    try:
        return os.write(pipe.fileno(), data[: 1 << 16])
    except BlockingIOError:
        return 0
    except BrokenPipeError:  # the end of the output, which follows, says that the programs stopped
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
    """Whether two codes, of two letters or three, with a variant or without, mean one language."""
    code, other = re.split("[-_]", code)[0], re.split("[-_]", other)[0]
    return code in names_of(other) or other in names_of(code)


def _listed(modes: Iterable[str]) -> str:
    return ", ".join(sorted(modes)) or "none"
