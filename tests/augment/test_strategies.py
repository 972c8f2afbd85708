"""T(Q), T(C), T(Q+C): what examples become, how answers travel, what is dropped and why."""

import pytest

from babelspan.augment.strategies import STRATEGIES, Dropped, linkable, translated
from babelspan.augment.translate import Direction
from babelspan.types import Alignment, Answer, Example, SentencePair
from worded import Worded

CONTEXT = "Paris is a city. It has two parks. The river of Paris is big."
SPANISH = "París es una ciudad. Ello tiene dos parques. La río de París es grande."


def example(identity="q1", question="What has two parks?", answer="two parks", **fields):
    answers = () if answer is None else (Answer(answer, CONTEXT.index(answer)),)
    return Example(
        **{
            "id": identity,
            "question": question,
            "context": CONTEXT,
            "answers": answers,
            "question_language": "en",
            "context_language": "en",
            "title": "Paris",
            **fields,
        }
    )


def make(*examples, strategies=STRATEGIES["all"], wrong=None, **options):
    direction = Direction(Worded(wrong), "en", "es")
    return translated(list(examples or [example()]), direction, strategies, **options)


def test_t_of_q_translates_the_question_only():
    (new,) = make().examples["T(Q)"]
    assert (new.question, new.question_language) == ("Qué tiene dos parques?", "es")
    assert (new.context, new.context_language, new.answers) == (CONTEXT, "en", example().answers)
    assert (new.id, new.origin, new.strategy) == ("q1-es-en", "q1", "T(Q)")
    assert new.title == "Paris"


def test_t_of_c_translates_the_context_only():
    (new,) = make().examples["T(C)"]
    assert (new.question, new.question_language) == ("What has two parks?", "en")
    assert (new.context, new.context_language) == (SPANISH, "es")
    assert new.answers == (Answer("dos parques", SPANISH.index("dos")),)
    assert (new.id, new.origin, new.strategy) == ("q1-en-es", "q1", "T(C)")


def test_t_of_q_and_c_translates_both():
    (new,) = make().examples["T(Q+C)"]
    assert (new.question, new.context) == ("Qué tiene dos parques?", SPANISH)
    assert (new.id, new.strategy) == ("q1-es-es", "T(Q+C)")


@pytest.mark.parametrize("strategy", ["q", "c", "qc"])
def test_only_what_is_wanted_is_translated(strategy):
    made = make(strategies=STRATEGIES[strategy])
    assert list(made.examples) == list(STRATEGIES[strategy])
    translator = Worded()
    translated([example()], Direction(translator, "en", "es"), STRATEGIES[strategy])
    assert ("What has two parks?" in translator.asked) == ("q" in strategy)
    assert ("Paris is a city." in translator.asked) == ("c" in strategy)


def test_of_several_answers_the_first_with_a_place_travels():
    answers = (Answer("2 parks", None), Answer("parks", CONTEXT.index("parks")), Answer("It", 17))
    (new,) = make(example(answers=answers)).examples["T(C)"]
    assert [a.text for a in new.answers] == ["parques"]


def test_questions_without_an_answer_go_along():
    unanswerable = example("q2", answer=None)
    unknown = example("q3", answers=None)
    made = make(unanswerable, unknown)
    assert [e.answers for e in made.examples["T(Q+C)"]] == [(), None]
    assert [e.context for e in made.examples["T(C)"]] == [SPANISH, SPANISH]
    assert made.carried == []


@pytest.mark.parametrize(
    ("wrong", "strategies", "reason"),
    [
        ({"What has two parks?": ""}, ["T(Q)", "T(Q+C)"], "question lost"),
        ({"It has <b>two parks</b>.": "Ello tiene dos parques."}, ["T(C)", "T(Q+C)"], "tags lost"),
        ({"Paris is a city.": ""}, ["T(C)", "T(Q+C)"], "sentence lost"),
    ],
)
def test_what_is_lost_is_listed_with_its_reason(wrong, strategies, reason):
    made = make(wrong=wrong)
    assert made.dropped == [Dropped("q1", s, "es", reason) for s in strategies]
    kept = {s for s, examples in made.examples.items() if examples}
    assert kept == set(STRATEGIES["all"]) - set(strategies)


