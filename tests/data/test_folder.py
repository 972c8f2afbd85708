"""Names of data files, the files of a folder, and the pairs of parallel sets."""

import json
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from babelspan.data import folder
from babelspan.data.folder import DataFile, cross, describe, find
from babelspan.data.squad import save_squad
from babelspan.data.texts import find_texts
from babelspan.types import DataError

FIXTURES = Path(__file__).parents[1] / "fixtures"
LANGUAGES = ("ar", "de", "en", "ko", "zh")


def parallel():
    return {f.context_language: f.load() for f in find([FIXTURES / "parallel"])}


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
@pytest.mark.parametrize(
    ("stem", "split", "question", "context"),
    [
        ("test.en", "test", "en", "en"),
        ("xquad.el", "xquad", "el", "el"),
        ("train-without-xquad.en", "train-without-xquad", "en", "en"),
        ("dev.en-zh", "dev", "en", "zh"),
        ("dev.bem-en", "dev", "bem", "en"),
        ("test.zh-Hant", "test", "zh-Hant", "zh-Hant"),
        ("test.zh-Hant-en", "test", "zh-Hant", "en"),
        ("test.en-zh-Hant", "test", "en", "zh-Hant"),
        ("test.zh-Hans-zh-Hant", "test", "zh-Hans", "zh-Hant"),
        ("test-context-de-question-en", "test", "en", "de"),
        ("dev-context-zh-Hant-question-ar", "dev", "ar", "zh-Hant"),
        ("train-v1.1", "train-v1.1", "und", "und"),
        ("dev", "dev", "und", "und"),
        ("test.EN", "test.EN", "und", "und"),
        ("test.english", "test.english", "und", "und"),
        ("xquad.en.predictions", "xquad.en.predictions", "und", "und"),
    ],
)
def test_a_name_says_split_and_languages(stem, split, question, context, suffix):
    path = Path("some.folder.de") / f"{stem}{suffix}"

    assert describe(path) == DataFile(path, split, question, context)


def test_a_loaded_file_has_the_languages_of_its_name():
    file = describe(FIXTURES / "mlqa" / "test-context-zh-question-de.json")
    (example,) = file.load()

    assert (example.question_language, example.context_language) == ("de", "zh")
    assert example.question == "Was stammt aus dem Jahr 1752?"
    assert example.context.startswith("布伦村位于")


def test_offsets_of_a_file_are_checked_unless_kept():
    file = describe(FIXTURES / "byte_offsets.json")
    with pytest.raises(DataError, match=r"byte_offsets\.json: question 'oertze-2'"):
        file.load()

    assert len(file.load(keep_misplaced=True)) == 3


def test_a_folder_with_one_split_is_found_whole():
    found = find([FIXTURES / "parallel"])

    assert [f.context_language for f in found] == list(LANGUAGES)
    assert {f.split for f in found} == {"test"}


def test_a_folder_with_several_splits_needs_one_chosen():
    folder = FIXTURES / "mlqa"
    message = rf"^{re.escape(str(folder))}: holds the splits dev, test; choose one with --split$"
    with pytest.raises(DataError, match=message):
        find([folder])

    for split in ("dev", "test"):
        found = find([folder], split=split)
        assert {f.split for f in found} == {split}
        assert {(f.question_language, f.context_language) for f in found} == {
            ("en", "en"),
            ("en", "de"),
            ("de", "en"),
            ("de", "de"),
            ("de", "zh"),
            ("zh", "de"),
            ("zh", "zh"),
        }
        assert len(found) == 7


def test_files_below_and_gzip_files_are_found_and_others_passed_over(tmp_path):
    examples = parallel()["ko"]
    (tmp_path / "deep").mkdir()
    save_squad(tmp_path / "deep" / "test.ko.json.gz", examples)
    for name in ("config.json", "test.en.jsonl.bz2", "test.en.txt", "test.en.json.part", "x.gz"):
        (tmp_path / name).write_text("{}")

    (found,) = find([tmp_path])
    assert found.path == tmp_path / "deep" / "test.ko.json.gz"
    assert found.load() == examples


def test_a_file_that_is_named_is_taken_whatever_its_name():
    paths = [FIXTURES / "squad_v2.0.json", FIXTURES / "mlqa" / "dev-context-en-question-de.json"]
    found = find(paths, split="test")

    assert [f.path for f in found] == paths
    assert found[0].question_language == "und"


@pytest.mark.parametrize(
    ("folder", "split", "message"),
    [
        ("parallel", "dev", r"expected files named like dev\.en\.json, .*, found the split test$"),
        ("mlqa", "train", r"expected files named like .*, found the splits dev, test$"),
    ],
)
def test_a_split_that_is_not_there_is_said(folder, split, message):
    with pytest.raises(DataError, match=rf"^{re.escape(str(FIXTURES / folder))}: {message}"):
        find([FIXTURES / folder], split=split)


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(DataError, match=rf"^{re.escape(str(tmp_path))}: .*, found none$"):
        find([tmp_path])


def test_crossing_gives_every_pair_with_the_answers_of_the_context():
    sets = parallel()
    by_id = {language: {e.id: e for e in examples} for language, examples in sets.items()}
    pairs = cross(sets)

    assert set(pairs) == set(product(LANGUAGES, LANGUAGES))
    for (question, context), examples in pairs.items():
        assert [e.id for e in examples] == [e.id for e in sets[context]]
        for example in examples:
            asked, searched = by_id[question][example.id], by_id[context][example.id]
            assert example == replace(searched, question=asked.question, question_language=question)
    assert pairs["de", "zh"][1].question == "Wann wurde die Bücherei eröffnet?"
    assert pairs["de", "zh"][1].answers[0].text == "1932年"


def test_crossing_a_set_with_itself_changes_nothing():
    sets = parallel()

    assert all(cross(sets)[language, language] == sets[language] for language in LANGUAGES)


def test_ids_without_a_partner_cannot_be_crossed():
    sets = parallel()
    fewer = {"en": sets["en"], "ko": [e for e in sets["ko"] if e.id != "tabor-2"]}
    message = (
        r"^question 'tabor-2' of 'en' has no counterpart in 'ko'; crossing needs parallel sets"
    )
    with pytest.raises(DataError, match=message):
        cross(fewer)
    with pytest.raises(DataError, match=message):
        cross(dict(reversed(fewer.items())))


def flat(path):
    rows = (
        {"id": str(n), "context": f"text {n}", "question": "?", "answers": None} for n in range(3)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_large_file_of_flat_records_has_the_questions_of_a_small_one(tmp_path, monkeypatch):
    file = describe(flat(tmp_path / "train.en.jsonl"))
    at_once = list(file.examples())
    monkeypatch.setattr(folder, "_LARGE", 1)

    assert len(at_once) == 3
    assert list(file.examples()) == at_once


def test_the_texts_of_flat_records_are_their_contexts(tmp_path):
    flat(tmp_path / "train.en.jsonl")
    (file,) = find_texts([tmp_path])

    assert [text.text for text in file.texts()] == ["text 0", "text 1", "text 2"]
