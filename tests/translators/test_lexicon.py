"""Word by word from a dictionary."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from babelspan.translators import load_translator
from babelspan.translators.lexicon import Coverage
from babelspan.types import ConfigError, DataError

GERMAN = """dog\tHund
red\trot
dog house\tHundehaus
New York\tNeu York
well-known\tbekannt
the\tder
who\twer
stop\thalten
"""
CHINESE = """dog\t狗
red\t红
who\t谁
Beijing\t北京
university\t大学
Peking University\t北京大学
work\t工作
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "en-de.tsv").write_text(GERMAN)
    (tmp_path / "en-zh.tsv").write_text(CHINESE)
    return tmp_path


def translated(files, text, source, target, tags=("b", "i")):
    return load_translator(f"lexicon:{files}").translate(
        [text], source=source, target=target, tags=tags
    )[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the red dog", "der rot Hund"),
        ("The red dog house, the dog.", "Der rot Hundehaus, der Hund."),
        ("the dog  house", "der Hundehaus"),
        ("the dog, house", "der Hund, house"),
        ("a well-known man in New York", "a bekannt man in Neu York"),
        ("Dogs stopped", "Hund halten"),
        (" \n  \t", " \n  \t"),
        ("dog\nhouse  red\u00a0dog", "Hundehaus  rot\u00a0Hund"),
        ("", ""),
        ("1894 & x<y <u> [1] \\ 3.5 %", "1894 & x<y <u> [1] \\ 3.5 %"),
        ("<b>dog</b> house", "<b>Hund</b> house"),
        ("the <b>dog house</b><i>red</i></b>", "der <b>Hundehaus</b><i>rot</i></b>"),
        ("it's the dog's", "it's der Hund"),
    ],
)
def test_into_a_language_with_spaces(files, text, expected):
    assert translated(files, text, "en", "de") == expected


def test_what_is_no_tag_is_text(files):
    assert translated(files, "<dog>dog</dog>", "en", "de", tags=["dog"]) == "<dog>Hund</dog>"
    assert translated(files, "<dog>dog</dog>", "en", "de", tags=[]) == "<Hund>Hund</Hund>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red", "红"),
        (" the red", " the红"),
        ("Who works in Beijing?", "谁工作in北京?"),
        ("the red dog of New York", "the红狗of New York"),
        ("the <b>red dog</b> of <b> New York</b>", "the<b>红狗</b>of <b> New York</b>"),
        ("red, dog", "红, 狗"),
        ("red\ndog", "红\n狗"),
        ("dog 3.5 red", "狗3.5红"),
    ],
)
def test_into_a_language_without_spaces(files, text, expected):
    assert translated(files, text, "en", "zh") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("谁在北京大学工作？", "who 在 Peking University work？"),
        ("<b>红</b>狗，<b>狗</b>", "<b>red</b> dog，<b>dog</b>"),
        ("红<b>狗</b>在", "red <b>dog</b> 在"),
        ("红 狗", "red dog"),
        ("红\n狗", "red\ndog"),
        ("1989年", "1989 年"),
    ],
)
def test_out_of_a_language_without_spaces(files, text, expected):
    assert translated(files, text, "zh", "en") == expected


def test_a_word_that_is_no_entry_is_cut_into_entries(tmp_path):
    (tmp_path / "zh-en.tsv").write_text("工\twork\n工人\tworker\n")
    system = load_translator(f"lexicon:{tmp_path}")
    assert system.translate(["工作"], source="zh", target="en") == ["work 作"]
    assert system.coverage == Coverage(words=1, parts=1)
    assert system.translate(["工人"], source="zh", target="en") == ["worker"]


def test_between_two_languages_without_spaces_nothing_is_added(tmp_path):
    (tmp_path / "zh-ja.tsv").write_text("狗\t犬\n")
    assert translated(tmp_path, "狗在 A 狗", "zh", "ja") == "犬在 A 犬"


def test_coverage_counts_words_by_rule(files):
    system = load_translator(f"lexicon:{files / 'en-de.tsv'}")
    assert system.coverage == Coverage()
    assert system.coverage.share == 1.0
    system.translate(["The dog house", "3 dogs in 1894"], source="en", target="de")
    counted = Coverage(words=5, exact=2, case=1, inflection=1)
    assert (system.coverage, counted.unknown, counted.share) == (counted, 1, 0.8)


def test_threads_count_every_word(files):
    system = load_translator(f"lexicon:{files}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda t: system.translate([t], source="en", target="de"), ["red x"] * 40))
    assert system.coverage == Coverage(words=80, exact=40)


def test_an_earlier_file_goes_before_a_later_one(files):
    (files / "mine").mkdir()
    (files / "mine" / "en-de.tsv").write_text("dog\tDogge\n")
    system = load_translator(f"lexicon:{files}/mine/en-de.tsv+{files}")
    assert system.translate(["the dog"], source="en", target="de") == ["der Dogge"]


def test_the_identity_is_that_of_the_content(files):
    def identity():
        return load_translator(f"lexicon:{files / 'en-de.tsv'}").identity

    first = identity()
    assert first == identity()
    assert "; en-de.tsv; " in first
    (files / "en-de.tsv").write_text(GERMAN + "cat\tKatze\n")
    assert identity() != first


def test_bad_names_are_errors(files):
    with pytest.raises(ConfigError, match=r"expected a file, as in lexicon:en-de\.tsv\.gz, fo"):
        load_translator("lexicon")
    with pytest.raises(DataError, match=r"gone\.tsv: there is no such file"):
        load_translator(f"lexicon:{files}/gone.tsv")
    system = load_translator(f"lexicon:{files / 'en-de.tsv'}")
    with pytest.raises(
        ConfigError, match=r"en-de\.tsv: expected a dictionary between 'en' and 'zh"
    ):
        system.translate(["dog"], source="en", target="zh")


@pytest.mark.data
def test_real_dictionaries(real_data):
    folder = real_data / "lexicons"
    system = load_translator(f"lexicon:{folder}/muse.en-de.tsv.gz+{folder}/en-de.tsv.gz")
    [came] = system.translate(["What is a <b>school</b>?"], source="en", target="de", tags=["b"])
    assert came.endswith("<b>schule</b>?")
    assert system.coverage == Coverage(words=4, exact=1, case=1, inflection=1)