def test_an_answer_without_a_place_cannot_travel():
    made = make(example(answers=(Answer("two parks", None),)))
    assert [d.reason for d in made.dropped] == ["answer without a place"] * 2
    assert len(made.examples["T(Q)"]) == 1


def test_matching_finds_the_answer_translated_apart():
    made = make(carriers=("match",))
    assert made.examples["T(C)"][0].answers == (Answer("dos parques", SPANISH.index("dos")),)


def test_matching_looks_in_the_sentence_that_the_answer_was_in():
    last = example(answers=(Answer("Paris", CONTEXT.rindex("Paris")),))
    made = make(last, carriers=("match",))
    assert made.examples["T(C)"][0].answers == (Answer("París", SPANISH.rindex("París")),)


def test_what_does_not_match_is_dropped():
    made = make(carriers=("match",), wrong={"two parks": "un par de parques"})
    assert [d.reason for d in made.dropped] == ["no match"] * 2


def test_the_first_carrier_that_brings_the_answer_is_taken_and_all_are_counted():
    wrong = {"It has <b>two parks</b>.": "Ello tiene dos parques."}
    made = make(carriers=("marks", "match"), wrong=wrong)
    assert made.examples["T(C)"][0].answers[0].text == "dos parques"
    assert made.carried == [("q1", ("match",))]
    assert make(carriers=("marks", "match")).carried == [("q1", ("marks", "match"))]
    lost = {**wrong, "two parks": "nada"}
    both = make(carriers=("marks", "match"), wrong=lost)
    assert both.carried == [("q1", ())]
    assert both.dropped[0].reason == "tags lost"


def test_repairs_are_counted():
    made = make(wrong={"It has <b>two parks</b>.": "Ello tiene < b >dos parques</b>."})
    assert made.repaired == 1
    assert make().repaired == 0


class Links:
    """Word by word, as `Worded` translates."""

    def align(self, pairs):
        self.pairs = [pair.pair for pair in pairs]
        return [
            Alignment(frozenset((i, i) for i in range(len(pair.source_words)))) for pair in pairs
        ]


def test_links_carry_the_answer():
    links = Links()
    made = make(carriers=("links",), aligner=links)
    assert links.pairs == [SentencePair("It has two parks", "Ello tiene dos parques")]
    assert made.examples["T(C)"][0].answers == (Answer("dos parques", SPANISH.index("dos")),)


def test_an_answer_without_links_is_dropped():
    class Nothing:
        def align(self, pairs):
            return [Alignment(frozenset()) for _ in pairs]

    made = make(carriers=("links",), aligner=Nothing())
    assert [d.reason for d in made.dropped] == ["no links"] * 2


def test_the_pairs_to_link_are_the_sentences_with_answers():
    direction = Direction(Worded(), "en", "es")
    assert linkable([example(), example("q2", answer="big")], direction) == [
        SentencePair("It has two parks", "Ello tiene dos parques"),
        SentencePair("The river of Paris is big", "La río de París es grande"),
    ]


@pytest.mark.parametrize(("context", "answer"), [("... 5", "..."), ("!? It has.", "!?")])
def test_a_sentence_without_words_has_none_to_link(context, answer):
    asked = example(context=context, answers=(Answer(answer, 0),))
    direction = Direction(Worded({context: "..."}), "en", "es")
    assert linkable([asked], direction) == []


def test_sentences_of_odd_length_are_told():
    question = "What has the two parks of Paris?"
    wrong = {"The river of Paris is big.": "La.", question: "Qué?"}
    made = make(example(question=question), wrong=wrong)
    assert made.odd == [(question, "Qué?"), ("The river of Paris is big.", "La.")]
    assert make(example(question=question), wrong=wrong, strategies=STRATEGIES["q"]).odd == [
        (question, "Qué?")
    ]
