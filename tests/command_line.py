"""`babelspan` as a person runs it: in this process, which is soon done, or in one of its own.

Each verb has tests of both kinds. A process of its own shows what is printed past Python's streams,
and that nothing of what this process has imported or changed is needed.
"""

import io
import subprocess
import sys

import pytest

from babelspan.cli import main


def program(*words, text=""):
    """Run a command in a process of its own; arguments and result as of `run`."""
    return subprocess.run(
        [sys.executable, "-m", "babelspan", *map(str, words)],
        input=text.encode("utf-8", "surrogatepass"),
        capture_output=True,
        check=False,
    )


def run(*words, text=""):
    """Run a command in this process.

    Args:
        words: the verb, its arguments and options; anything that `str` takes.
        text: standard input; single surrogates stand for bytes.

    Returns:
        As `subprocess.run` does; `stdout` and `stderr` are bytes.
    """
    given = io.BytesIO(text.encode("utf-8", "surrogatepass"))
    written, told = io.BytesIO(), io.BytesIO()
    command = ["babelspan", *map(str, words)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", command)
        for name, stream in (("stdin", given), ("stdout", written), ("stderr", told)):
            patch.setattr(sys, name, io.TextIOWrapper(stream, encoding="utf-8"))
        with pytest.raises(SystemExit) as left:
            main.main()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            stream.detach()  # else it closes what is read here
    code, printed = left.value.code, (written.getvalue(), told.getvalue())
    return subprocess.CompletedProcess(command, code, *printed)
