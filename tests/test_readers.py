"""Readers by name: which engine stands behind a folder, and what is said when none can."""

import importlib.util
import json
import pickle
import pkgutil
import shutil
import socket
import sys

import numpy as np
import pytest

import babelspan.networks
from babelspan import readers
from babelspan.engines.torch import TorchEngine
from babelspan.networks import store
from babelspan.networks.parallel_texts import Attention, ParallelReader
from babelspan.networks.passage_reader import PassageReader
from babelspan.networks.question_generator import begun
from babelspan.types import ConfigError, DataError, Limits
from babelspan.vocabulary.word_table import FIRST
from miniature import miniature_reader
from worded_readers import miniature_qanet
from world import World


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


def test_a_path_will_do_and_a_checkpoint_can_be_pickled(folder):
    answerer = readers.load_answerer(folder, max_length=60)
    assert answerer.limits == readers.load_answerer(str(folder), max_length=60).limits
    again = pickle.loads(pickle.dumps(answerer))
    asked = ("two ?", "one two one two")
    assert again(*asked, top_k=3) == answerer(*asked, top_k=3)


def test_numbers_out_of_range_are_refused_when_a_reader_is_loaded(folder):
    with pytest.raises(ValueError, match="workers must be 0 or more, got -1"):
        readers.load_answerer(workers=-1)
    for reader, longest in ((folder, 128), ("default", 512)):
        with pytest.raises(ConfigError, match=f"windows of 513 .* takes {longest} or fewer"):
            readers.load_answerer(reader, max_length=513)


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
    monkeypatch.setitem(sys.modules, "babelspan.engines.torch", None)  # cannot be imported
    with pytest.raises(
        ConfigError,
        match=r'this is a checkpoint, and a checkpoint needs PyTorch .* pip install "\.\[train\]"',
    ):
        readers.load_answerer(str(folder))
    with pytest.raises(
        ConfigError,
        match=r"reader 'org/name': there is no such folder; a reader from the hub needs PyTorch",
    ):
        readers.load_answerer("org/name")


@pytest.fixture
def offline(monkeypatch):
    """No network: names of hosts are not known, and every library that tries is caught."""
    from huggingface_hub import constants

    def refuses(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "create_connection", refuses)
    monkeypatch.setattr(socket, "getaddrinfo", refuses)


def test_a_misspelt_default_is_not_looked_up_on_the_hub():
    with pytest.raises(DataError, match="reader 'deafult': there is no such folder; did you mean"):
        readers.load_answerer("deafult")
    with pytest.raises(DataError, match=r"method.teacher 'defualt': there is no such folder; did"):
        readers.require("defualt", "method.teacher")
    readers.require("default", "method.teacher")


def test_what_must_be_there_is_a_folder_or_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "_unreachable", lambda host: None)
    readers.require(str(tmp_path), "x")
    readers.require("me/default", "x")
    (tmp_path / "file").touch()
    for name in (tmp_path / "none", tmp_path / "file", "./none"):
        with pytest.raises(DataError, match="expected a folder with a checkpoint, found none"):
            readers.require(str(name), "x")
    with pytest.raises(DataError, match="expected a trained network, found a new one"):
        readers.require("new:qanet,texts=a", "x")


def test_a_name_on_the_hub_fails_at_once_where_there_is_no_network(offline, monkeypatch):
    monkeypatch.setattr(
        "babelspan.networks.store.load", lambda *_, **__: pytest.fail("the hub was tried")
    )
    with pytest.raises(
        DataError,
        match=r"reader 'org/name': .* \(huggingface\.co: Name or service not known\), and this "
        r"machine has no copy; download .* copy the folder here and use its path$",
    ):
        readers.load_checkpoint("org/name")


def test_offline_a_copy_of_a_reader_of_the_hub_is_used(offline, folder, monkeypatch):
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(folder))
    assert readers.load_checkpoint("org/name").width == 32


def test_behind_a_proxy_the_hub_is_tried(offline, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.example:1")
    assert readers._on_the_hub("org/name") == "org/name"


CHECKPOINT = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")
EXPORTED = ("model.onnx", "reader.json", "tokenizer.json")


def changed(path):
    """The file with one letter more at its end, or one bit another."""
    content = bytearray(path.read_bytes())
    if path.suffix == ".json":
        content += b"\n"
    else:
        content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("kind", "part"),
    [("checkpoint", p) for p in CHECKPOINT] + [("exported", p) for p in EXPORTED],
)
def test_the_identity_of_a_reader_covers_whatever_its_answers_depend_on(
    folder, tmp_path, kind, part
):
    source = folder if kind == "checkpoint" else readers.DEFAULT_FOLDER
    copy = shutil.copytree(source, tmp_path / "copy")
    copy.chmod(0o755)
    before = readers.checksum_of(str(copy))
    assert before == readers.checksum_of(str(source))
    for name in ("notes.txt", "run.json", "log.jsonl", "checkpoint.pt", "answers.json"):
        (copy / name).write_bytes(b"{}")
    assert readers.checksum_of(str(copy)) == before
    (copy / part).chmod(0o644)
    changed(copy / part)
    assert readers.checksum_of(str(copy)) != before


@pytest.mark.parametrize("name", ["model.onnx.data", "model.onnx_data"])
def test_weights_beside_the_network_count(tmp_path, name):
    (tmp_path / "model.onnx").write_bytes(b"network")
    before = readers.checksum_of(str(tmp_path))
    (tmp_path / name).write_bytes(b"weights")
    assert readers.checksum_of(str(tmp_path)) != before


def test_the_identity_of_a_reader_of_the_hub_is_its_commit(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert readers.checksum_of("some/name") == "some/name@unknown-commit"
    assert readers.checksum_of("no name of the hub!") == "no name of the hub!@unknown-commit"
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "models--some--name"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(commit)
    snapshot = cached / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text(json.dumps({}))
    assert readers.checksum_of("some/name") == f"some/name@{commit}"
    assert readers.shortened(f"some/name@{commit}") == "some/name@0123456789ab"
    assert readers.shortened("f" * 64) == "sha256:ffffffffffff"
    made = readers.checksum_of("new:qanet,texts=news@work.en.txt,seed=1")
    assert readers.shortened(made) == "new:qanet,texts=news@work.en.txt,seed=1"


def networks():
    """A miniature of each kind of network, by kind."""
    words = World(0).vocabulary()
    reader = miniature_reader(words)
    made = [
        reader,
        ParallelReader(reader, Attention(languages=("de",))),
        PassageReader(reader),
        begun(reader.encoder),
        miniature_qanet(words, vectors=np.ones((FIRST + len(dict.fromkeys(words)), 12), "f4")),
    ]
    return {network.kind: network for network in made}


def test_every_file_that_a_network_saves_counts_in_its_identity(tmp_path):
    kinds = [
        module.name
        for module in pkgutil.iter_modules(babelspan.networks.__path__)
        if module.name != "store"
        and hasattr(importlib.import_module(f"babelspan.networks.{module.name}"), "load")
    ]
    made = networks()
    assert {*made} == {*kinds}, "make a miniature of the new kind of network above"
    for kind, network in made.items():
        store.save(network, tmp_path / kind)
        saved = {path for path in (tmp_path / kind).rglob("*") if path.is_file()}
        missing = sorted(path.name for path in saved - {*readers.parts_of(str(tmp_path / kind))})
        assert not missing, f"add {missing} of {kind!r} to readers.PARTS"
