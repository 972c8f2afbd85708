"""The answerer with a small deterministic engine: shapes of calls, order, batches, threads."""

import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from babelspan.reading.answerer import Answerer
from babelspan.reading.windows import Featurizer
from babelspan.seams import Logits
from babelspan.types import ConfigError, DataError, Example, Limits

GERMAN = "Die alte Brücke liegt über dem Fluß. Anna Köhler baute sie im Jahr 1984 bei Görlingen."
CHINESE = "古老的桥在河上，建于一九八四年。👨\u200d👩\u200d👧\u200d👦在桥上。"
KOREAN = "오래된 다리는 강 위에 있다.\r\n다리는 어디에 있나요?"
HINDI = "पुराना पुल क्षत्रिय नदी के ऊपर है।"
CONTEXTS = [GERMAN, CHINESE, KOREAN, HINDI]


class HashEngine:
    """Logits that hash each token, its place in the window and the sum of the window's tokens."""

    def __init__(self, featurizer, *, no_answer=0.0):
        self.featurizer = featurizer
        self.no_answer = no_answer
        self.lengths = []
        self.closed = 0

    @property
    def limits(self):
        return self.featurizer.limits

    def windows(self, examples, limits=None):
        return self.featurizer.windows(examples, limits)

    def read(self, windows):
        try:
            for window in windows:
                self.lengths.append(window.length)
                yield self.logits(window)
        finally:
            self.closed += 1

    def logits(self, window):
        ids = window.ids().astype(np.int64)
        places = np.arange(len(ids))
        mixed = (ids * 7919 + places * 104729 + ids.sum() * 31 + window.types()) % 9973
        start_logits = (mixed % 101 / 10).astype(np.float32)
        last_logits = (mixed // 101 / 10).astype(np.float32)
        start_logits[0] = last_logits[0] = self.no_answer
        return Logits(start_logits, last_logits)


@pytest.fixture
def encoder(tokenizer):
    return Featurizer(tokenizer, max_positions=128, pad_id=1)


def examples():
    return [
        Example(
            id=f"q{i}",
            question=f"Who built the bridge number {i}?",
            context=CONTEXTS[i % 4] * (1 + i % 5),
            answers=None,
            question_language="en",
            context_language="und",
        )
        for i in range(11)
    ]


def answerer_of(encoder, **engine):
    return Answerer(HashEngine(encoder, **engine), limits=Limits(max_length=80, overlap=16))


def test_answers_do_not_depend_on_their_order(encoder):
    alone = list(answerer_of(encoder).predict(examples()))
    assert [p.id for p in alone] == [e.id for e in examples()]
    assert all(p.span and p.span.of(e.context) == p.text != "" for p, e in zip_(alone, examples()))
    assert list(answerer_of(encoder).predict(examples()[::-1])) == alone[::-1]
    singly = [p for e in examples() for p in answerer_of(encoder).predict([e])]
    assert singly == alone


def zip_(one, other):
    return zip(one, other, strict=True)


def test_an_example_beyond_the_first_chunk_is_answered_in_order(encoder):
    many = [
        Example(
            id=str(i),
            question="Who?",
            context=f"{CONTEXTS[i % 4]} {i}",
            answers=None,
            question_language="en",
            context_language="und",
        )
        for i in range(150)
    ]
    predictions = list(answerer_of(encoder).predict(iter(many)))
    assert [p.id for p in predictions] == [str(i) for i in range(150)]
    assert predictions[140:] == list(answerer_of(encoder).predict(many[140:]))


def test_windows_of_the_next_examples_are_cut_while_the_first_are_read(encoder):
    """Of three chunks of 128 the second is taken before the first is given out, the third not."""
    taken = []

    def asked():
        for i in range(300):
            taken.append(i)
            yield replace(examples()[0], id=str(i))

    answerer = answerer_of(encoder)
    answers = answerer.predict(asked())
    assert taken == []
    assert next(answers).id == "0"
    assert len(taken) == 256
    answers.close()
    assert len(taken) == 256


def test_an_answerer_that_is_stopped_stops_the_reading(encoder):
    """Of two chunks that are under way the one that was being read is closed."""
    answerer = answerer_of(encoder)
    answers = answerer.predict(replace(examples()[0], id=str(i)) for i in range(300))
    next(answers)
    answers.close()
    assert answerer.engine.closed == 1


def test_predict_says_no_answer_only_where_allowed(encoder):
    sure = answerer_of(encoder, no_answer=500.0)
    assert all(p.span for p in sure.predict(examples()))
    for prediction in sure.predict(examples(), allows_no_answer=True):
        assert (prediction.span, prediction.text) == (None, "")
        assert prediction.score == pytest.approx(1.0)
        assert prediction.logit == prediction.no_answer_logit == 1000.0


@pytest.mark.parametrize("context", ["", " \n\t \u3000\r\n", "\u200b"])
def test_a_context_with_nothing_in_it_is_answered_by_nothing_or_by_what_is_there(encoder, context):
    answer = answerer_of(encoder)("Who?", context)
    assert answer["answer"] == context[answer["start"] : answer["end"]]
    assert answer["answer"].strip() == answer["answer"]
    if not context.strip():
        assert answer == {"score": 0.0, "start": 0, "end": 0, "answer": ""}


def test_one_question_and_one_context_give_a_dict(encoder):
    answer = answerer_of(encoder)("Wer baute die Brücke?", GERMAN)
    assert list(answer) == ["score", "start", "end", "answer"]
    assert GERMAN[answer["start"] : answer["end"]] == answer["answer"] != ""
    assert 0 < answer["score"] <= 1
    assert [type(v) for v in answer.values()] == [float, int, int, str]


def test_top_k_gives_distinct_answers_best_first(encoder):
    answerer = answerer_of(encoder)
    answers = answerer("Who?", GERMAN, top_k=7)
    assert len(answers) == 7
    assert len({(a["start"], a["end"]) for a in answers}) == 7
    assert all(one["score"] >= other["score"] for one, other in pairwise(answers))
    assert sum(a["score"] for a in answers) <= 1
    assert answers[0] == answerer("Who?", GERMAN)
    assert len(answerer("Who?", "Anna", top_k=2000)) < 2000


def test_lists_are_paired_or_broadcast(encoder):
    answerer = answerer_of(encoder)
    apart = [answerer(q, c) for q, c in [("Who?", GERMAN), ("Wo?", CHINESE)]]
    assert answerer(["Who?", "Wo?"], [GERMAN, CHINESE]) == apart
    assert answerer(("Who?", "Wo?"), (GERMAN, CHINESE)) == apart
    assert answerer("Who?", [GERMAN, KOREAN]) == [apart[0], answerer("Who?", KOREAN)]
    assert answerer(["Who?", "Wo?"], GERMAN) == [apart[0], answerer("Wo?", GERMAN)]
    assert answerer(["Who?"], GERMAN) == answerer("Who?", [GERMAN]) == [apart[0]]
    assert answerer([], GERMAN) == answerer([], []) == []


def test_lists_with_top_k_are_nested(encoder):
    answerer = answerer_of(encoder)
    nested = answerer(["Who?", "Wo?"], GERMAN, top_k=3)
    assert nested == [answerer(q, GERMAN, top_k=3) for q in ("Who?", "Wo?")]
    assert [len(answers) for answers in nested] == [3, 3]
    assert answerer(["Who?"], [GERMAN], top_k=3) == nested[:1]


def test_impossible_answers_are_empty_from_0_to_0(encoder):
    sure = answerer_of(encoder, no_answer=500.0)
    answer = sure("Who?", GERMAN, handle_impossible_answer=True)
    assert answer == {"score": pytest.approx(1.0), "start": 0, "end": 0, "answer": ""}
    assert sure("Who?", GERMAN)["answer"] != ""
    first, *rest = sure("Who?", GERMAN, top_k=3, handle_impossible_answer=True)
    assert (first["answer"], len(rest)) == ("", 2)
    assert all(a["answer"] for a in rest)
    unsure = answerer_of(encoder, no_answer=-500.0)
    assert unsure("Who?", GERMAN, handle_impossible_answer=True) == unsure("Who?", GERMAN)


def test_defaults_are_those_of_the_pipeline(encoder):
    answerer = answerer_of(encoder)
    assert answerer("Who?", GERMAN, max_answer_len=15) == answerer("Who?", GERMAN)
    limited = answerer("Who?", GERMAN, top_k=5, max_answer_len=1)
    longest = max(len(a["answer"]) for a in answerer("Who?", GERMAN, top_k=50))
    assert max(len(a["answer"]) for a in limited) < longest
    list(answerer.predict(examples()[:1]))
    assert (answerer.max_answer_tokens, answerer.limits) == (30, Limits(max_length=80, overlap=16))


def test_a_limit_of_the_answerer_holds_in_a_call(encoder):
    one = Answerer(HashEngine(encoder), limits=Limits(max_length=80), max_answer_tokens=1)
    fifteen = Answerer(HashEngine(encoder), limits=Limits(max_length=80))
    assert one("Who?", GERMAN, top_k=9) == fifteen("Who?", GERMAN, top_k=9, max_answer_len=1)
    assert one("Who?", GERMAN, top_k=9) != fifteen("Who?", GERMAN, top_k=9)
    long = Answerer(HashEngine(encoder), limits=Limits(max_length=80), max_answer_tokens=40)
    assert long("Who?", GERMAN, top_k=9) == fifteen("Who?", GERMAN, top_k=9, max_answer_len=40)


def test_limits_of_one_call_set_the_windows(encoder):
    answerer = answerer_of(encoder)
    long = GERMAN * 10
    answerer("Who?", long, max_seq_len=60, doc_stride=0)
    count = len(answerer.engine.lengths)
    assert max(answerer.engine.lengths) == 60
    answerer.engine.lengths.clear()
    answerer("Who?", long, max_seq_len=60, doc_stride=20)
    assert len(answerer.engine.lengths) > count


def test_windows_longer_than_the_reader_takes_are_refused(encoder):
    with pytest.raises(ConfigError, match=r"windows of 10000 tokens .* takes 128 or fewer"):
        answerer_of(encoder)("Who?", GERMAN, max_seq_len=10_000)
    default = Answerer(HashEngine(encoder), limits=Limits())
    default("Who?", GERMAN * 10)
    assert max(default.engine.lengths) == encoder.max_positions


def test_a_stride_that_cannot_be_kept_is_refused_with_what_can(encoder):
    room = 60 - encoder.frame.size - len(encoder.tokens("Who?").ids)
    with pytest.raises(ConfigError, match=rf"--overlap\) to {room - 1} or less"):
        answerer_of(encoder)("Who?", GERMAN * 10, max_seq_len=60, doc_stride=room)


@pytest.mark.parametrize("question", ["", "  \n", ["Who?", " "]])
def test_an_empty_question_is_refused(encoder, question):
    with pytest.raises(ValueError, match="the question is empty; ask something"):
        answerer_of(encoder)(question, GERMAN)
    if isinstance(question, str):
        with pytest.raises(ValueError, match="the question is empty; ask something"):
            answerer_of(encoder).ask(question, [GERMAN])


def test_unlike_lists_are_refused(encoder):
    with pytest.raises(ValueError, match="as many questions as contexts, got 2 and 3"):
        answerer_of(encoder)(["Who?", "Wo?"], [GERMAN, CHINESE, KOREAN])


def test_senseless_numbers_are_refused(encoder):
    for value in (0, "3", 1.5, True):
        with pytest.raises(ValueError, match=rf"top_k must be a whole number, 1 .*, got {value!r}"):
            answerer_of(encoder)("Who?", GERMAN, top_k=value)
        with pytest.raises(ValueError, match=rf"max_answer_len must be .*, got {value!r}"):
            answerer_of(encoder)("Who?", GERMAN, max_answer_len=value)
        with pytest.raises(ValueError, match=rf"top_k must be .*, got {value!r}"):
            answerer_of(encoder).ask("Who?", [GERMAN], top_k=value)
    with pytest.raises(ValueError, match=r"max_answer_tokens must be .*, got 0"):
        Answerer(HashEngine(encoder), max_answer_tokens=0)


def test_a_question_too_long_is_refused_by_its_id(encoder):
    long = examples()[3]
    asked = [*examples()[:3], Example(**{**fields(long), "question": "bridge " * 200})]
    with pytest.raises(DataError, match=r"question 'q3' has \d+ tokens, which leaves 0 of 80"):
        list(answerer_of(encoder).predict(asked))


def fields(example):
    return {name: getattr(example, name) for name in Example.__slots__}


def test_ask_finds_the_best_of_all_contexts(encoder):
    answerer = answerer_of(encoder)
    contexts = [GERMAN * 3, "", CHINESE, " \n ", KOREAN, HINDI]
    found = answerer.ask("Who built it?", contexts, top_k=8)
    assert len(found) == 8
    logits = [f.prediction.logit for f in found]
    assert logits == sorted(logits, reverse=True)
    assert all(one.prediction.score >= two.prediction.score for one, two in pairwise(found))
    assert 0 < sum(f.prediction.score for f in found) <= 1
    for f in found:
        span = f.prediction.span
        assert contexts[f.context][span.start : span.end] == f.prediction.text
        assert f.prediction.text.strip() == f.prediction.text != ""
    for context in range(len(contexts)):
        spans = sorted(
            (f.prediction.span.start, f.prediction.span.end) for f in found if f.context == context
        )
        assert all(one[1] <= two[0] for one, two in pairwise(spans))
    each = [answerer.ask("Who built it?", [c]) for c in contexts]
    assert [len(e) for e in each] == [1, 0, 1, 0, 1, 1]
    best = min((-e[0].prediction.logit, i) for i, e in enumerate(each) if e)
    assert (-found[0].prediction.logit, found[0].context) == best


def test_ask_shares_the_probability_among_contexts_and_nowhere(encoder):
    """Of n equal contexts an answer has x / (n S + 1): its inverse grows by the same S / x."""
    answerer = answerer_of(encoder)
    found = [answerer.ask("Who?", [GERMAN] * n)[0] for n in (1, 2, 3)]
    assert {f.prediction.span for f in found} == {found[0].prediction.span}
    assert [f.context for f in found] == [0, 0, 0]
    one, two, three = (1 / f.prediction.score for f in found)
    assert two - one > 0
    assert three - two == pytest.approx(two - one, rel=1e-9)
    assert one > two - one  # "nowhere" has a share


def test_ask_prefers_the_context_that_does_not_say_no_answer(encoder):
    """All spans weigh the same; the engine says "no answer" the louder, the longer the text."""

    class Null(HashEngine):
        def logits(self, window):
            start_logits = np.zeros(window.length, np.float32)
            start_logits[0] = window.length / 10
            return Logits(start_logits, start_logits)

    answerer = Answerer(Null(encoder), limits=Limits(max_length=128))
    found = answerer.ask("Who?", [GERMAN, KOREAN[:8], CHINESE], top_k=3)
    assert found[0].context == 1
    tokens = len(encoder.tokens("Who?").ids) + len(encoder.tokens(KOREAN[:8]).ids)
    assert found[0].prediction.logit == pytest.approx(-(tokens + encoder.frame.size) / 5)


def test_ask_looks_beyond_one_high_peak_for_a_second_answer(encoder):
    """The peak raises up to 51 spans, those that start at 20 or end at 21, all overlapping."""

    class Peak(HashEngine):
        def logits(self, window):
            logits = super().logits(window)
            logits.start[20] += 100
            logits.last[21] += 100
            return logits

    one, two = Answerer(Peak(encoder), limits=Limits(max_length=128)).ask("Who?", [GERMAN], top_k=2)
    assert one.prediction.logit >= 200
    assert two.prediction.logit < 100
    spans = sorted((f.prediction.span.start, f.prediction.span.end) for f in (one, two))
    assert spans[0][1] <= spans[1][0]


@pytest.mark.parametrize("contexts", [[], [""], ["", " \n"]])
def test_ask_of_nothing_finds_nothing(encoder, contexts):
    assert answerer_of(encoder).ask("Who?", contexts, top_k=3) == []


def test_ask_tells_how_far_it_is(encoder):
    answerer = answerer_of(encoder)
    calls = []
    contexts = [GERMAN * 4, "", CHINESE, KOREAN] * 40
    answerer.ask("Who?", contexts, watch=lambda done, total: calls.append((done, total)))
    windows = len(answerer.engine.lengths)
    assert calls[-1] == (windows, windows)
    assert len(calls) == windows
    assert all(one[0] < two[0] and one[1] <= two[1] for one, two in pairwise(calls))
    assert all(done <= total for done, total in calls)


def test_an_answerer_serves_many_threads_at_once(encoder):
    answerer = answerer_of(encoder)
    asked = examples()[:6]
    expected = [answerer(e.question, e.context) for e in asked]
    answers = [[None] * len(asked) for _ in range(4)]

    def ask(row):
        for i, e in enumerate(asked):
            answers[row][i] = answerer(e.question, e.context)

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 4


def test_ask_multiplies_the_odds_of_a_context_by_its_weight(encoder):
    answerer = answerer_of(encoder)
    plain = answerer.ask("Who?", [GERMAN, GERMAN], top_k=2)
    assert answerer.ask("Who?", [GERMAN, GERMAN], top_k=2, weights=[1, 1]) == plain
    found = answerer.ask("Who?", [GERMAN, GERMAN], top_k=20, weights=[1, 3])
    best = {f.context: f.prediction for f in reversed(found)}
    assert found[0].context == 1
    assert best[1].span == best[0].span == plain[0].prediction.span
    assert best[1].score == pytest.approx(3 * best[0].score, rel=1e-9)


def test_weights_leave_the_odds_of_no_answer_as_they_are(encoder):
    """An answer of weight w has w x / (w S + 1): its inverse grows by 1 / x with 1 / w."""
    answerer = answerer_of(encoder)
    found = [answerer.ask("Who?", [GERMAN], weights=[1 / n])[0] for n in (1, 1000, 1999)]
    one, two, three = (1 / f.prediction.score for f in found)
    assert two - one > 0
    assert three - two == pytest.approx(two - one, rel=1e-6)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, float("nan")]])
def test_senseless_weights_are_refused(encoder, weights):
    with pytest.raises(ValueError, match="weights must be 2 positive numbers, one for each conte"):
        answerer_of(encoder).ask("Who?", [GERMAN, GERMAN], weights=weights)
