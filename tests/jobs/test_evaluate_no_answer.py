"""Measuring with questions that have no answer: the reader may say so where it is let."""

from dataclasses import replace

import pytest

from babelspan.data.files import read_json
from babelspan.data.predictions import RECORD
from babelspan.data.squad import load_squad
from babelspan.jobs.answer import Answering
from babelspan.jobs.evaluate import measure
from babelspan.jobs.samples import SAMPLES
from babelspan.readers import load_answerer
from babelspan.reading.answerer import Answerer
from babelspan.scoring.scorers import load_scorer
from babelspan.types import Answer, ConfigError, DataError
from doubtful import Doubtful


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


@pytest.fixture(scope="module")
def answerer():
    """The default reader, made to doubt, so that "no answer" sometimes wins."""
    return Answerer(Doubtful(load_answerer("default").engine, by=17.0))


def answering(answerer, allows_no_answer=False):
    return Answering(lambda: answerer, allows_no_answer)


@pytest.mark.parametrize("scorer", ["squad2", "unicode"])
def test_a_reader_may_give_no_answer_where_it_is_let(sets, answerer, scorer):
    answered, elsewhere = sets
    examples = answered + elsewhere
    measured = measure(answering(answerer, True), {("en", "en"): examples}, load_scorer(scorer))

    said = measured.predictions["en", "en"]
    expected = answerer.predict(examples, allows_no_answer=True)
    assert said == {p.id: p.text for p in expected}
    silent = [e.id for e in elsewhere if said[e.id] == ""]
    assert silent
    f1s = dict(zip(said, measured.matrix.cells["en", "en"].f1s, strict=True))
    assert all(f1s[identity] == 1 for identity in silent)


@pytest.mark.parametrize("allows", [False, True])
def test_gold_answers_do_not_decide_what_a_reader_may_say(sets, answerer, allows):
    answered, elsewhere = sets
    claimed = [replace(e, answers=(Answer("x", None),)) for e in elsewhere]
    of_both = [
        measure(
            answering(answerer, allows), {("en", "en"): answered + some}, load_scorer("unicode")
        ).predictions["en", "en"]
        for some in (elsewhere, claimed)
    ]
    assert of_both[0] == of_both[1]
    assert ("" in of_both[0].values()) is allows


def test_what_a_reader_may_say_is_recorded_and_keeps_answers_apart(sets, answerer, tmp_path):
    cells = {("en", "en"): sets[0][:2]}
    scorer = load_scorer("unicode")
    measure(answering(answerer), cells, scorer, keep=tmp_path)
    assert read_json(tmp_path / RECORD)["no_answer"] is False
    with pytest.raises(ConfigError, match=r"holds a job that differs in no_answer; choose another"):
        measure(answering(answerer, True), cells, scorer, keep=tmp_path)


def test_squad2_takes_a_reader_that_may_say_so(sets, answerer, tmp_path):
    with pytest.raises(
        ConfigError, match=r"'squad2' expects readers .* add --no-answer, or choose"
    ):
        measure(
            answering(answerer),
            {("en", "en"): sets[0]},
            load_scorer("squad2"),
            keep=tmp_path / "kept",
        )
    assert not (tmp_path / "kept").exists()


def test_scorers_that_know_no_such_questions_refuse_them_before_anything_is_read(sets, answerer):
    _, elsewhere = sets
    with pytest.raises(DataError, match=r"no gold answer; the scorer 'korquad' needs one"):
        measure(answering(answerer), {("en", "en"): elsewhere}, load_scorer("korquad"))
