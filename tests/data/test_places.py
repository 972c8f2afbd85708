"""Places to write to: tried first, and never those of what is read."""

import os
import stat

import pytest

from babelspan.data.places import refuse_overwriting, refuse_unwritable
from babelspan.types import ConfigError


def test_a_place_that_can_be_written_stays_as_it_is(tmp_path):
    (tmp_path / "old.json").write_text("old")
    for path in (tmp_path / "old.json", tmp_path / "new" / "p.json"):
        refuse_unwritable(path)
    assert (tmp_path / "old.json").read_text() == "old"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["new", "old.json"]


def test_folders_and_what_is_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="expected a file to write to, found a folder"):
        refuse_unwritable(tmp_path)
    with pytest.raises(ConfigError, match=r"file/p.json: cannot be written: .*; choose another"):
        refuse_unwritable(tmp_path / "file" / "p.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_or_a_device_is_no_place_for_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="found a pipe, socket or device; choose another place"):
        refuse_unwritable(tmp_path / "pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(ConfigError, match=r"p.json: cannot be written: Permission denied"):
        refuse_unwritable(tmp_path / "p.json")


def test_a_full_device(tmp_path, monkeypatch):
    from pathlib import Path

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ConfigError, match=r"p.json: cannot be written: No space left on device"):
        refuse_unwritable(tmp_path / "p.json")


def test_what_is_read_is_not_overwritten(tmp_path):
    read = tmp_path / "read.json"
    read.write_text("")
    (tmp_path / "sub").mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(read)
    for path in (read, link, tmp_path / "sub" / ".." / "read.json"):
        with pytest.raises(
            ConfigError, match=r"--out \S+: this is an input file \(.*choose another"
        ):
            refuse_overwriting(path, [tmp_path / "none", read], option="--out")
    (tmp_path / "other.json").write_text("")
    for path in (tmp_path / "new.json", tmp_path / "other.json", tmp_path):
        refuse_overwriting(path, [read, tmp_path / "none"], option="--out")
