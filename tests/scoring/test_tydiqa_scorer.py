"""The gold passage task: SQuAD 1.1 by language, and the mean without English."""

import pytest

from babelspan.scoring.figures import figures
from babelspan.scoring.scorers import squad, tydiqa
from babelspan.types import Answer, DataError, Example


def example(identity, gold, language="und"):
    return Example(
        id=identity,
        question="?",
        context="",
        answers=(Answer(gold, None),),
        question_language=language,
        context_language=language,
    )


EXAMPLES = [
    example("finnish-1-0", "kissa"),
    example("english--2-0", "cat"),
    example("finnish--3-1", "kissa koira"),
    example("korean-4-0", "서울"),
    example("finnish-5-0", "kala"),
]
SAID = {
    "finnish-1-0": "the kissa",
    "english--2-0": "cat",
    "finnish--3-1": "kissa",
    "korean-4-0": "부산",
}


def test_the_mean_is_over_languages_without_english():
    found = figures(EXAMPLES, SAID, tydiqa)

    assert tydiqa.details(EXAMPLES, found) == {
        "exact_match": pytest.approx((1 / 3 + 0) / 2),
        "f1": pytest.approx(((1 + 2 / 3) / 3 + 0) / 2),
        "languages": {
            "fi": {
                "exact_match": pytest.approx(1 / 3),
                "f1": pytest.approx((1 + 2 / 3) / 3),  # P 1/1, R 1/2; and one without a prediction
                "questions": 3,
            },
            "en": {"exact_match": 1, "f1": 1, "questions": 1},
            "ko": {"exact_match": 0, "f1": 0, "questions": 1},
        },
    }
    assert (found.exact_match, found.missing) == (2 / 5, 1)
    of_squad = figures(EXAMPLES, SAID, squad)
    assert found.f1s.tolist() == of_squad.f1s.tolist()


def test_english_alone_has_no_mean():
    only = EXAMPLES[1:2]
    details = tydiqa.details(only, figures(only, SAID, tydiqa))
    assert (details["exact_match"], details["f1"]) == (None, None)
    assert details["languages"]["en"]["f1"] == 1


def test_the_language_is_that_of_the_id_or_of_the_file():
    mixed = [example("finnish-1-0", "kissa", "sw"), example("q2", "paka", "sw")]
    found = figures(mixed, {"q2": "paka"}, tydiqa)
    assert list(tydiqa.details(mixed, found)["languages"]) == ["fi", "sw"]

    unnamed = [example("martian-1-0", "x")]
    with pytest.raises(DataError, match=r"^question 'martian-1-0': expected an id that starts"):
        tydiqa.details(unnamed, figures(unnamed, {}, tydiqa))


def test_the_languages_are_the_eleven_of_tydi_qa():
    assert len(tydiqa.LANGUAGES) == len(set(tydiqa.LANGUAGES.values())) == 11
    assert next(iter(tydiqa.LANGUAGES.items())) == ("english", "en")
