"""Exported readers answer like those they were exported from."""

import copy
import json
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from transformers import AutoConfig, AutoTokenizer

from babelspan import readers
from babelspan.data.exported import load_settings
from babelspan.engines.onnx import OnnxEngine, exported_featurizer
from babelspan.engines.torch import TorchEngine
from babelspan.export import fused
from babelspan.export import onnx as module
from babelspan.export.block_quantised import blocks
from babelspan.export.onnx import export
from babelspan.methods import fine_tune
from babelspan.reading.answerer import Answerer
from babelspan.reading.tokens import Tokens
from babelspan.reading.windows import Featurizer, Window
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim
from babelspan.types import ConfigError, DataError, Limits
from babelspan.version import VERSION
from miniature import miniature_of, miniature_reader
from world import World

WORLD = World(0)
EXAMPLES = WORLD.examples(12)
LIMITS = Limits(max_length=64, overlap=16)


@pytest.fixture(scope="module")
def reader():
    """A reader that has learnt a dozen examples, so that its answers are no toss-up."""
    made = miniature_reader(WORLD.vocabulary(), width=64)
    run = Run(config=RunConfig(updates=40, batch_size=12, threads=1))
    config = fine_tune.Config(reader=Optim(lr=5e-3))
    return fine_tune.train(made, Corpora(labelled=EXAMPLES), config, run)


