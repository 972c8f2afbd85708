"""Locks of folders, and what killed processes leave behind."""

import os
import subprocess
import sys

import pytest

from babelspan.data.locks import LOCK, is_unfinished, locked, sweep
from babelspan.types import ConfigError

HOLD = """
import sys
from pathlib import Path
from babelspan.data.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "job")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


def test_a_folder_is_held_by_one_process(tmp_path, holder):
    with (
        pytest.raises(
            ConfigError, match=rf"job: another process is at work here \(process {holder.pid} on "
        ),
        locked(tmp_path / "job"),
    ):
        pass
    holder.stdin.close()
    holder.wait()
    with locked(tmp_path / "job"):
        assert (tmp_path / "job" / LOCK).exists()
    assert list((tmp_path / "job").iterdir()) == []


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert (tmp_path / "job" / LOCK).exists()  # the file stays, the lock does not
    with locked(tmp_path / "job"):
        pass


def test_a_lock_ends_with_an_error(tmp_path):
    with pytest.raises(RuntimeError), locked(tmp_path):
        raise RuntimeError
    with locked(tmp_path):
        pass


def test_a_lock_file_that_is_removed_meanwhile_is_not_taken_for_the_lock(tmp_path, monkeypatch):
    """Between opening the file and locking it its holder may have removed it."""
    import fcntl

    real, removed = fcntl.flock, []

    def late(file, how):
        if not removed:
            removed.append((tmp_path / LOCK).unlink())
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with locked(tmp_path):
        held = (tmp_path / LOCK).stat().st_ino
        with pytest.raises(ConfigError, match="another process"), locked(tmp_path):
            pass
        assert (tmp_path / LOCK).stat().st_ino == held


def test_a_file_system_without_locks_gives_a_warning(tmp_path, monkeypatch):
    import fcntl

    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.warns(UserWarning, match="locked: Operation not supported"), locked(tmp_path):
        pass


def test_only_what_dead_processes_left_is_swept(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    inside = tmp_path / "shards"
    inside.mkdir()
    swept = [
        tmp_path / f".a.json.{dead.pid}.part",
        tmp_path / f".a.json.{os.getpid()}.part",
        inside / ".b.json.gz.99999999999999999999.part",
        tmp_path / ".saving-x.part",
    ]
    kept = [tmp_path / f".a.json.{os.getppid()}.part", tmp_path / "a.part", tmp_path / "a.json"]
    for path in swept[:-1] + kept:
        path.write_bytes(b"half")
    swept[-1].mkdir()
    (swept[-1] / "weights").write_bytes(b"half")
    sweep(tmp_path)
    assert sorted(p for p in tmp_path.rglob("*") if p != inside) == sorted(kept)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="takes /proc")
def test_what_a_process_left_that_nobody_has_waited_for_yet_is_swept(tmp_path):
    dead = subprocess.Popen(["true"])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    half = tmp_path / f".a.json.{dead.pid}.part"
    half.write_bytes(b"half")
    sweep(tmp_path)
    assert not half.exists()
    dead.wait()


def test_what_is_no_part_of_a_result(tmp_path):
    names = (".lock", ".a.json.12.part", "a.json", ".hidden", "a.part")
    assert [is_unfinished(tmp_path / name) for name in names] == [True, True, False, False, False]
