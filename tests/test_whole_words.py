"""Answers of whole words: a setting of an exported reader, the same by every way of asking."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from babelspan import readers
from babelspan.data.documents import Document
from babelspan.data.files import read_json, write_json
from babelspan.data.folder import describe
from babelspan.data.squad import save_squad
from babelspan.jobs.answer import ReaderSpec
from babelspan.jobs.ask import ask_all
from babelspan.jobs.evaluate import evaluate, load_cells
from babelspan.scoring.scorers import squad
from babelspan.types import Answer, DataError, Example

PIECES = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "А", "лександр", "он", "ская", "кто", "город"]
TEXT = "город Александронская Александр"
"""Pieces: город, А + лександр + он + ская, А + лександр."""


@pytest.fixture
def folder(tmp_path):
    """A reader whose best span begins and ends at "лександр"."""
    table = np.zeros(len(PIECES), np.float32)
    table[PIECES.index("лександр")] = 9
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], [f"{n}_logits"])
            for n in ("start", "last")
        ],
        "reader",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["B", "L"])],
        [
            helper.make_tensor_value_info(f"{n}_logits", TensorProto.FLOAT, ["B", "L"])
            for n in ("start", "last")
        ],
        [numpy_helper.from_array(table, "table")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "model.onnx")
    pieces = [(p, -5.0 if i > 3 else -20.0) for i, p in enumerate(PIECES)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 0), ("[SEP]", 2)],
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    settings = {"max_positions": 64, "pad_id": 1, "precision": "fp32", "babelspan": "0.1.0"}
    (tmp_path / "reader.json").write_text(json.dumps(settings), encoding="utf-8")
    return tmp_path


def widening(folder):
    """The same reader with answers of whole words; its identity before and after."""
    before = readers.checksum_of(str(folder))
    write_json(folder / "reader.json", read_json(folder / "reader.json") | {"whole_words": True})
    return before, readers.checksum_of(str(folder))


def answers(folder, example):
    """The answer by each way of asking."""
    answerer = readers.load_answerer(str(folder))
    (asked,) = ask_all(answerer, [example.question], [Document("a.txt", example.context)])
    path = folder / "qa" / "test.ru.json"
    save_squad(path, [example])
    files = [describe(path)]
    measured = evaluate(ReaderSpec(reader=str(folder)), files, load_cells(files), squad)
    return [
        asked.answers[0][1].text,
        next(answerer.predict([example])).text,
        answerer(example.question, example.context)["answer"],
        measured.predictions["ru", "ru"][example.id],
    ]


def test_every_way_of_asking_gives_the_whole_word_if_the_reader_says_so(folder):
    example = Example(
        id="q",
        question="кто",
        context=TEXT,
        answers=(Answer("Александр", TEXT.rindex("А")),),
        question_language="ru",
        context_language="ru",
    )
    assert answers(folder, example) == ["лександр"] * 4
    before, after = widening(folder)
    assert before != after
    assert answers(folder, example) == ["Александронская"] * 4


def test_spans_that_become_one_word_are_one_answer(folder):
    widening(folder)
    found = readers.load_answerer(str(folder))("кто", TEXT, top_k=3)
    places = [(f["start"], f["end"], f["answer"]) for f in found]
    assert places == [
        (6, 21, "Александронская"),
        (6, 31, TEXT[6:]),
        (22, 31, "Александр"),
    ]


def test_a_setting_that_is_no_truth_value_is_refused(folder):
    write_json(folder / "reader.json", read_json(folder / "reader.json") | {"whole_words": "often"})
    with pytest.raises(DataError, match=r"reader\.json: expected .* found in 'whole_words': "):
        readers.load_answerer(str(folder))


def test_the_default_reader_gives_whole_words():
    assert readers.load_answerer("default").whole_words
