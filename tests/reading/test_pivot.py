"""Answers by way of English: the default reader with a translator of rules, and with Apertium."""

import json
import shutil
import subprocess
import sys

import pytest

from babelspan.readers import load_answerer
from babelspan.reading.answerer import Answerer
from babelspan.reading.pivot import Pivot
from babelspan.translators import load_translator
from babelspan.types import ConfigError, Example
from doubtful import Doubtful
from worded import Worded

QUESTION = "Cuántos parques tiene la ciudad?"
SAID = {QUESTION: "How many parks does the city have?"}
SPANISH = "París es una ciudad. La ciudad tiene dos parques. El alcalde es Hidalgo."
ENGLISH = "Paris is a big city. The city has two parks."


@pytest.fixture(scope="module")
def answerer():
    return load_answerer()


def example(question, context, question_language="es", context_language="es"):
    return Example(
        id="q",
        question=question,
        context=context,
        answers=None,
        question_language=question_language,
        context_language=context_language,
    )


def predicted(answerer, *asked, wrong=None, **options):
    (prediction,) = Pivot(answerer, Worded(SAID | (wrong or {}))).predict(
        [example(*asked)], **options
    )
    return prediction


def test_the_answer_is_a_place_of_the_original_context(answerer):
    prediction = predicted(answerer, QUESTION, SPANISH)
    assert prediction.text == "dos"
    assert prediction.span.of(SPANISH) == "dos"
    assert 0 < prediction.score <= 1


def test_a_text_in_the_language_of_the_pivot_is_answered_in_place(answerer):
    translator = Worded(SAID)
    asked = example(QUESTION, ENGLISH, "es", "en")
    (prediction,) = Pivot(answerer, translator).predict([asked])
    assert prediction.span.of(ENGLISH) == prediction.text == "two"
    assert translator.asked == [QUESTION]


def test_without_another_language_nothing_is_translated(answerer):
    translator = Worded()
    asked = example("What has the city?", ENGLISH, "en", "en")
    assert list(Pivot(answerer, translator).predict([asked])) == list(answerer.predict([asked]))
    assert translator.asked == []


def test_an_answer_translated_back_otherwise_is_found_as_the_reader_gave_it(answerer):
    context = "París es una ciudad. El alcalde de la ciudad es Hidalgo."
    prediction = predicted(answerer, "Quién es El alcalde?", context, wrong={"Hidalgo": "el noble"})
    assert prediction.span.of(context) == "Hidalgo"


def test_an_answer_that_is_nowhere_keeps_its_text(answerer):
    back = {"two": "un par"}
    prediction = predicted(answerer, QUESTION, SPANISH, wrong=back)
    assert (prediction.span, prediction.text) == (None, "un par")


def test_no_answer_stays_none(answerer):
    doubtful = Answerer(Doubtful(answerer.engine, by=40.0))
    prediction = predicted(doubtful, QUESTION, "Ello es grande.", allows_no_answer=True)
    assert (prediction.span, prediction.text) == (None, "")


def test_answers_keep_their_order_over_many_examples(answerer):
    asked = [
        example(QUESTION, f"Town {n} es una ciudad. La ciudad tiene {n} parques.")
        for n in range(140)
    ]
    found = list(Pivot(answerer, Worded(SAID)).predict(asked))
    assert [p.text.split()[0] for p in found] == [str(n) for n in range(140)]
    assert all(p.span.of(e.context) == p.text for e, p in zip(asked, found, strict=True))


def test_asking_several_texts(answerer):
    pivot = Pivot(answerer, Worded(SAID))
    spoken = {"question_language": "es", "context_language": "es"}
    found = pivot.ask(QUESTION, ["París es grande.", SPANISH], top_k=1, **spoken)
    assert [(f.context, f.prediction.text) for f in found] == [(1, "dos")]
    assert pivot.ask(QUESTION, []) == []
    assert pivot.ask(QUESTION, SPANISH, top_k=3, **spoken) == pivot.ask(
        QUESTION, [SPANISH], top_k=3, **spoken
    )
    with pytest.raises(ValueError, match="the question is empty"):
        pivot.ask(" ", [SPANISH])
    with pytest.raises(ValueError, match=r"context: expected a text \(str\), got None"):
        pivot.ask(QUESTION, [None])


def test_languages_have_to_be_known(answerer):
    with pytest.raises(ConfigError, match="a pivot needs the languages of question and"):
        predicted(answerer, "Qué?", SPANISH, "und", "es")


def test_the_identity_says_translator_and_language(answerer):
    assert Pivot(answerer, Worded()).identity == "worded 1>en"


apertium = pytest.mark.skipif(
    shutil.which("apertium") is None, reason="takes the Debian packages apertium, apertium-eng-spa"
)


@apertium
def test_apertium_as_the_translator(answerer):
    context = "Marie Curie nació en Varsovia en 1867. Ganó el premio Nobel dos veces."
    asked = example("¿Dónde nació Marie Curie?", context)
    (prediction,) = Pivot(answerer, load_translator("apertium")).predict([asked])
    assert prediction.span.of(context) == prediction.text == "Varsovia"


@apertium
def test_asking_by_the_command_line(tmp_path):
    text = tmp_path / "curie.txt"
    text.write_text("Marie Curie nació en Varsovia en 1867.", encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "babelspan", "ask", "¿Dónde nació Marie Curie?", str(text)),
            *("--pivot", "apertium", "--question-language", "es", "--context-language", "es"),
            "--json",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    (found,) = json.loads(done.stdout)
    assert (found["answer"], found["start"], found["end"]) == ("Varsovia", 21, 29)
