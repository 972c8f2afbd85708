"""A table of words from texts, vectors and dictionaries."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from babelspan.data.squad import save_squad
from babelspan.types import Answer, ConfigError, DataError, Example
from babelspan.vocabulary.own_vectors import train_vectors
from babelspan.vocabulary.word_sources import Sources, table_of
from babelspan.vocabulary.word_table import FIRST, UNKNOWN, load_words

ENGLISH = "The old cat sat on a mat in Rome ."
CHINESE = "老貓在羅馬的墊子上"
VECTORS = {"老": [1, 0], "貓": [0, 2], "羅馬": [3, 3], "在": [4, 0], "老貓": [9, 9], "Rome": [5, 5]}


def example(text, language, question="?"):
    return Example(
        id=language,
        question=question,
        context=text,
        answers=(Answer(text[:1], 0),),
        question_language=language,
        context_language=language,
    )


@pytest.fixture
def folder(tmp_path):
    for text, language in ((ENGLISH, "en"), (CHINESE, "zh")):
        save_squad(tmp_path / f"train.{language}.json", [example(text, language)])
    lines = [f"{word} {' '.join(map(str, v))}" for word, v in VECTORS.items()]
    (tmp_path / "zh.vec").write_text("\n".join([f"{len(lines)} 2", *lines]))
    pairs = ["cat\t狗", "cat\t貓", "old\t老貓在", "in\t在", "mat\t墊", "sat\t坐"]
    (tmp_path / "mine.en-zh.tsv").write_text("\n".join(pairs))
    return tmp_path


def sources(folder, **others):
    given = {
        "texts": (folder / "train.en.json", folder / "train.zh.json"),
        "vectors": {"zh": folder / "zh.vec"},
        "dictionaries": (folder / "mine.en-zh.tsv",),
    }
    return Sources(**{**given, **others})


def made(of, **settings):
    given = {"unspaced": "words", "spelling": 4, "sides": ("en", "zh"), "sides_by": "language"}
    return table_of(of, **{**given, **settings})


def vector(found, word, language):
    return found.vectors[found.table.row_of(word, language)].tolist()


def test_a_word_has_the_vector_of_its_first_translation_that_has_one(folder):
    found = made(sources(folder))
    assert vector(found, "貓", "zh") == [0, 2]
    assert found.table.row_of("cat", "en") == found.table.row_of("貓", "zh")
    assert found.table.row_of("CAT", "en") == found.table.row_of("cat", "en")
    assert found.table.row_of("dog", "en") == UNKNOWN


def test_a_phrase_has_the_mean_of_its_words(folder):
    """ICU cuts the translation of `old`, which the file does not have, into 老, 貓 and 在."""
    found = made(sources(folder))
    mean = np.mean([VECTORS[word] for word in "老貓在"], axis=0)
    assert vector(found, "old", "en") == mean.astype(np.float16).tolist()


def test_a_word_without_a_translation_is_unknown_or_the_same_in_the_other_language(folder):
    found = made(sources(folder))
    assert [found.table.row_of(w, "en") for w in ("mat", "sat", "zebra")] == [UNKNOWN] * 3
    assert vector(found, "Rome", "en") == [5, 5]  # the target's, for the same string
    assert found.words["en"] == 11
    assert found.known["en"] == 4  # old, cat, in, Rome


def test_learnt_vectors_are_shared_by_translations(folder):
    found = made(sources(folder, vectors={}))
    assert found.vectors is None
    table = found.table
    assert table.row_of("cat", "en") == table.row_of("貓", "zh") != UNKNOWN
    rows = {row for of_language in table.words.values() for row in of_language.values()}
    assert rows == set(range(FIRST, table.rows))


def test_a_word_whose_translations_have_no_row_has_one_of_its_own(folder):
    """`mat` and `sat` stand in the dictionary, with words that the Chinese text does not have."""
    found = made(sources(folder, vectors={}))
    table = found.table
    assert found.known == found.words
    assert table.row_of("sat", "en") not in {*table.words["zh"].values(), UNKNOWN}
    assert len({table.row_of(word, "en") for word in ("cat", "mat", "sat")}) == 3
    twice = made(sources(folder, vectors={}, least=2)).table
    assert twice.row_of("sat", "en") == UNKNOWN  # which comes once


def test_dictionaries_of_both_directions_share_rows_as_one_does(folder):
    (folder / "mine.zh-en.tsv").write_text("貓\tcat\n在\tin\n")
    both = (folder / "mine.en-zh.tsv", folder / "mine.zh-en.tsv")
    found = made(sources(folder, vectors={}, dictionaries=both))
    table = found.table
    assert found.known == found.words
    for english, chinese in (("cat", "貓"), ("in", "在")):
        assert table.row_of(english, "en") == table.row_of(chinese, "zh") != UNKNOWN


def test_a_word_with_a_vector_of_its_own_needs_no_translation(folder):
    """The phrase 老貓在 would be a mean of vectors that nothing uses."""
    (folder / "en.vec").write_text("2 2\nold 7 8\nsat 1 1\n")
    both = {"en": folder / "en.vec", "zh": folder / "zh.vec"}
    found = made(sources(folder, vectors=both))
    assert vector(found, "old", "en") == [7, 8]
    assert vector(found, "cat", "en") == [0, 2]
    assert len(found.vectors) == found.table.rows


def test_the_table_is_saved_and_loaded(folder, tmp_path):
    table = made(sources(folder)).table
    table.save(tmp_path / "saved")
    assert load_words(tmp_path / "saved") == table
    replace(table, rows=4).save(tmp_path / "broken")
    with pytest.raises(DataError, match="expected words with rows below 4, found the row"):
        load_words(tmp_path / "broken")


def test_sides_go_by_origin(folder):
    table = made(sources(folder)).table
    asked = example(CHINESE, "zh")
    assert table.side_of(asked, "zh") == 1
    assert table.side_of(replace(asked, strategy="T(Q+C)", origin="1"), "zh") == 0
    assert table.side_of(example(ENGLISH, "en"), "en") == 0
    assert table.side_of(asked, "und") == 1
    by_chance = replace(table, sides_by="chance")
    drawn = [by_chance.side_of(replace(asked, id=str(n)), "zh") for n in range(200)]
    assert 70 < sum(drawn) < 130
    translated = replace(asked, id="x", strategy="T(Q)", origin="7")
    assert by_chance.side_of(translated, "zh") == drawn[7]


def test_widths_must_agree(folder):
    (folder / "en.vec").write_text("the 1 2 3\n")
    both = {"zh": folder / "zh.vec", "en": folder / "en.vec"}
    with pytest.raises(DataError, match=r"expected vectors as wide as .* found widths 2, 3"):
        made(sources(folder, vectors=both))


def test_a_dictionary_of_other_languages_is_told(folder):
    other = Path(folder / "mine.de-fr.tsv")
    other.write_text("Katze\tchat\n")
    with pytest.raises(ConfigError, match=r"mine.de-fr.tsv: expected a dictionary between"):
        made(sources(folder, dictionaries=(other,)))


def test_own_vectors_put_words_of_like_use_together(tmp_path):
    """The same twice, and a number that stands where numbers stand is near another one."""
    lines = [f"in {n} lived {w} of Rome" for n in range(10, 40) for w in ("kings", "queens")]
    (tmp_path / "news.en.txt").write_text("\n\n".join(lines * 4))
    for name in ("a", "b"):
        count = train_vectors([tmp_path / "news.en.txt"], "en", tmp_path / f"{name}.vec", width=8)
    assert count == 30 + 6
    assert (tmp_path / "a.vec").read_bytes() == (tmp_path / "b.vec").read_bytes()
    with pytest.raises(DataError, match="expected texts in 'fr' with words"):
        train_vectors([tmp_path / "news.en.txt"], "fr", tmp_path / "c.vec")
