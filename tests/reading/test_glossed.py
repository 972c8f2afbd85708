"""A reader with dictionaries: which questions get a translation, and how they are read."""

import gzip
import pickle
import shutil

import pytest

from babelspan.engines.onnx import OnnxEngine
from babelspan.readers import DEFAULT_FOLDER, checksum_of, load_answerer
from babelspan.reading.answerer import Answerer
from babelspan.reading.glossed import glossed_of
from babelspan.types import DataError, Example, Limits

GERMAN = "Die alte Brücke wurde im Jahr 1357 von Karl dem Vierten gebaut."
ENGLISH = "When was the bridge built?"
NGRAMS = {
    "en": ["the", " wh", "hen", " th", "was", "ilt"],
    "de": ["die", "ich", "ück", "urd", " im", "ben"],
}
LINKS = "bridge\tbrücke\t1.0\t9\nbuilt\tgebaut\t1\t4.0\nwhen\twann\t1\t3\nthe\t\t0.7\t7\n"


def put_dictionaries(folder):
    dictionaries = folder / "dictionaries"
    dictionaries.mkdir(parents=True)
    (dictionaries / "en-de.tsv").write_text(LINKS, encoding="utf-8")
    rows = "".join(f"{language}\t{n}\t0.01\n" for language, of in NGRAMS.items() for n in of)
    (dictionaries / "ngrams.tsv.gz").write_bytes(gzip.compress(rows.encode()))
    return folder


@pytest.fixture
def folder(tmp_path):
    return put_dictionaries(tmp_path)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    to = tmp_path_factory.mktemp("glossed") / "reader"
    shutil.copytree(
        DEFAULT_FOLDER, to, ignore=shutil.ignore_patterns("dictionaries", "calibration.json")
    )
    return put_dictionaries(to)


def example(question=ENGLISH, context=GERMAN, asked="und", read="und"):
    return Example(
        id="q",
        question=question,
        context=context,
        answers=None,
        question_language=asked,
        context_language=read,
    )


def test_a_question_is_followed_by_its_words_in_the_language_of_the_text(folder):
    found = glossed_of(folder).glossed(example(asked="en", read="de"))
    assert found.question == f"{ENGLISH} wann was brücke gebaut"
    assert found.context == GERMAN


def test_languages_that_are_not_named_are_found_out(folder):
    assert glossed_of(folder).glossed(example()).question == f"{ENGLISH} wann was brücke gebaut"


def test_danish_and_norwegian_are_told_apart_by_name_only(tmp_path):
    dictionaries = tmp_path / "dictionaries"
    dictionaries.mkdir()
    (dictionaries / "en-da.tsv").write_text("what\thvad\t1\t3\n", encoding="utf-8")
    (dictionaries / "en-no.tsv").write_text("what\thva\t1\t3\n", encoding="utf-8")
    (dictionaries / "ngrams.tsv").write_text("da\thvad\t0.1\nno\thva\t0.1\n", encoding="utf-8")
    found = glossed_of(tmp_path)
    danish = example(question="hvad", context="hva", read="no")
    assert found.glossed(danish) is danish
    named = example(question="hvad", context="hva", asked="da", read="no")
    assert found.glossed(named).question == "hvad hva"


@pytest.mark.parametrize(
    "same",
    [
        example(asked="de", read="de"),
        example(asked="en", read="fr"),
        example(asked="ja", read="de"),
        example(question="1357?"),
        example(question="the", asked="en", read="de"),
        example(question=ENGLISH * 10, asked="en", read="de"),
        example(question="日本国憲法", context="日本国憲法は1946年に公布された。"),
    ],
)
def test_a_question_stays_without_two_known_languages_or_words(folder, same):
    assert glossed_of(folder).glossed(same) is same


def test_variants_of_a_language_have_its_dictionary(folder):
    found = glossed_of(folder).glossed(example(asked="en", read="de-Latn"))
    assert found.question == f"{ENGLISH} wann was brücke gebaut"


