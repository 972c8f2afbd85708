"""The command line's frame: interrupts, closed streams, options, what is said of errors."""

import errno
import signal
import subprocess
import sys
import time

import pytest
import typer

from babelspan import __main__ as program
from babelspan.cli import main


@pytest.fixture
def run(monkeypatch, capsys):
    """`main` around a given app: exit code, errors, the arguments that the app got."""

    def ran(does, *words):
        called = []

        def app(*, args, standalone_mode):
            called.append(args)
            return does()

        monkeypatch.setattr(main, "app", app)
        monkeypatch.setattr(sys, "argv", ["babelspan", *words])
        with pytest.raises(SystemExit) as left:
            main.main()
        return left.value.code, capsys.readouterr().err, called[0]

    return ran


def raising(error, cause=None):
    def does():
        raise error from cause

    return does


@pytest.mark.parametrize("does", [raising(KeyboardInterrupt()), lambda: 130])
def test_an_interrupt_is_told(run, does):
    assert run(does)[:2] == (130, "babelspan: interrupted\n")


def test_an_end_of_file_error_is_not_an_interrupt(run):
    code, errors, _ = run(raising(typer.Abort(), EOFError("Ran out of input")))
    assert code == 70
    assert (
        "this is a bug in Babelspan: EOFError: Ran out of input; run the command again with"
        in errors
    )


def test_an_interrupt_during_the_imports_is_told(monkeypatch, capsys):
    class Interrupts:
        def find_spec(self, name, *_):
            if name == "babelspan.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "babelspan.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupts(), *sys.meta_path])
    with pytest.raises(SystemExit) as left:
        program.main()
    assert left.value.code == 130
    assert capsys.readouterr().err == "babelspan: interrupted\n"


def test_control_c_while_it_runs_is_told():
    """In generated code of an import Python ends by the signal, which is 130 to a shell, too."""
    command = [sys.executable, "-m", "babelspan", "ask", "Who?"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read().decode()
    assert process.returncode in (130, -signal.SIGINT)
    assert errors == "babelspan: interrupted\n"


def test_an_interrupt_that_an_import_wraps_is_told(run):
    assert run(raising(RuntimeError("__set_name__"), KeyboardInterrupt()))[:2] == (
        130,
        "babelspan: interrupted\n",
    )


def left_with_1(number):
    """As typer and rich leave when what they write to has gone."""
    try:
        raise OSError(number, "no")
    except OSError:
        sys.exit(1)


def test_a_reader_of_the_output_that_has_gone_is_no_error(run, monkeypatch):
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert run(lambda: left_with_1(errno.EPIPE))[:2] == (0, "")
    assert run(raising(BrokenPipeError(errno.EPIPE, "no")))[:2] == (0, "")
    assert run(lambda: left_with_1(errno.EIO))[0] == 1


def test_a_closed_output_is_no_error():
    shell = f"{sys.executable} -m babelspan --version >&-"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_debug_is_an_option_only_where_options_are(run):
    assert run(lambda: 0, "ask", "x", "--debug")[2] == ["ask", "x"]
    assert run(lambda: 0, "ask", "--", "--debug")[2] == ["ask", "--", "--debug"]
    code, errors, _ = run(raising(RuntimeError("no")), "ask", "--", "--debug")
    assert code == 70
    assert "Traceback" not in errors


def test_too_little_memory_is_not_called_a_bug(run):
    code, errors, _ = run(raising(MemoryError()))
    assert code == 2
    assert "not enough memory" in errors


@pytest.mark.parametrize("below", ["", "in", "in/it"])
def test_a_file_in_the_way_of_a_folder_is_named(run, tmp_path, below):
    file = tmp_path / "a.txt"
    file.touch()
    wanted = file / below
    code, errors, _ = run(lambda: wanted.mkdir(exist_ok=True))
    told = f"babelspan: {wanted}: expected a folder, but {file} is a file; choose another\n"
    assert (code, errors) == (2, told)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ask", "x", "b.txt", "--top-k", "0"], "--top-k: expected 1 or more, found '0'"),
        (["ask", "x", "--min-score", "70"], "--min-score: expected 1 or less, found '70'"),
        (["ask", "x", "--min-score", "a"], "--min-score: expected a number, found 'a'"),
        (
            ["evaluate", "a", "b", "--sample", "2.5"],
            "--sample: expected a whole number, found '2.5'",
        ),
        (
            ["translate", "a", "--to", "es", "--translator", "b", "--strategy", "x", "--out", "c"],
            "--strategy: expected one of q, c, qc, all, found 'x'",
        ),
    ],
)
def test_a_bad_value_of_an_option_is_told_in_plain_words(monkeypatch, capsys, words, message):
    monkeypatch.setattr(sys, "argv", ["babelspan", *words])
    with pytest.raises(SystemExit) as stopped:
        main.main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == f"babelspan: {message}; see --help\n"


def test_errors_hold_no_control_characters(run):
    code, errors, _ = run(raising(main.DataError("a\x1b[31mb.txt: broken")))
    assert (code, errors) == (2, "babelspan: a [31mb.txt: broken\n")


def test_every_verb_has_a_line_that_is_not_cut(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["babelspan", "--help"])
    with pytest.raises(SystemExit):
        main.main()
    verbs = capsys.readouterr().out.partition("Commands:")[2].strip().splitlines()
    assert len(verbs) == len(main.VERBS) + 1
    assert all(line.endswith(".") and not line.endswith("...") for line in verbs)
