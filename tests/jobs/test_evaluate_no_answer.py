"""Measuring with questions that have no answer: the reader may say so, and only then."""

from dataclasses import replace

import pytest

from babelspan.data.squad import load_squad
from babelspan.jobs.evaluate import measure
from babelspan.jobs.samples import SAMPLES
from babelspan.readers import load_answerer
from babelspan.scoring.scorers import load_scorer
from babelspan.types import Answer, DataError


@pytest.fixture(scope="module")
def sets():
    """Some sample questions over their texts, and the same over texts that do not answer them."""
    examples = load_squad(SAMPLES / "test.en.json", question_language="en", context_language="en")[
        :40:5
    ]
    texts = [e.context for e in examples]
    elsewhere = [
        replace(e, id=f"{e.id}-elsewhere", context=text, answers=())
        for e, text in zip(examples, texts[-1:] + texts[:-1], strict=True)
    ]
    return examples, elsewhere


@pytest.mark.parametrize("scorer", ["squad2", "unicode"])
def test_a_reader_may_give_no_answer_where_some_question_has_none(sets, scorer):
    answered, elsewhere = sets
    examples = answered + elsewhere
    answerer = load_answerer("default")
    measured = measure(answerer, {("en", "en"): examples}, load_scorer(scorer))

    said = measured.predictions["en", "en"]
    expected = answerer.predict(examples, allows_no_answer=True)
    assert said == {p.id: p.text for p in expected}
    silent = [e.id for e in elsewhere if said[e.id] == ""]
    assert silent
    f1s = dict(zip(said, measured.matrix.cells["en", "en"].f1s, strict=True))
    assert all(f1s[identity] == 1 for identity in silent)

    claimed = [replace(e, answers=(Answer("x", None),)) for e in elsewhere]
    forced = measure(answerer, {("en", "en"): claimed}, load_scorer(scorer))
    assert "" not in forced.predictions["en", "en"].values()


def test_scorers_that_know_no_such_questions_refuse_them_before_anything_is_read(sets):
    _, elsewhere = sets
    answerer = load_answerer("default")
    with pytest.raises(DataError, match=r"no gold answer, and the scorer 'korquad' knows only"):
        measure(answerer, {("en", "en"): elsewhere}, load_scorer("korquad"))
