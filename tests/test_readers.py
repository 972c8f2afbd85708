"""Readers by name: which engine stands behind a folder, and what is said when none can."""

import importlib.util

import pytest

from babelspan import readers
from babelspan.engines.torch import TorchEngine
from babelspan.types import ConfigError, DataError, Limits
from miniature import miniature_reader


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("reader")
    miniature_reader(["one", "two", "?"]).save(path)
    return path


def test_the_default_reader_is_in_the_package():
    assert readers.folder_of("default") == readers.DEFAULT_FOLDER
    assert readers.DEFAULT_FOLDER.parent.name == "assets"


def test_a_checkpoint_is_run_by_torch_and_limits_reach_it(folder):
    answerer = readers.load_answerer(str(folder), max_length=60, overlap=7, max_answer_tokens=2)
    assert isinstance(answerer.engine, TorchEngine)
    assert answerer.limits == Limits(max_length=60, overlap=7)
    assert answerer.max_answer_tokens == 2
    assert not answerer.engine._reader.training
    limits = Limits(max_length=60, overlap=7)
    assert readers.load_checkpoint(str(folder), limits=limits).featurizer.limits == limits


def test_a_home_folder_may_be_short(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert readers.folder_of(f"~/{folder.name}") == folder
    assert readers.load_checkpoint(f"~/{folder.name}").width == 32


def test_a_relative_folder(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert readers.load_checkpoint(folder.name).width == 32


def test_folders_that_hold_no_reader(tmp_path):
    for name, found in ((str(tmp_path), "neither in it"), (f"{tmp_path}/none", "no folder")):
        for load in (readers.load_answerer, readers.load_checkpoint):
            with pytest.raises(
                DataError, match=rf"^reader '{name}': expected .*model\.onnx.*found {found}$"
            ):
                load(name)
    with pytest.raises(DataError, match=r"reader '\./none': expected .*found no folder"):
        readers.load_answerer("./none")


def test_without_torch_a_checkpoint_says_what_to_install(folder, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else find(name)
    )
    with pytest.raises(ConfigError, match=r'takes PyTorch .* pip install "babelspan\[train\]"'):
        readers.load_answerer(str(folder))
