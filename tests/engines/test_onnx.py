"""Readers exported to ONNX: the network as onnxruntime runs it, and errors of broken folders."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from babelspan.engines.onnx import OnnxEngine, exported_featurizer
from babelspan.reading.answerer import Answerer
from babelspan.types import ConfigError, DataError, Example, Limits

WORDS = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "a", "who", "built", "it", "anna", "köhler", "桥"]
SETTINGS = {"max_positions": 64, "pad_id": 1, "precision": "fp32", "babelspan": "0.1.0"}
START = np.array([0, 0, 0, 0, 1, 2, 0, 1, 9, 3, 4], dtype=np.float32)
LAST = np.array([0, 0, 0, 0, 2, 0, 1, 1, 3, 8, 5], dtype=np.float32)


def write_model(
    path, *, with_types=True, first="input_ids", outputs=("start_logits", "last_logits"), axis=None
):
    """A network that looks each id up in a table of start logits and one of last logits."""
    names = [first, "attention_mask", *(["token_type_ids"] if with_types else [])]
    found = [f"{name}_of_all" for name in outputs]
    lookup = zip(("start_table", "last_table"), found, strict=True)
    graph = helper.make_graph(
        [
            *(helper.make_node("Gather", [table, first], [name]) for table, name in lookup),
            *(
                helper.make_node("Identity", [before], [name])
                if axis is None
                else helper.make_node("ReduceMax", [before], [name], axes=[axis], keepdims=1)
                for before, name in zip(found, outputs, strict=True)
            ),
        ],
        "reader",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "L"]) for name in names],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", "M"]) for name in outputs],
        [
            numpy_helper.from_array(START, "start_table"),
            numpy_helper.from_array(LAST, "last_table"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)


def write_tokenizer(path):
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 0), ("[SEP]", 2)],
    )
    tokenizer.save(str(path))


@pytest.fixture
def folder(tmp_path):
    write_model(tmp_path / "model.onnx")
    write_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "reader.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    return tmp_path


def windows_of(engine, *contexts):
    return [
        window
        for number, context in enumerate(contexts)
        for window in engine.windows(
            [
                Example(
                    id=str(number),
                    question="who",
                    context=context,
                    answers=None,
                    question_language="en",
                    context_language="en",
                )
            ]
        )
    ]


@pytest.mark.parametrize("with_types", [True, False])
def test_logits_are_those_of_the_network(folder, with_types):
    write_model(folder / "model.onnx", with_types=with_types)
    engine = OnnxEngine(folder)
    windows = windows_of(engine, "anna built it", "köhler", "a 桥 " * 20)
    for window, logits in zip(windows, engine.read(windows), strict=True):
        assert logits.start.tolist() == START[window.ids()].tolist()
        assert logits.last.tolist() == LAST[window.ids()].tolist()
        assert logits.start.dtype == logits.last.dtype == np.float32


def test_workers_read_side_by_side(folder, monkeypatch):
    """Each of two windows waits for the other: one thread would never get past the barrier."""
    barrier = threading.Barrier(2, timeout=20)
    engine = OnnxEngine(folder, workers=2)
    read = engine._read

    def waiting(window):
        barrier.wait()
        return read(window)

    monkeypatch.setattr(engine, "_read", waiting)
    windows = windows_of(engine, "anna", "köhler")
    assert [len(logits.start) for logits in engine.read(windows)] == [w.length for w in windows]


def test_all_calls_share_the_threads_of_the_engine(folder):
    """Sixteen calls at once: no more threads than workers read."""
    engine = OnnxEngine(folder, workers=2)
    answerer = Answerer(engine)
    before = threading.active_count()
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: answerer("who built it", "it built anna"), range(64)))
        at_most = threading.active_count()
    assert len({tuple(f.items()) for f in found}) == 1
    assert at_most <= before + 16 + 2


def test_reading_that_is_stopped_begins_no_more_windows(folder, monkeypatch):
    engine = OnnxEngine(folder, workers=1)
    begun, go_on = [], threading.Event()
    read = engine._read

    def noted(window):
        begun.append(window)
        go_on.wait(20)
        return read(window)

    monkeypatch.setattr(engine, "_read", noted)
    reading = engine.read(windows_of(engine, *["anna"] * 50))
    reading.close()
    go_on.set()
    engine._threads.shutdown()
    assert len(begun) <= 1


def test_an_exported_reader_answers(folder):
    answerer = Answerer(OnnxEngine(folder))
    answer = answerer("who built it", "it built 桥 anna köhler it")
    assert answer["answer"] == "anna köhler"
    assert (answer["start"], answer["end"]) == (11, 22)


def test_workers_are_as_asked_or_one_a_core(folder):
    assert OnnxEngine(folder, workers=3).workers == 3
    assert OnnxEngine(folder).workers >= 1


def test_the_encoder_has_the_limits_of_the_settings(folder):
    encoder = exported_featurizer(folder)
    assert (encoder.max_positions, encoder.pad_id) == (64, 1)
    example = Example(
        id="q1",
        question="who",
        context="anna " * 40,
        answers=None,
        question_language="en",
        context_language="en",
    )
    for length in (64, 384):  # the default is lowered to what the reader takes
        (window,) = encoder.windows([example], Limits(max_length=length))
        assert window.length == 44
    with pytest.raises(ConfigError, match=r"windows of 65 tokens .* takes 64 or fewer"):
        list(encoder.windows([example], Limits(max_length=65)))
    with pytest.raises(ConfigError, match=r"must have 36 to 64 tokens .*max_length\), got 35"):
        list(encoder.windows([example], Limits(max_length=35)))


@pytest.mark.parametrize(
    "foreign",
    [{"first": "tokens"}, {"outputs": ("logits", "last_logits")}, {"outputs": ("logits", "mean")}],
)
def test_a_network_of_another_kind_is_refused(folder, foreign):
    write_model(folder / "model.onnx", **foreign)
    name = foreign.get("first", "logits")
    with pytest.raises(
        DataError,
        match=r"model\.onnx: expected a network from input_ids, .* to start_logits and end_logits, "
        rf"found .*{name}.*; it was not made by `babelspan export`$",
    ):
        OnnxEngine(folder)


def test_both_names_of_the_last_logits_are_read(folder):
    asked = ("who built it", "it built anna köhler it")
    old = Answerer(OnnxEngine(folder))(*asked)
    write_model(folder / "model.onnx", outputs=("start_logits", "end_logits"))
    assert Answerer(OnnxEngine(folder))(*asked) == old
    assert old["answer"] == "anna köhler"


def test_a_network_that_gives_other_shapes_is_refused(folder):
    write_model(folder / "model.onnx", axis=1)
    with pytest.raises(DataError, match=r"expected logits of the 9 tokens .* shapes \(1, 1\) and"):
        Answerer(OnnxEngine(folder))("who built it", "anna built it")


def test_a_tokenizer_of_another_reader_is_told_when_the_network_fails(folder, capfd):
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    content["model"]["vocab"]["anna"] = 4321
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"found .*4321.*tokenizer\.json may be another reader's"):
        Answerer(OnnxEngine(folder))("who built it", "anna built it")
    assert capfd.readouterr() == ("", "")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(
        DataError,
        match=rf"{tmp_path.name}: expected an exported reader with model\.onnx, found none",
    ):
        OnnxEngine(tmp_path)
    with pytest.raises(DataError, match=r"nowhere: expected an exported reader"):
        OnnxEngine(tmp_path / "nowhere")


@pytest.mark.parametrize("raw", [b"", b"\x00garbage\xff" * 40, b"{}"])
def test_a_model_that_is_none_is_refused_in_one_line(folder, raw):
    (folder / "model.onnx").write_bytes(raw)
    with pytest.raises(
        DataError, match=r"model\.onnx: onnxruntime cannot load it \(.+\); export it again$"
    ) as refusal:
        OnnxEngine(folder)
    assert "\n" not in str(refusal.value)


def test_a_model_cut_short_is_refused(folder):
    path = folder / "model.onnx"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"model\.onnx: onnxruntime cannot load it"):
        OnnxEngine(folder)


@pytest.mark.parametrize(
    "settings",
    [
        {k: v for k, v in SETTINGS.items() if k != "pad_id"},
        SETTINGS | {"max_positions": "many"},
        [],
        None,
    ],
)
def test_settings_that_are_none_are_refused(folder, settings):
    (folder / "reader.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(
        DataError,
        match=r"reader\.json: expected the settings of an exported reader, found in .+: .+; export",
    ):
        exported_featurizer(folder)


def test_settings_that_are_missing_or_no_json_are_refused(folder):
    (folder / "reader.json").write_text('{"max_positions": 64,', encoding="utf-8")
    with pytest.raises(DataError, match=r"reader\.json: expected JSON, .* at line 1 column 22"):
        exported_featurizer(folder)
    (folder / "reader.json").unlink()
    with pytest.raises(DataError, match=r"reader\.json: there is no such file"):
        exported_featurizer(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": "1.0"}', "no tokenizer"])
def test_a_tokenizer_that_is_none_is_refused(folder, text):
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(
        DataError, match=r"tokenizer\.json: not a tokenizer \(.+\); export it again"
    ):
        exported_featurizer(folder)


def test_a_tokenizer_that_is_missing_or_no_text_is_refused(folder):
    (folder / "tokenizer.json").write_bytes(b"{\xff}")
    with pytest.raises(
        DataError, match=r"tokenizer\.json: expected UTF-8, found the byte 0xff at byte 1"
    ):
        exported_featurizer(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"tokenizer\.json: there is no such file"):
        exported_featurizer(folder)
