"""The command line: all commands, and error messages in one line.

Exit codes: 0 done, 1 `ask` found no answer, 2 an error of the user, 3 a check found faults,
70 a bug in Babelspan (EX_SOFTWARE in sysexits.h), 130 interrupted.
"""

import errno
import io
import os
import re
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from babelspan.cli import (
    align,
    ask,
    calibrate,
    compare,
    convert,
    data,
    evaluate,
    evaluate_retrieval,
    export,
    extend_vocabulary,
    generate,
    index,
    new,
    predict,
    reproduce,
    samples,
    score,
    serve,
    train,
    translate,
)
from babelspan.cli.interrupts import was_interrupted
from babelspan.cli.shown import one_line
from babelspan.types import ConfigError, DataError, TranslationError
from babelspan.version import VERSION, how_to_install

app = typer.Typer(
    name="babelspan",
    help="Question answering across languages: the answer is a span of your text.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_BOUNDS = {
    "greater_than_equal": ("ge", "{:g} or more"),
    "less_than_equal": ("le", "{:g} or less"),
    "greater_than": ("gt", "more than {:g}"),
    "less_than": ("lt", "less than {:g}"),
}
"""Pydantic's kinds of errors about bounds: the key of the bound, and plain words."""
_TYPES = {"int_parsing": "a whole number", "float_parsing": "a number"}
"""The same for types."""

VERBS = {
    ask: "Answer a question from your texts.",
    index: "Make a folder of documents searchable, for `ask --in`.",
    serve: "Answer questions over HTTP, and show a page.",
    score: "Score predictions: exact match and F1.",
    train: "Train a reader with a method and a recipe.",
    predict: "Answer the questions of a data set and write a file.",
    evaluate: "Measure a reader on every pair of languages.",
    evaluate_retrieval: "Measure how often the right passage is found.",
    calibrate: "Turn a reader's scores into probabilities.",
    compare: "Test whether one system is better than another.",
    reproduce: "Train and measure the rows of a paper's table.",
    export: "Export a reader to run without PyTorch.",
    new: "Make an untrained reader from word vectors.",
    extend_vocabulary: "Give an encoder a vocabulary for more languages.",
    samples: "Write sample texts and questions in 8 languages.",
    translate: "Translate a labelled data set, with its answers.",
    generate: "Write questions about texts, as training data.",
    convert: "Convert a translation model to CTranslate2.",
    align: "Link the words of sentence pairs.",
}
"""Each command and its line in `babelspan --help`."""
for verb, line in VERBS.items():
    name = verb.__name__.rpartition(".")[2].replace("_", "-")
    app.command(name, short_help=line)(verb.command)
app.add_typer(data.app, name="data")

DEBUG = "--debug"
BUG = 70
INTERRUPTED = 130

_EXTRAS = {
    "mwparserfromhell": "wikipedia",
    "opensearchpy": "opensearch",
    "prometheus_client": "serve",
    "py3langid": "index",
    "pypdfium2": "index",
    "ray": "cluster",
    "sentencex": "translate",
    "starlette": "serve",
    "tantivy": "index",
    "torch": "train",
    "transformers": "train",
    "uvicorn": "serve",
}
"""Optional libraries, and the extra that installs each."""


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
    _open_streams()
    words = sys.argv[1:]
    options = words.index("--") if "--" in words else len(words)
    arguments = [word for i, word in enumerate(words) if word != DEBUG or i >= options]
    try:
        code = app(args=arguments, standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        code = _after_the_pipe_closed(error)
    except Exception as error:
        if DEBUG in words[:options]:
            traceback.print_exc()
        code = INTERRUPTED if was_interrupted(error) else _tell(error)
    if code == INTERRUPTED:  # typer also returns this code for a KeyboardInterrupt
        print("babelspan: interrupted", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _open_streams() -> None:
    """Make output UTF-8, and replace closed streams (`>&-`) by the null device."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _after_the_pipe_closed(error: BaseException) -> int:
    """Return exit code 0 if the output pipe was closed; typer and rich would exit with 1."""
    cause = error if isinstance(error, OSError) else error.__context__
    if not (isinstance(cause, OSError) and cause.errno == errno.EPIPE):
        raise error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return 0


def _tell(error: Exception) -> int:
    """Print an error in one line and return its exit code."""
    if isinstance(error, typer.Abort) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # typer turns an EOFError into an Abort
    if isinstance(error, TyperException):
        if said := _of_option(error, error.format_message()):
            print(f"babelspan: {_line(said)}; see --help", file=sys.stderr)
        return error.exit_code
    message = _expected(error)
    if message is not None:
        print(f"babelspan: {_line(message)}", file=sys.stderr)
        return 2
    print(
        f"babelspan: this is a bug in Babelspan: {type(error).__name__}: {_line(str(error))}; run "
        f"the command again with {DEBUG} and report it",
        file=sys.stderr,
    )
    return BUG


def _of_option(error: Exception, said: str) -> str:
    """Return what typer says in plain words, if an option does not take a value; else as it is."""
    from pydantic import ValidationError

    cause = error.__cause__
    name = re.match(r"Invalid value for '([^']+)'", said)
    if name is None or not isinstance(cause, ValidationError):
        return said
    details = cause.errors()[0]
    kind, bounds = details["type"], details.get("ctx", {})
    choices = re.search(r" is not one of (.+?)\.?$", details["msg"])
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        wanted = words.format(bounds[bound])
    elif choices:
        wanted = "one of " + choices[1].replace("'", "")
    else:
        wanted = _TYPES.get(kind, details["msg"].removeprefix("Input should be "))
    return f"{name[1]}: expected {wanted}, found {details['input']!r}"


def _expected(error: Exception) -> str | None:
    """Return the message of an error that the user can fix; None if it is a bug in Babelspan."""
    if isinstance(error, DataError | ConfigError | TranslationError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
        command = how_to_install(_EXTRAS[error.name])
        return f"this needs {error.name}, which is not installed: {command}"
    if isinstance(error, MemoryError):
        return "not enough memory; use smaller or fewer files, or a machine with more"
    if isinstance(error, OSError) and error.errno is not None:
        where = "" if error.filename is None else f"{error.filename}: "
        return f"{where}{_a_file_in_the_way(error) or error.strerror}"
    return None


def _a_file_in_the_way(error: OSError) -> str | None:
    """Return a message if a file stands where a folder should be made or opened."""
    if not isinstance(error, FileExistsError | NotADirectoryError):
        return None
    there = Path(error.filename or "")
    found = next((path for path in (there, *there.parents) if path.is_file()), None)
    return None if found is None else f"expected a folder, but {found} is a file; choose another"


def _line(message: str) -> str:
    return " ".join(one_line(message).split()).rstrip(".")