def test_files_of_one_pair_add_up_either_way_round(folder):
    more = "steg\tbridge\t1\t10\nbrücke\tbridge\t0.1\t2\n"
    (folder / "dictionaries" / "mine.de-en.tsv").write_text(more, encoding="utf-8")
    found = glossed_of(folder).glossed(example(asked="en", read="de"))
    assert found.question == f"{ENGLISH} wann was brücke gebaut"  # 9 + 2 links against 10


def test_the_engine_reads_what_it_says(reader):
    plain = Answerer(OnnxEngine(DEFAULT_FOLDER))
    plain.engine._glossed = None
    asked = example(asked="en", read="de")
    written = example(question=f"{ENGLISH} wann was brücke gebaut", asked="en", read="de")
    (glossed,) = Answerer(OnnxEngine(reader)).predict([asked])
    assert glossed == next(plain.predict([written]))
    assert glossed.logit != next(plain.predict([asked])).logit


def test_languages_can_be_named_when_asking(reader):
    answerer = Answerer(OnnxEngine(reader))
    (found,) = answerer.ask(ENGLISH, GERMAN)
    assert answerer.ask(ENGLISH, GERMAN, question_language="en", context_language="de") == [found]
    (french,) = answerer.ask(ENGLISH, GERMAN, question_language="fr")
    plain = f"{ENGLISH} wann was brücke gebaut"
    (written,) = answerer.ask(plain, GERMAN, question_language="fr")
    assert french.prediction.logit != found.prediction.logit
    assert written.prediction.logit == found.prediction.logit


def test_pickled_engines_gloss_too(reader):
    engine = OnnxEngine(reader)
    copy = pickle.loads(pickle.dumps(engine))
    (one,) = engine.windows([example(asked="en", read="de")])
    (other,) = copy.windows([example(asked="en", read="de")])
    assert one.example.question == other.example.question != ENGLISH


def test_where_a_gloss_leaves_no_room_the_question_is_read_without(reader):
    engine = OnnxEngine(reader)
    tight = Limits(max_length=43, overlap=1)
    windows = list(engine.windows([example(asked="en", read="de")], tight))
    assert {w.example.question for w in windows} == {ENGLISH}
    with pytest.raises(DataError, match="question"):
        list(engine.windows([example(question=ENGLISH * 9, asked="en", read="de")], tight))


def test_dictionaries_are_part_of_what_a_reader_is(reader, tmp_path):
    other = tmp_path / "reader"
    shutil.copytree(reader, other)
    assert checksum_of(str(other)) == checksum_of(str(reader))
    (other / "dictionaries" / "en-de.tsv").write_text(LINKS.replace("9", "8"), encoding="utf-8")
    assert checksum_of(str(other)) != checksum_of(str(reader))


def test_a_checkpoint_with_dictionaries_glosses_too(tmp_path, reader):
    pytest.importorskip("torch")
    from babelspan.readers import load_checkpoint

    load_checkpoint(str(reader)).save(tmp_path)
    shutil.copytree(reader / "dictionaries", tmp_path / "dictionaries")
    (window,) = load_answerer(tmp_path).engine.windows([example(asked="en", read="de")])
    assert window.example.question == f"{ENGLISH} wann was brücke gebaut"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("ngrams.tsv.gz", None, "expected ngrams.tsv or ngrams.tsv.gz, found neither"),
        ("ngrams.tsv.gz", "de\tdie\n", "line 1: expected a language, an n-gram and its share"),
        ("ngrams.tsv.gz", "de\tdie\t0\n", "line 1: expected a language, an n-gram and its share"),
        ("en-de.tsv", "bridge\tbrücke\n", "expected a number of links for each entry"),
        ("en-de.tsv", "bridge\tbrücke\t0.7\n", "expected a number of links for each entry"),
    ],
)
def test_broken_dictionaries_are_refused(folder, name, text, said):
    path = folder / "dictionaries" / name
    path.unlink()
    if text is not None:
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    with pytest.raises(DataError, match=said):
        glossed_of(folder).glossed(example(asked="en", read="de"))
