"""The CMRC 2018 rule: by pencil, its words against NLTK's, its longest run against a search."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.scoring.figures import Figures
from babelspan.scoring.scorers import cmrc

# P and R are the units of the longest run that both have, over those of the one and the other.
BY_PENCIL = [
    # prediction, gold, exact match, F1
    ("东京", "东京", 1, 1),
    ("《东京》。", " 东京", 1, 1),
    ("东京!", "东京", 0, 4 / 5),  # P 2/3, R 2/2: only signs of the list go
    ("京东", "东京", 0, 1 / 2),  # one character in a row: P 1/2, R 1/2
    ("东西京", "东京", 0, 2 / 5),  # P 1/3, R 1/2
    ("东西南北", "西南", 0, 2 / 3),  # P 2/4, R 2/2
    ("东 京", "东京", 0, 1),  # the fault: the exact match looks at the space, F1 does not
    ("- 东京", "东京", 0, 1),  # and white space is cut off before the sign goes
    ("……东京", "东京", 0, 4 / 5),  # the fault: two dots are one word, and never go; P 2/3
    ("3-5年", "35年", 1, 1),  # the fault: what stands round a sign grows together
    ("iPhone 4S手机", "iphone 4s 手机", 0, 1),
    ("iPhone 4S手机", "iphone手机", 0, 4 / 7),  # 手 机 in a row: P 2/4, R 2/3
    ("1—2年", "1年", 0, 1 / 3),  # 1 — 2 年: P 1/4, R 1/2
    ("𠮷野", "𠮷", 0, 2 / 3),  # a character beyond the range is a word of its own run
    ("\u9fa5\u9fa5", "\u9fa5", 0, 2 / 3),  # the last that is cut
    ("\u9fa6\u9fa6", "\u9fa6", 0, 0),  # and the first that is not
    ("。", "", 1, 0),
    ("", "东", 0, 0),
]


@pytest.mark.parametrize(("prediction", "gold", "exact_match", "f1"), BY_PENCIL)
def test_figures_by_pencil(prediction, gold, exact_match, f1):
    assert cmrc.exact_match(prediction, gold, "zh") == exact_match
    assert cmrc.f1(prediction, gold, "zh") == pytest.approx(f1, abs=1e-12)


def test_the_average_is_that_of_both_figures():
    found = Figures(np.array([1.0, 0.0]), np.array([1.0, 0.5]), 0)
    assert cmrc.details([], found) == {"average": 0.625}


# What NLTKWordTokenizer().tokenize of NLTK 3.10.4 gives, with spaces between the words.
WORDS = [
    ("henry a. walsh", "henry a. walsh"),
    ("it ended in 1894.", "it ended in 1894 ."),
    ('he said "no."', "he said `` no . ''"),
    ('"house blend" ', "`` house blend ''"),
    ("u.s.", "u.s ."),
    ("1,000.5", "1,000.5"),
    ("red,blue,", "red , blue ,"),
    (",,a", ", ,a"),
    ("nt$25,000", "nt $ 25,000"),
    ("42%", "42 %"),
    ("wait...", "wait ..."),
    ("really?!", "really ? !"),
    ("(b. laciniata)", "( b. laciniata )"),
    ("1990—1995", "1990 — 1995"),
    ("can't, won't", "ca n't , wo n't"),
    ("cannot gimme", "can not gim me"),
    ("i'm the dog's 'tail'", "i 'm the dog 's ' tail '"),
    ("they'll've", "they'll 've"),
    ("'tis gonna'tis", "' tis gon na 't is"),
    ("«x» ‘y", "« x » ‘ y"),
    ("  ", ""),
]


@pytest.mark.parametrize(("run", "words"), WORDS)
def test_words_of_a_run(run, words):
    assert cmrc.words(run) == words.split()


SIGNS = "abs .,'\"?!()[]{}<>@#$%&;«»‘„–—…03\t\n\x1féカıſ\u0301"
CLITICS = "'' 's n't 'll 're can not cannot gonna wanna 'tis 'twas gimme gotta lemme more'n d'ye"
RUNS = st.lists(
    st.sampled_from([*SIGNS, *CLITICS.split(), " '", "wanna ", "u.s.", "...", "서울", "क्षि"]),
    max_size=9,
).map("".join)


@settings(max_examples=100)
@given(RUNS)
def test_words_are_those_of_nltk(run):
    destructive = pytest.importorskip("nltk.tokenize.destructive", reason="needs nltk>=3.10")
    assert cmrc.words(run) == destructive.NLTKWordTokenizer().tokenize(run)


UNITS = st.lists(st.sampled_from("abc"), max_size=8)


@settings(max_examples=100)
@given(UNITS, UNITS)
def test_the_longest_shared_run_is_that_of_a_search_through_all(one, other):
    runs = [one[i:j] for i in range(len(one)) for j in range(i, len(one) + 1)]
    shared = [
        run for run in runs if any(other[k : k + len(run)] == run for k in range(len(other) + 1))
    ]
    assert cmrc.longest_shared_run(one, other) == max(map(len, shared), default=0)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([*"东京，《》·", "ab", " ", "-", "4", "…", "\u3400"]), max_size=8))
def test_units_leave_nothing_out(pieces):
    text = "".join(pieces)
    assert re.sub(r"\s", "", "".join(cmrc.units(text))) == re.sub(r"\s|[，《》·-]", "", text)
