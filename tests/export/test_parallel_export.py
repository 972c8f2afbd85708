"""An exported reader of parallel texts: PyTorch's logits at three lengths, with 0 to 2 beside."""

import json
import pickle
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from babelspan import readers
from babelspan.engines.onnx import OnnxEngine
from babelspan.engines.torch import TorchEngine
from babelspan.export.onnx import export
from babelspan.networks.parallel_texts import Attention, ParallelReader
from babelspan.types import DataError, Limits
from miniature import miniature_reader
from world import World

WORLD = World(0)
LANGUAGES = ("L1", "L2")
LIMITS = Limits(max_length=100, overlap=16)


def made(languages=LANGUAGES, formula="heads"):
    inner = miniature_reader(WORLD.vocabulary(), max_length=100, dropout=0.1)
    attention = Attention(languages=languages, heads=4, formula=formula)
    reader = ParallelReader(inner, attention, seed=3)
    with torch.no_grad():
        reader.head.weight[:, inner.width :].normal_(generator=torch.Generator().manual_seed(5))
    return reader.eval()


@pytest.fixture(scope="module")
def reader():
    return made()


@pytest.fixture(scope="module")
def folder(reader, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported")
    export(reader, path)
    return path


def examples(count, *languages, parts=1):
    """Questions over contexts of several stories, with exact translations beside them."""

    def told(language):
        made = [WORLD.examples(count, language, language, seed=s) for s in range(parts)]
        return [
            replace(of_id[0], context=" ".join(e.context for e in of_id))
            for of_id in zip(*made, strict=True)
        ]

    others = zip(*(told(language) for language in languages), strict=True)
    beside = list(others) or [()] * count
    return [replace(e, others=o) for e, o in zip(told("L0"), beside, strict=True)]


@pytest.mark.parametrize("parts", [1, 2, 4])
@pytest.mark.parametrize("present", [(), ("L1",), ("L2",), LANGUAGES])
def test_logits_are_those_of_pytorch(reader, folder, parts, present):
    engines = OnnxEngine(folder, workers=1), TorchEngine(reader)
    asked = examples(3, *present, parts=parts)
    ours, theirs = (list(engine.read(list(engine.windows(asked, LIMITS)))) for engine in engines)
    assert len(ours) >= 3
    for one, other in zip(ours, theirs, strict=True):
        assert np.allclose(one.start, other.start, atol=1e-4)
        assert np.allclose(one.last, other.last, atol=1e-4)


def test_the_encoder_s_attention_is_one_operator_and_knows_padding(folder):
    model = onnx.load(folder / "model.onnx")
    choices = [n for n in model.graph.node if n.op_type == "If"]
    assert len(choices) == 2
    for choice in choices:
        branches = {a.name: a.g.node for a in choice.attribute}
        assert all(
            [n.op_type for n in nodes] == ["MultiHeadAttention"] for nodes in branches.values()
        )
        assert {name: len(nodes[0].input) for name, nodes in branches.items()} == {
            "then_branch": 3,
            "else_branch": 5,
        }


def test_it_answers_like_its_checkpoint_and_knows_its_languages(reader, folder):
    asked = examples(8, *LANGUAGES)
    exported = readers.load_answerer(str(folder), max_length=100, overlap=16)
    mine = readers.answerer_of(reader)
    assert exported.languages_beside == mine.languages_beside == LANGUAGES
    ours, theirs = (list(a.predict(asked)) for a in (exported, mine))
    assert [p.span for p in ours] == [p.span for p in theirs]
    without = list(exported.predict([replace(e, others=()) for e in asked]))
    assert [p.logit for p in without] != [p.logit for p in ours]


@pytest.mark.parametrize(("languages", "formula"), [((), "heads"), (("L1",), "printed")])
def test_no_language_and_the_printed_formula_are_exported_too(tmp_path, languages, formula):
    reader = made(languages, formula)
    export(reader, tmp_path, int8=True, int4_vectors=True)
    assert json.loads((tmp_path / "reader.json").read_text())["languages"] == list(languages)
    (answer,) = readers.load_answerer(str(tmp_path)).predict(examples(1, *LANGUAGES))
    assert answer.text


def test_a_text_is_read_by_itself_without_padding_and_once(folder):
    engine = OnnxEngine(folder, workers=1)
    asked = examples(1, *LANGUAGES)[0]
    own_beside_itself = replace(asked.others[0], context=asked.context, question=asked.question)
    windows = list(
        engine.windows([asked, replace(asked, others=(own_beside_itself, asked.others[1]))])
    )
    kept = engine._together._one = Counting(engine._together._one)
    first = list(engine.read(windows[:1]))
    texts = [windows[0].own, *windows[0].present]
    assert kept.shapes == [(1, text.length) for text in texts]
    assert len({text.length for text in texts}) > 1
    assert [(o.start.tobytes(), o.last.tobytes()) for o in engine.read(windows[:1])] == [
        (o.start.tobytes(), o.last.tobytes()) for o in first
    ]
    list(engine.read(windows[1:]))
    assert len(kept.shapes) == 3  # the text beside itself has been read, too


def test_the_pieces_of_a_long_translation_are_read_once(folder):
    engine = OnnxEngine(folder, workers=1)
    long = examples(1, "L1", parts=4)[0]
    short = replace(long.others[0], context=long.others[0].context[:80])
    windows = list(engine.windows([replace(long, others=(short,))], LIMITS))
    assert len(windows) >= 2
    kept = engine._together._one = Counting(engine._together._one)
    list(engine.read(windows))
    assert len(kept.shapes) == len(windows) + 1


def second_network(width):
    """A network with the inputs and outputs of the second one, for narrow vectors."""
    names = ("own", "others", "mask", "rows")
    shapes = ([1, "L", width], ["K", "M", width], ["K", "M"], [1, 2])
    kinds = (TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT64)
    taken = [helper.make_tensor_value_info(*one) for one in zip(names, kinds, shapes, strict=True)]
    outputs = ("start_logits", "end_logits")
    nodes = [helper.make_node("Identity", ["own"], [name]) for name in outputs]
    given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs]
    graph = helper.make_graph(nodes, "second", taken, given)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


