"""The default reader in a session of onnxruntime with default options, as the card describes it.

In 8 bits small differences of the arithmetic can change an answer. This engine switches two of
onnxruntime's optimisations off; other programs, such as optimum, do not.
"""

import re

import pytest

from babelspan import readers
from babelspan.data.squad import load_squad
from babelspan.engines import onnx
from babelspan.reading.answerer import Answerer

SAMPLE = readers.DEFAULT_FOLDER.parent / "samples" / "test.en.json"


def answers():
    found = Answerer(onnx.OnnxEngine(readers.DEFAULT_FOLDER)).predict(load_squad(SAMPLE))
    return [(one.text, one.score) for one in found]


def test_the_card_says_how_many_answers_depend_on_the_optimisations(monkeypatch):
    ours = answers()
    monkeypatch.setattr(onnx, "_SLOWER_FUSED", [])
    others = answers()
    differ = sum(a[0] != b[0] for a, b in zip(ours, others, strict=True))
    card = " ".join((readers.DEFAULT_FOLDER / "README.md").read_text("utf-8").split())
    said = re.search(r"(\d+) of (\d+) answers", card)
    assert said, "the card says nothing of onnxruntime's optimisations"
    assert int(said[2]) == len(ours) == 72
    assert differ == pytest.approx(int(said[1]), abs=3), f"{differ} differ now"  # by processor
    assert [a[1] for a in ours] != [b[1] for b in others]