@pytest.fixture(scope="module")
def exported(reader, tmp_path_factory):
    """Folders of the reader in fp32 and int8."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("fp32", "int8")}
    for name, folder in folders.items():
        export(reader, folder, int8=name == "int8")
    return folders


def answers(answerer):
    return list(answerer.predict(EXAMPLES))


def random_windows(reader, count, length, seed=0):
    """Windows of random tokens; the first has `length` of them, the others fewer."""
    rng = np.random.default_rng(seed)
    featurizer = reader.featurizer
    lengths = [length, *rng.integers(4, length + 1, count - 1).tolist()]
    windows = []
    for number, tokens in enumerate(lengths):
        ids = rng.integers(5, 400, tokens - featurizer.frame.size).astype(np.int32)
        question = ids[: len(ids) // 3]
        context = ids[len(ids) // 3 :]
        places = np.stack([np.arange(len(context)), np.arange(len(context)) + 1], axis=1)
        example = replace(EXAMPLES[0], id=str(number), answers=None)
        windows.append(
            Window(example, featurizer.frame, question, Tokens(context, places.astype(np.int32)), 0)
        )
    assert [w.length for w in windows] == lengths
    return windows


def assert_alike(reader, engine, windows):
    """Both engines give the same logits, to rounding, one for each token."""
    found, expected = list(engine.read(windows)), list(TorchEngine(reader).read(windows))
    assert len(found) == len(expected) == len(windows)
    for window, ours, theirs in zip(windows, found, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert one.dtype == other.dtype == np.float32
            assert one.shape == other.shape == (window.length,)
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)


@pytest.mark.parametrize("length", [4, 15, 16, 17, 77, 128])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_fp32_logits_equal_those_of_torch(reader, exported, count, length):
    engine = OnnxEngine(exported["fp32"], workers=1)
    assert_alike(reader, engine, random_windows(reader, count, length))


@pytest.mark.parametrize("name", ["fp32", "int8"])
def test_logits_do_not_depend_on_the_batch_or_the_cores_of_a_window(reader, exported, name):
    windows = random_windows(reader, 5, 77)
    alone, beside = (OnnxEngine(exported[name], workers=n) for n in (1, 64))
    for window, together in zip(windows, beside.read(windows), strict=True):
        (by_itself,) = alone.read([window])
        assert all(map(np.array_equal, by_itself, together))


def operators(folder):
    nodes = list(onnx.load(folder / "model.onnx").graph.node)
    inner = [n for node in nodes for part in node.attribute for n in part.g.node]
    return Counter(node.op_type for node in [*nodes, *inner])


def test_each_attention_is_one_operator_with_or_without_mask(exported):
    fp32, int8 = (operators(exported[name]) for name in ("fp32", "int8"))
    assert fp32["MultiHeadAttention"] == int8["MultiHeadAttention"] == 2 * 2
    assert fp32["If"] == int8["If"] == 2
    assert fp32["Softmax"] == int8["Softmax"] == 0
    assert int8["MatMulInteger"] == fp32["MatMul"] > 0


def test_plain_onnxruntime_reads_windows_in_batches_by_the_names_of_transformers(reader, exported):
    """As `optimum` does: three named inputs, padded and masked; two named outputs."""
    session = onnxruntime.InferenceSession(exported["fp32"] / "model.onnx")
    names = [node.name for node in session.get_inputs()]
    assert names == ["input_ids", "attention_mask", "token_type_ids"]
    assert [node.name for node in session.get_outputs()] == ["start_logits", "end_logits"]
    windows = random_windows(reader, 5, 77)
    padded = reader.featurizer.pad(windows)
    start, end = session.run(None, padded._asdict())
    assert start.shape == end.shape == (5, 77)
    for row, (window, alone) in enumerate(
        zip(windows, TorchEngine(reader).read(windows), strict=True)
    ):
        for found, expected in zip((start[row], end[row]), alone, strict=True):
            np.testing.assert_allclose(found[: window.length], expected, rtol=0, atol=1e-4)
            assert (found[window.length :] == -np.inf).all()


def test_a_network_that_ignores_its_mask_is_not_used(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(fused, "_mask", lambda *_, **__: None)
    export(reader, tmp_path)
    assert operators(tmp_path)["MultiHeadAttention"] == 0


def test_an_export_leaves_a_folder_with_other_files_alone(reader, exported, tmp_path):
    (tmp_path / "config.json").write_text("mine")
    with pytest.raises(ConfigError, match=r"or an exported reader, found other files; choose"):
        export(reader, tmp_path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("config.json", "mine")]
    again = tmp_path / "again"
    shutil.copytree(exported["fp32"], again)
    (again / "model.onnx").unlink()  # an interrupted export
    export(reader, again)
    assert (again / "model.onnx").is_file()


def test_dictionaries_of_another_reader_are_copied(reader, tmp_path):
    theirs = readers.dictionaries_of("default")
    export(reader, tmp_path, dictionaries=theirs)
    copied = {p.name: p.read_bytes() for p in (tmp_path / "dictionaries").iterdir()}
    assert copied == {p.name: p.read_bytes() for p in theirs.iterdir()}
    shutil.rmtree(tmp_path / "dictionaries")
    with pytest.raises(ConfigError, match="expected a reader with dictionaries, found none"):
        readers.dictionaries_of(str(tmp_path))


def test_an_export_into_the_checkpoint_is_refused(reader, tmp_path):
    reader.save(tmp_path)
    before = {p.name for p in tmp_path.iterdir()}
    with pytest.raises(
        ConfigError, match=r"found one, which the exported .*; choose another folder"
    ):
        export(reader, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == before


def test_a_checkpoint_is_used_though_a_foreign_network_lies_beside_it(reader, exported, tmp_path):
    reader.save(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"of another program")
    assert isinstance(readers.load_answerer(tmp_path).engine, TorchEngine)
    for name in ("model.onnx", "reader.json"):  # as exports once were, and still are to train
        (tmp_path / name).write_bytes((exported["fp32"] / name).read_bytes())
    assert isinstance(readers.load_answerer(tmp_path).engine, OnnxEngine)
    assert readers.load_checkpoint(str(tmp_path)).width == 64


def other_reader(model_type):
    """A miniature of another family; its attention reaches 16 tokens or is of its own kind."""
    return miniature_of(model_type, WORLD.vocabulary(), **FAMILIES[model_type])


FAMILIES = {
    "xlm-roberta": {"max_position_embeddings": 131},
    "modernbert": {"local_attention": 16, "global_attn_every_n_layers": 2},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model_type", "fused_layers"),
    [("xlm-roberta", 4), ("modernbert", 3), ("deberta-v2", 0)],
)
def test_other_families_give_the_logits_of_torch(tmp_path, model_type, fused_layers):
    reader = other_reader(model_type)
    before = reader.model.config._attn_implementation
    export(reader, tmp_path)
    assert operators(tmp_path)["MultiHeadAttention"] == fused_layers
    assert reader.model.config._attn_implementation == before
    assert_alike(reader, OnnxEngine(tmp_path, workers=1), random_windows(reader, 3, 100))


def test_a_fused_attention_that_gives_other_logits_is_not_used(reader, tmp_path, monkeypatch):
    right = fused._attention

    def wrong(module, query, key, value, mask, *, scaling, **options):
        return right(module, query, key, value, mask, scaling=3 * scaling, **options)

    monkeypatch.setattr(fused, "_attention", wrong)
    export(reader, tmp_path)
    assert operators(tmp_path)["MultiHeadAttention"] == 0
    assert_alike(reader, OnnxEngine(tmp_path), random_windows(reader, 2, 60))


def test_a_fused_attention_that_onnxruntime_refuses_is_not_used(reader, tmp_path, monkeypatch):
    right = fused._attention

    def refused(module, query, key, value, mask, **options):
        return right(module, query, key, value, torch.zeros(1, 1, 3, 5), **options)

    monkeypatch.setattr(fused, "_attention", refused)
    export(reader, tmp_path)
    assert operators(tmp_path)["MultiHeadAttention"] == 0
    assert answers(Answerer(OnnxEngine(tmp_path), limits=LIMITS))


def test_a_network_with_other_logits_is_refused(reader, exported, tmp_path, monkeypatch):
    """The quantised network stands for that of an exporter that makes mistakes."""
    other = (exported["int8"] / "model.onnx").read_bytes()
    monkeypatch.setattr(module, "_trace", lambda _, path: path.write_bytes(other))
    with pytest.raises(DataError, match=r"the bert reader gives other logits in ONNX than in"):
        export(reader, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_both_engines_give_the_same_predictions(reader, exported):
    with_torch = answers(Answerer(TorchEngine(reader), limits=LIMITS))
    with_onnx = answers(readers.load_answerer(str(exported["fp32"]), max_length=64, overlap=16))
    assert [p.text for p in with_torch] == [e.answers[0].text for e in EXAMPLES]
    for ours, theirs in zip(with_onnx, with_torch, strict=True):
        assert (ours.id, ours.span, ours.text) == (theirs.id, theirs.span, theirs.text)
        assert ours.score == pytest.approx(theirs.score, abs=1e-4)
        assert ours.logit == pytest.approx(theirs.logit, abs=1e-4)
        assert ours.no_answer_logit == pytest.approx(theirs.no_answer_logit, abs=1e-4)


def test_a_saved_checkpoint_and_its_export_answer_alike(reader, exported, tmp_path):
    reader.save(tmp_path)
    checkpoint = readers.load_answerer(str(tmp_path), max_length=64, overlap=16)
    assert isinstance(checkpoint.engine, TorchEngine)
    onnx = readers.load_answerer(str(exported["fp32"]), max_length=64, overlap=16)
    assert isinstance(onnx.engine, OnnxEngine)
    for question in EXAMPLES[:3]:
        one, other = (a(question.question, question.context, top_k=3) for a in (checkpoint, onnx))
        assert [(o["start"], o["end"]) for o in one] == [(o["start"], o["end"]) for o in other]


def test_int8_is_smaller_and_answers_alike(exported):
    sizes = {name: (folder / "model.onnx").stat().st_size for name, folder in exported.items()}
    assert sizes["int8"] < 0.75 * sizes["fp32"]
    found = answers(readers.load_answerer(str(exported["int8"]), max_length=64, overlap=16))
    expected = [e.answers[0].text for e in EXAMPLES]
    assert sum(p.text == text for p, text in zip(found, expected, strict=True)) >= 10


def test_an_export_says_nothing_of_the_machine_it_was_made_on(exported):
    for folder in exported.values():
        raw = (folder / "model.onnx").read_bytes()
        assert b"MultiHeadAttention" in raw
        assert b"site-packages" not in raw
        assert b".py" not in raw


def test_the_folder_holds_what_we_read_and_what_others_do(reader, exported):
    ours = {"model.onnx", "reader.json", "tokenizer.json"}
    for name, folder in exported.items():
        found = {p.name for p in folder.iterdir()}
        assert found == {*ours, "config.json", "tokenizer_config.json"}
        assert AutoConfig.from_pretrained(folder).model_type == "bert"
        again = AutoTokenizer.from_pretrained(folder)
        text = EXAMPLES[0].question, EXAMPLES[0].context
        assert again(*text).input_ids == reader.tokenizer(*text).input_ids
        names = json.loads((folder / "tokenizer_config.json").read_text())
        assert names["tokenizer_class"] == "PreTrainedTokenizerFast"  # transformers 4 knows it
        settings = json.loads((folder / "reader.json").read_text())
        assert settings == {
            "max_positions": 128,
            "pad_id": reader.featurizer.pad_id,
            "precision": name,
            "vectors": name,
            "whole_words": False,
            "babelspan": VERSION,
        }


def test_word_vectors_of_4_bits_are_the_blocks_of_the_readers_vectors(reader, tmp_path):
    export(reader, tmp_path, int4_vectors=True, whole_words=True)
    rounded = copy.deepcopy(reader)
    vectors = rounded.model.get_input_embeddings().weight
    with torch.no_grad():
        vectors.copy_(torch.from_numpy(blocks(vectors.numpy()).restored()))
    assert not torch.equal(vectors, reader.model.get_input_embeddings().weight)
    assert_alike(rounded, OnnxEngine(tmp_path), random_windows(reader, 3, 77))
    settings = load_settings(tmp_path)
    assert (settings.precision, settings.vectors) == ("fp32", "int4")
    assert readers.load_answerer(str(tmp_path)).whole_words


def test_4_bits_are_smaller_than_8(reader, exported, tmp_path):
    export(reader, tmp_path, int8=True, int4_vectors=True)
    sizes = [(f / "model.onnx").stat().st_size for f in (tmp_path, exported["int8"])]
    assert sizes[0] < sizes[1]
    found, expected = (
        answers(Answerer(OnnxEngine(f), limits=LIMITS)) for f in (tmp_path, exported["int8"])
    )
    assert sum(a.text == b.text for a, b in zip(found, expected, strict=True)) >= 9


def test_4_bits_take_a_width_of_whole_blocks(tmp_path):
    narrow = miniature_reader(WORLD.vocabulary(), width=40)
    with pytest.raises(ConfigError, match="multiple of 32, found 40; leave out --int4-vectors"):
        export(narrow, tmp_path / "out", int4_vectors=True)
    assert not (tmp_path / "out").exists()


def test_the_exported_tokenizer_is_the_readers(reader, exported):
    encoder = exported_featurizer(exported["int8"])
    assert isinstance(encoder, Featurizer)
    assert encoder.frame == reader.featurizer.frame
    for example in EXAMPLES:
        ours, theirs = (e.tokens(example.context) for e in (encoder, reader.featurizer))
        assert ours.ids.tolist() == theirs.ids.tolist()
        assert ours.offsets.tolist() == theirs.offsets.tolist()


def test_weights_stay_as_they_are(reader, exported):
    fresh = readers.load_answerer(str(exported["fp32"]), max_length=64, overlap=16)
    again = answers(Answerer(TorchEngine(reader), limits=LIMITS))
    assert [p.span for p in answers(fresh)] == [p.span for p in again]
    assert all(p.dtype == torch.float32 and p.requires_grad for p in reader.parameters())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "model.onnx",
            b"not a model",
            r"model\.onnx: onnxruntime cannot load it .*export it",
        ),
        ("reader.json", b"{}", r"reader\.json: expected the settings .*export it again"),
        ("reader.json", None, r"reader\.json: there is no such file"),
        ("tokenizer.json", b"{}", r"tokenizer\.json: not a tokenizer .*export it again"),
    ],
)
def test_broken_exports_are_named(exported, tmp_path, name, content, message):
    for path in exported["fp32"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        readers.load_answerer(str(tmp_path))


def test_a_failed_export_leaves_the_last_one(exported, tmp_path, reader, monkeypatch):
    for path in exported["fp32"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())

    def fails(*_, **__):
        raise OSError("the disk is full")

    monkeypatch.setattr(torch.onnx, "export", fails)
    with pytest.raises(OSError, match="the disk is full"):
        export(reader, tmp_path)
    for path in exported["fp32"].iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    assert len(list(tmp_path.iterdir())) == 5
