"""Bad input to translation: markup in the texts, empty answers, right to left, broken systems.

Real translators are given it: a dictionary, and Apertium where it is installed.
"""

import shutil
from dataclasses import replace

import pytest

from babelspan.augment.cache import Cached
from babelspan.augment.mark import Carried, put_marks, read_marks
from babelspan.augment.statistics import Statistics
from babelspan.augment.strategies import STRATEGIES, Dropped, translated
from babelspan.augment.translate import Direction
from babelspan.translators import load_translator
from babelspan.types import Answer, Example, Span, TranslationError
from worded import WORDS, Worded

CONTEXT = "Paris is a city. It has two parks."
MARKUP = [
    "<b>",
    "</b>",
    "<b>Zz</b>",
    "<br/>",
    "3 < 5 > 2",
    "Q&Z",
    "&lt;b&gt; &amp;",
    "《1984》",
    "＜b＞",
    "^x/y$ [z] {w} \\ @ # ~",
    "\u200f",
    "\0",
    "\u2028",
]
SURROGATE = "\ud800"


def example(context=CONTEXT, answer="two parks", question="What has two parks?"):
    return Example(
        id="q1",
        question=question,
        context=context,
        answers=(Answer(answer, context.index(answer)),),
        question_language="en",
        context_language="en",
    )


def make(system, *examples, target="es", carriers=("marks",)):
    direction = Direction(Cached(system, None), "en", target)
    return translated(list(examples), direction, STRATEGIES["all"], carriers=carriers)


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory):
    path = tmp_path_factory.mktemp("dictionary") / "en-es.tsv"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in WORDS.items()), encoding="utf-8")
    return load_translator(f"lexicon:{path}")


@pytest.fixture(scope="module")
def apertium():
    if shutil.which("apertium") is None:
        pytest.skip("takes the Debian packages apertium, apertium-eng-spa")
    with load_translator("apertium") as system:
        yield system


@pytest.mark.parametrize("markup", [*MARKUP, SURROGATE])
def test_markup_beside_the_answer_stays_text(dictionary, markup):
    context = f"Paris is a city. It has {markup} two parks {markup}."
    made = make(dictionary, example(context, question=f"What {markup} has two parks?"))
    (new,) = made.examples["T(Q+C)"]
    kept = markup.replace(SURROGATE, "?")
    assert new.context == f"París es una ciudad. Ello tiene {kept} dos parques {kept}."
    assert new.question == f"Qué {kept} tiene dos parques?"
    assert [(a.text, a.is_in(new.context)) for a in new.answers] == [("dos parques", True)]
    assert made.repaired == 0


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_in_the_answer_stays_text(dictionary, markup):
    answer = f"two {markup} parks"
    (new,) = make(dictionary, example(f"It has {answer}.", answer)).examples["T(C)"]
    assert [(a.text, a.is_in(new.context)) for a in new.answers] == [
        (f"dos {markup} parques", True)
    ]


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_goes_through_apertium(apertium, markup):
    context = f"It rained {markup} all day. The town has two parks, {markup}."
    (new,) = make(apertium, example(context)).examples["T(C)"]
    assert new.context.count(markup) == 2
    assert [(a.text, a.is_in(new.context)) for a in new.answers] == [("dos parques", True)]


def test_a_long_text_without_a_sentence(dictionary):
    context = "the city, " * 3000 + "two parks"
    (new,) = make(dictionary, example(context)).examples["T(C)"]
    assert new.context == "la ciudad, " * 3000 + "dos parques"
    assert new.answers == (Answer("dos parques", 33000),)


def test_an_answer_that_is_all_of_a_long_text(dictionary):
    context = "It has two parks. " * 200 + "Paris."
    (new,) = make(dictionary, example(context, context)).examples["T(C)"]
    (answer,) = new.answers
    assert answer == Answer("Ello tiene dos parques. " * 200 + "París.", 0)
    assert answer.text == new.context


def test_the_same_question_twice(dictionary):
    made = make(dictionary, example(), example(), carriers=("marks", "match"))
    assert {s: len(examples) for s, examples in made.examples.items()} == {
        "T(Q)": 2,
        "T(C)": 2,
        "T(Q+C)": 2,
    }


@pytest.mark.parametrize("text", ["", " ", "\0", "?!"])
def test_questions_and_contexts_of_nothing(dictionary, text):
    nothing = replace(example(), question=text, context=text, answers=())
    (new,) = make(dictionary, nothing).examples["T(Q+C)"]
    assert (new.question, new.context, new.answers) == (text, text, ())


