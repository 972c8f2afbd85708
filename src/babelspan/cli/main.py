"""The command line: verbs put together, errors told in one line.

Exit codes: 0 done, 1 our mistake, 2 the user's, 3 `data check` found faults, 130 interrupted.
"""

import io
import os
import sys
import traceback
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from babelspan.cli import (
    ask,
    compare,
    convert,
    data,
    evaluate,
    export,
    predict,
    reproduce,
    samples,
    score,
    train,
    translate,
)
from babelspan.types import ConfigError, DataError, TranslationError
from babelspan.version import VERSION

app = typer.Typer(
    name="babelspan",
    help="Question answering across languages: the answer is a span of your text.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
VERBS = (
    ask,
    score,
    train,
    predict,
    evaluate,
    compare,
    reproduce,
    export,
    samples,
    translate,
    convert,
)
for verb in VERBS:
    app.command(verb.__name__.rpartition(".")[2])(verb.command)
app.add_typer(data.app, name="data")

DEBUG = "--debug"

_EXTRAS = {"ray": "cluster", "sentencex": "translate"}
"""Libraries that verbs import where they need them, and the extra that installs each."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"babelspan {VERSION}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    debug: bool = typer.Option(False, DEBUG, help="Show the traceback of an error."),
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    arguments = [a for a in sys.argv[1:] if a != DEBUG]
    try:
        code = app(args=arguments, standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        print("babelspan: interrupted", file=sys.stderr)
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if DEBUG in sys.argv:
            traceback.print_exc()
        code = _tell(error)
    sys.exit(code if isinstance(code, int) else 0)


def _tell(error: Exception) -> int:
    """Print an error in one line; its exit code."""
    if isinstance(error, TyperException):
        if message := error.format_message():
            print(f"babelspan: {_line(message)}; see --help", file=sys.stderr)
        return error.exit_code
    if isinstance(error, DataError | ConfigError | TranslationError):
        print(f"babelspan: {_line(str(error))}", file=sys.stderr)
        return 2
    if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
        extra = _EXTRAS[error.name]
        print(
            f"babelspan: this takes {error.name}, which is not installed: "
            f'pip install "babelspan[{extra}]"',
            file=sys.stderr,
        )
        return 2
    if isinstance(error, OSError) and error.errno is not None:
        where = "" if error.filename is None else f"{error.filename}: "
        print(f"babelspan: {where}{error.strerror}", file=sys.stderr)
        return 2
    print(
        f"babelspan: a fault of ours: {type(error).__name__}: {_line(str(error))}; "
        f"run again with {DEBUG} and report it",
        file=sys.stderr,
    )
    return 1


def _line(message: str) -> str:
    return " ".join(message.split()).rstrip(".")
