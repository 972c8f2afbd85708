"""An exported reader that is read in no time: it looks its vectors up, and multiplies them once.

For tests of what stands round a reader: jobs, files, the command line. A word fits a question by
chance, but the words of some right answers stand out, so that figures are neither 0 nor 1.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from babelspan.data.calibrations import CALIBRATION, Curve, save_curve
from babelspan.data.exported import INPUTS, MODEL, OUTPUTS, SETTINGS, TOKENIZER
from babelspan.data.files import write_json
from babelspan.readers import checksum_of
from babelspan.version import VERSION

WIDTH = 4
SPECIAL = ("[CLS]", "[PAD]", "[SEP]", "[UNK]")
IS_CALIBRATED = Curve(slope=0.9, offset=-0.1, reader="")


def write_table_reader(folder, examples, *, seed=0):
    """Write the files of a calibrated reader that has some answers right and others wrong.

    Args:
        folder: made if need be.
        examples: whose words it knows, any other is [UNK] to it; the first and the last words of
            every second one's answer stand out.
        seed: of its logits.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    examples = list(examples)
    split = pre_tokenizers.Whitespace()
    texts = [text for example in examples for text in (example.question, example.context)]
    words = sorted({word for text in texts for word in _words(split, text)})
    ids = {word: number for number, word in enumerate((*SPECIAL, *words))}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = split
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 0), ("[SEP]", 2)],
    )
    tokenizer.save(str(folder / TOKENIZER))
    rng = np.random.default_rng(seed)
    vectors, starts, lasts = rng.normal(0, 1, (3, len(ids), WIDTH)).astype(np.float32)
    bonus = np.zeros((2, len(ids)), np.float32)
    for example in examples[::2]:
        of_answer = _words(split, example.answers[0].text)
        bonus[[0, 1], [ids[of_answer[0]], ids[of_answer[-1]]]] = 6
    onnx.save(_network(vectors, (starts, lasts), bonus), folder / MODEL)
    settings = {"max_positions": 512, "pad_id": 1, "precision": "fp32", "babelspan": VERSION}
    write_json(folder / SETTINGS, settings)
    curve = IS_CALIBRATED._replace(reader=checksum_of(str(folder)))
    save_curve(folder / CALIBRATION, curve)
    return folder


def _words(split, text):
    return [word for word, _ in split.pre_tokenize_str(text)]


def _network(vectors, places, bonus):
    """A logit of a word is its vector by the sum of those of the question, and its bonus.

    Args:
        vectors: of words in a question, (words, WIDTH).
        places: of words as the first one of an answer and as the last, both (words, WIDTH).
        bonus: of words as the first one and as the last, (2, words).
    """
    node = helper.make_node
    nodes = [
        node("Cast", [INPUTS[2]], ["in_text"], to=TensorProto.FLOAT),
        node("Sub", ["one", "in_text"], ["in_question"]),  # (B, L)
        node("Unsqueeze", ["in_question", "last_axis"], ["shares"]),
        node("Gather", ["vectors", INPUTS[0]], ["looked_up"]),
        node("Mul", ["looked_up", "shares"], ["of_question"]),
        node("ReduceSum", ["of_question", "middle_axis"], ["question"]),  # (B, 1, WIDTH)
    ]
    tables = {
        "one": np.ones((), np.float32),
        "last_axis": np.array([2]),
        "middle_axis": np.array([1]),
        "vectors": vectors,
    }
    for name, place, more in zip(OUTPUTS, places, bonus, strict=True):
        tables |= {f"{name}_place": place, f"{name}_bonus": more}
        nodes += [
            node("Gather", [f"{name}_place", INPUTS[0]], [f"{name}_found"]),
            node("Mul", [f"{name}_found", "question"], [f"{name}_by_question"]),
            node("ReduceSum", [f"{name}_by_question", "last_axis"], [f"{name}_fit"], keepdims=0),
            node("Gather", [f"{name}_bonus", INPUTS[0]], [f"{name}_more"]),
            node("Add", [f"{name}_fit", f"{name}_more"], [name]),
        ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "reader",
        [info(name, TensorProto.INT64, ["B", "L"]) for name in INPUTS],
        [info(name, TensorProto.FLOAT, ["B", "L"]) for name in OUTPUTS],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in tables.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