@pytest.mark.parametrize("answer", [Answer("", 0), Answer(" ", 5), Answer("two", 0)])
@pytest.mark.parametrize("carrier", ["marks", "match"])
def test_answers_of_nothing_are_dropped_and_told(dictionary, answer, carrier):
    made = make(dictionary, replace(example(), answers=(answer,)), carriers=(carrier,))
    blank = {"marks": "tags empty", "match": "no match"}[carrier]
    reason = blank if answer.text == " " else "answer without a place"
    assert made.dropped == [Dropped("q1", s, "es", reason) for s in ("T(C)", "T(Q+C)")]
    assert len(made.examples["T(Q)"]) == 1


ARABIC = "عاصمة فرنسا هي باريس."


@pytest.mark.parametrize(
    ("damaged", "text"),
    [
        ("عاصمة فرنسا هي <b>باريس</b>.", ARABIC),
        ("عاصمة فرنسا هي <\u200fb>باريس</\u200fb>.", ARABIC),
        ("عاصمة فرنسا هي <b>\u200fباريس\u200f</b>.", "عاصمة فرنسا هي \u200fباريس\u200f."),
        ("عاصمة فرنسا هي </b>باريس<b>.", ARABIC),
        ("عاصمة فرنسا هي <b>باريس،</b>.", "عاصمة فرنسا هي باريس،."),
    ],
)
def test_tags_in_text_from_right_to_left(damaged, text):
    source = "The capital of France is Paris."
    carried = read_marks(damaged, source, Span(25, 30), "b")
    assert isinstance(carried, Carried)
    assert (carried.text, carried.span.of(carried.text)) == (text, "باريس")


def test_arabic_with_vowel_marks_goes_through_a_dictionary(tmp_path):
    path = tmp_path / "ar-en.tsv"
    path.write_text("باريس\tParis\nمدينة\tcity\n", encoding="utf-8")
    context = "بَارِيس \u200fمدينة\u200f <&> باريس."
    asked = replace(
        example("x two parks"),
        context=context,
        answers=(Answer("باريس", context.rindex("باريس")),),
    )
    direction = Direction(Cached(load_translator(f"lexicon:{path}"), None), "ar", "en")
    made = translated([asked], direction, STRATEGIES["c"], carriers=("marks", "match"))
    (new,) = made.examples["T(C)"]
    assert new.context == "بَارِيس \u200fcity\u200f <&> Paris."
    assert new.answers == (Answer("Paris", new.context.index("Paris")),)
    assert made.carried == [("q1", ("marks", "match"))]


class Broken(Worded):
    """Answers what `answers` makes of good translations."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    def translate(self, texts, **how):
        return self.answers(super().translate(texts, **how))


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (lambda said: said[:-1], r"worded 1: expected 1 translations, found 0 items"),
        (lambda said: [*said, "more"], r"found 2 items, 2 of them texts; nothing of this batch"),
        (lambda said: [None for _ in said], r"found 1 items, 0 of them texts"),
    ],
)
def test_a_system_that_gives_other_than_it_was_asked(answers, message):
    with pytest.raises(TranslationError, match=message):
        make(Broken(answers), example())


def test_a_system_that_raises():
    def gone(said):
        raise TranslationError("worded: the server is gone")

    with pytest.raises(TranslationError, match="the server is gone"):
        make(Broken(gone), example())


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_a_system_that_gives_empty_strings(nothing):
    made = make(
        Broken(lambda said: [nothing for _ in said]), example(), carriers=("marks", "match")
    )
    assert not any(made.examples.values())
    assert [(d.strategy, d.reason) for d in made.dropped] == [
        ("T(Q)", "question lost"),
        ("T(C)", "tags lost"),
        ("T(Q+C)", "question lost"),
    ]


def test_a_system_that_writes_tags_of_its_own():
    titles = Worded({put_marks(CONTEXT[17:], Span(7, 16), "b"): "Tiene 《dos》 y《tres》 parques."})
    assert [d.reason for d in make(titles, example()).dropped] == ["tags lost"] * 2


def test_examples_made_from_others_are_counted_as_themselves(dictionary):
    asked = replace(example(), origin="q0", strategy="negatives")
    statistics = Statistics()
    statistics.add_original([asked], "en")
    statistics.add([asked], make(dictionary, asked), "es")
    assert [(r["strategy"], r["what"]) for r in statistics.rows()] == [
        ("original", 1),
        ("T(Q)", 1),
        ("T(C)", 1),
        ("T(Q+C)", 1),
    ]
