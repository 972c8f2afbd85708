"""The cheap first pass: texts ranked by pieces of words, against BM25 written out by hand."""

import gzip
import json
import math
import random

import numpy as np
import pytest

from babelspan.text.shortlist import Shortlist

TEXTS = [
    "Penicillin was discovered by Alexander Fleming in London.",
    "Die Brücke wurde 1894 eröffnet. Gebaut hat sie Horace Jones.",
    "東京タワーは1958年に完成した。",
    "ประเทศไทยมีเมืองหลวงคือกรุงเทพมหานคร",
    "수도는 서울이며 한강이 흐른다.",
    "Der Baikalsee liegt in Sibirien.",
    "جسر البرج في لندن",
]


@pytest.mark.parametrize(
    ("question", "right"),
    [
        ("Who discovered penicillin?", 0),
        ("¿Quién descubrió la penicilina?", 0),
        ("Wann eröffnete man die BRÜCKE?", 1),
        ("東京タワーはいつ完成しましたか", 2),
        ("เมืองหลวงของประเทศไทยคืออะไร", 3),
        ("서울에는 어떤 강이 있나?", 4),
        ("Wo ist der Baikal?", 5),
        ("أين يقع جسر البرج؟", 6),
        ("In which year, 1958?", 2),
        ("Ｆｌｅｍｉｎｇ", 0),
    ],
)
def test_the_text_that_shares_most_is_first(question, right):
    assert Shortlist(TEXTS).best(question, 1) == [right]


def test_indices_come_in_the_order_of_the_texts_and_ties_by_it():
    shortlist = Shortlist(["alpha beta", "nothing", "gamma", "alpha"])
    assert shortlist.best("alpha", 2) == [0, 3]
    assert shortlist.best("alpha", 99) == [0, 1, 2, 3]
    assert shortlist.best("?!", 2) == [0, 1]
    assert shortlist.scores("?!").tolist() == [0, 0, 0, 0]
    assert Shortlist([]).best("alpha", 3) == []
    with pytest.raises(ValueError, match="count must be 1 or more, got 0"):
        shortlist.best("alpha", 0)


def test_scores_are_those_of_bm25_with_squared_rarity_by_hand():
    """One piece " ab " (df 2 of 3); lengths with spaces 4, 10, 6, mean 20/3."""
    found = Shortlist(["ab", "ab ab xyz", "wxyz"]).scores("AB.")
    rarity = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    expected = [
        rarity**2 * n * 2.2 / (n + 1.2 * (0.25 + 0.75 * length * 3 / 21))
        for n, length in ((1, 4), (1, 11), (0, 6))
    ]
    assert found == pytest.approx(np.array(expected), rel=1e-6)


@pytest.mark.data
def test_the_right_text_of_a_folder_in_many_languages_is_kept(real_data):
    """300 texts of XQuAD in eight languages, questions in the language of their text."""
    rng = random.Random(7)
    texts, asked = [], []
    for file in sorted((real_data / "qa" / "xquad").glob("test.??.json.gz")):
        articles = json.loads(gzip.decompress(file.read_bytes()))["data"]
        paragraphs = [p for article in articles for p in article["paragraphs"]]
        for paragraph in rng.sample(paragraphs, 40):
            asked.append((paragraph["qas"][0]["question"], len(texts)))
            texts.append(paragraph["context"])
    shortlist = Shortlist(texts)
    kept = sum(right in shortlist.best(question, 10) for question, right in asked)
    assert kept / len(asked) > 0.97


def test_the_question_and_what_is_put_to_each_text_take_turns():
    put = ["Which bridge, 1958?"] * len(TEXTS)
    put[1] = "Which bridge, 1958? Brücke"
    put[5] = "Which bridge, 1958? Sibirien"
    shortlist = Shortlist(TEXTS)
    assert shortlist.ranked("Which bridge, 1958?")[:2] == [2, 0]
    assert shortlist.ranked("Which bridge, 1958?", put)[:4] == [2, 5, 0, 1]
    assert shortlist.best("Which bridge, 1958?", 2, put=put) == [2, 5]
    same = ["Which bridge, 1958?"] * len(TEXTS)
    assert shortlist.ranked("Which bridge, 1958?", same)[:2] == [2, 0]
