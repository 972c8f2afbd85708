"""Figures of generated questions against sacrebleu's command line, nltk and cases by hand."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from babelspan.scoring.diversity import distinct, self_bleu
from babelspan.scoring.questions import TOKENIZERS, Measure, question_figures, tokens
from babelspan.scoring.recognition import Recogniser
from babelspan.types import Answer, Example

WRITTEN = [
    "Who wrote the play in 1602?",
    "when was the library 's collection shown?",
    "谁写了这部剧？",
    "",
    "What is the capital of the Land, in the north-west?",
]
GOLD = [
    "Who wrote the play of 1602?",
    "When was the library's collection first shown?",
    "谁写的这部剧？",
    "Where does the lake lie?",
    "What is the capital of the land in the north-west?",
]


def command_line(tmp_path, written, gold, *more):
    """What `sacrebleu` prints for two files."""
    for name, lines in (("written", written), ("gold", gold)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sacrebleu",
            tmp_path / "gold",
            "-i",
            tmp_path / "written",
            "-b",
            "-w",
            "10",
            *more,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout) / 100


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("tokenize", ["words", "13a", "zh"])
def test_bleu_and_chrf_are_those_of_the_command_line(tmp_path, tokenize, lowercase):
    measure = Measure(tokenize=tokenize, lowercase=lowercase)
    written, gold, named = WRITTEN, GOLD, tokenize
    if tokenize == "words":
        written, gold = ([" ".join(tokens(line)) for line in lines] for lines in (WRITTEN, GOLD))
        named = "none"
    case = ["-lc"] if lowercase else []
    assert measure.bleu(WRITTEN, GOLD) == pytest.approx(
        command_line(tmp_path, written, gold, "--tokenize", named, *case), abs=1e-9
    )
    case = ["--chrf-lowercase"] if lowercase else []
    assert measure.chrf(WRITTEN, GOLD) == pytest.approx(
        command_line(tmp_path, WRITTEN, GOLD, "-m", "chrf", "--chrf-word-order", "2", *case),
        abs=1e-9,
    )


def test_words_and_marks_are_cut_apart_in_every_script():
    assert tokens("Who's in the north-west, 1.5 km?") == [
        "Who's",
        "in",
        "the",
        "north-west",
        ",",
        "1.5",
        "km",
        "?",
    ]
    assert tokens("谁写了؟ हाँ।") == ["谁", "写", "了", "؟", "हाँ", "।"]
    assert tokens(" \n") == []


def test_the_signature_says_how_words_are_cut_and_which_versions():
    line = Measure().signature()
    assert "tok:none" in line
    assert "words:babelspan" in line
    assert "case:mixed" in line
    assert "nw:2" in line
    assert "version:2." in line
    line = Measure(tokenize="13a", lowercase=True).signature()
    assert "tok:13a" in line
    assert "case:lc" in line
    assert "words:babelspan" not in line


def test_no_tokenizer_needs_a_network():
    for tokenize in TOKENIZERS:
        assert Measure(tokenize=tokenize).bleu(GOLD, GOLD) == pytest.approx(1)


texts = st.lists(st.lists(st.sampled_from("abcd"), max_size=8), min_size=2, max_size=6)


@settings(max_examples=40, deadline=None)
@given(texts)
def test_self_bleu_is_the_mean_over_nltk(questions):
    smoothing = SmoothingFunction().method1
    each = [
        sentence_bleu(
            [q for j, q in enumerate(questions) if j != i], question, smoothing_function=smoothing
        )
        if question
        else 0.0
        for i, question in enumerate(questions)
    ]
    assert self_bleu(questions) == pytest.approx(sum(each) / len(each))


def test_diversity_by_hand():
    assert distinct([["a", "b", "a"], ["a", "b"]], 1) == pytest.approx(2 / 5)
    assert distinct([["a", "b", "a"], ["a", "b"]], 2) == pytest.approx(2 / 3)
    assert distinct([["a"]], 2) is None
    assert self_bleu([["a"]]) is None
    same = [["who", "is", "it", "now", "?"]] * 3
    assert self_bleu(same) == pytest.approx(1)


def test_languages_are_told_by_samples():
    told = Recogniser(
        {
            "en": ["When was the lake found?", "Who lives in the north?"],
            "es": ["¿Cuándo se encontró el lago?", "¿Quién vive en el norte?"],
            "fr": [],
        }
    )
    assert told.language_of("who was the king of the lake?") == "en"
    assert told.language_of("¿quién encontró el norte?") == "es"
    assert told.language_of("?!") is None
    assert Recogniser({}).language_of("who") is None


def test_figures_of_a_cell_by_hand():
    def example(identity, question, answer, context):
        return Example(
            id=identity,
            question=question,
            context=context,
            question_language="en",
            context_language="en",
            answers=(Answer(answer, context.index(answer)),),
        )

    examples = [
        example("1", "Who wrote it?", "Anna", "Anna wrote the play."),
        example("2", "Where is the lake?", "Siberia", "The lake is in Siberia."),
    ]
    told = Recogniser({"en": ["Who wrote it?", "Where is the lake?"], "es": ["¿Dónde está?"]})
    written = ["did Anna write?", ""]
    found = question_figures(examples, written, told, Measure(), missing=1)
    assert found.copied == pytest.approx(1 / 3)  # of did, Anna, write
    assert found.with_answer == pytest.approx(1 / 2)
    assert found.right_language == pytest.approx(1 / 2)
    assert (found.question_words, found.gold_words) == (1.5, 3.5)
    assert (found.questions, found.missing) == (2, 1)
    assert found.chrf_each.tolist()[1] == 0
    assert found.chrf == pytest.approx(Measure().chrf(written, [e.question for e in examples]))