class Counting:
    """A network that knows what it has been asked."""

    def __init__(self, network):
        self.network = network
        self.shapes = []

    def run(self, outputs, given):
        self.shapes.append(given["input_ids"].shape)
        return self.network.run(outputs, given)


@pytest.mark.parametrize("change", ["gone", "narrow", "another"])
def test_a_second_network_that_is_not_the_reader_s_is_refused(folder, tmp_path, change):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    second = tmp_path / "beside.onnx"
    if change == "gone":
        second.unlink()
    elif change == "another":
        shutil.copy(tmp_path / "model.onnx", second)
    else:
        onnx.save(second_network(width=8), second)
    match = {
        "gone": "beside.onnx: onnxruntime cannot load it .* export it again",
        "narrow": "expected a network for vectors of width .*, .* found one for 8",
        "another": "expected a network from own, others, mask, rows .* found one from input_ids",
    }[change]
    with pytest.raises(DataError, match=match):
        OnnxEngine(tmp_path)


def test_its_network_alone_reads_one_text_with_the_plain_head(reader, folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    settings = json.loads((folder / "reader.json").read_text())
    del settings["languages"]
    (tmp_path / "reader.json").write_text(json.dumps(settings))
    engine, plain = OnnxEngine(tmp_path, workers=1), TorchEngine(reader.inner)
    assert engine.languages == ()
    ours, theirs = (list(e.read(list(e.windows(examples(2), LIMITS)))) for e in (engine, plain))
    for one, other in zip(ours, theirs, strict=True):
        assert np.allclose(one.start, other.start, atol=1e-4)


def test_it_is_loaded_again_where_it_is_unpickled_and_knows_what_it_knows(folder):
    engine = pickle.loads(pickle.dumps(OnnxEngine(folder, workers=1)))
    assert engine.languages == LANGUAGES
    text = WORLD.examples(1)[0].context
    assert len(engine.known(text)) > 3
    assert len(engine.known("\U00013000")) == 0
