"""Sets of articles: by language, cut by article, translated, and with several versions asked."""

import json

import pytest
from typer.testing import CliRunner

from articles import record_of, write_records
from babelspan.cli.main import app
from babelspan.data.tydi_articles import stream_articles
from babelspan.jobs.article_sets import cut_sets, translate_questions
from babelspan.types import ConfigError, DataError


class Upper:
    """A translator that writes in capitals, and counts what it is asked."""

    identity = "upper"

    def __init__(self):
        self.asked = []

    def translate(self, texts, *, source, target, tags=()):
        self.asked += texts
        return [f"{target} {text.upper()}" for text in texts]


def run(*arguments):
    """What the command line prints, or the error that it ends with."""
    result = CliRunner().invoke(app, [*map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def questions_of(path):
    return {article.id: article.question for article in stream_articles(path)}


@pytest.fixture
def official(tmp_path):
    """Forty articles in English and forty in Arabic, two questions over each, and one in Thai."""
    records = [
        record_of(
            1000 * at + number,
            f"question {number}",
            [f"{language} article {number // 2} é", "two three"],
            passage=1,
            answer="three",
            language=language,
        )
        for at, language in enumerate(("english", "arabic"))
        for number in range(80)
    ]
    records.append(record_of(9, "?", ["x"], language="thai"))
    return write_records(tmp_path / "official.jsonl.gz", records)


def test_all_questions_over_an_article_are_on_one_side(official, tmp_path):
    counts = cut_sets([official], tmp_path, split="train", languages=["en", "ar"], dev=0.25, seed=1)
    assert {path.name for path in counts} == {
        f"{split}.{code}.jsonl.gz" for split in ("train", "dev") for code in ("en", "ar")
    }
    texts = {path.name: [a.text for a in stream_articles(path)] for path in counts}
    for code in ("en", "ar"):
        train, dev = texts[f"train.{code}.jsonl.gz"], texts[f"dev.{code}.jsonl.gz"]
        assert not {*train} & {*dev}
        assert len({*train} | {*dev}) == 40
        assert len(train) + len(dev) == 80
        assert 4 <= len({*dev}) <= 18
    assert [counts[p] for p in counts] == [len(texts[p.name]) for p in counts]


def test_the_choice_depends_on_the_seed_alone(official, tmp_path):
    chosen = {}
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        cut_sets([official], tmp_path / name, split="t", languages=["en"], dev=0.3, seed=seed)
        chosen[name] = (tmp_path / name / "dev.en.jsonl.gz").read_bytes()
    assert chosen["one"] == chosen["again"] != chosen["two"]


def test_records_stay_as_they_are_but_for_the_question(official, tmp_path):
    cut_sets([official], tmp_path, split="train", languages=["ar"])
    system = Upper()
    path, count = translate_questions(
        tmp_path / "train.ar.jsonl.gz", "en", tmp_path, translator=system
    )
    assert (path.name, count) == ("train.en-ar.jsonl.gz", 80)
    before, after = (
        list(stream_articles(tmp_path / f"train.{n}.jsonl.gz")) for n in ("ar", "en-ar")
    )
    assert [a.question for a in after] == [f"en {b.question.upper()}" for b in before]
    assert [(a.id, a.text, a.passages, a.answers) for a in after] == [
        (b.id, b.text, b.passages, b.answers) for b in before
    ]


def test_what_was_translated_is_not_asked_again(official, tmp_path):
    cut_sets([official], tmp_path, split="train", languages=["en"])
    path = tmp_path / "train.en.jsonl.gz"

    class Stopping(Upper):
        def translate(self, texts, **languages):
            if len(self.asked) == 64:
                raise KeyboardInterrupt
            return super().translate(texts, **languages)

    with pytest.raises(KeyboardInterrupt):
        translate_questions(path, "ko", tmp_path, translator=Stopping())
    assert not (tmp_path / "train.ko-en.jsonl.gz").exists()
    system = Upper()
    translate_questions(path, "ko", tmp_path, translator=system)
    assert len(system.asked) == 16
    assert len(questions_of(tmp_path / "train.ko-en.jsonl.gz")) == 80


def test_the_command_line_cuts_and_translates(official, tmp_path):
    shown = run("data", "articles", official, "--out", tmp_path, "--languages", "en,ar")
    assert f"wrote 80 questions to {tmp_path / 'train.ar.jsonl.gz'}" in shown
    words = tmp_path / "en-sw.tsv"
    words.write_text("question\tswali\n")
    english = tmp_path / "train.en.jsonl.gz"
    system = ["--translator", f"lexicon:{words}"]
    run("translate", english, "--to", "sw", *system, "--out", tmp_path / "aug")
    found = questions_of(tmp_path / "aug" / "train.sw-en.jsonl.gz")
    assert found[3] == "swali 3"
    with pytest.raises(ConfigError, match="only the questions of articles are translated"):
        run("translate", english, "--to", "sw", *system, "--out", tmp_path, "--strategy", "qc")
    with pytest.raises(ConfigError, match="--workers has no effect on articles"):
        run("translate", english, "--to", "sw", *system, "--out", tmp_path, "--workers", 2)


def test_each_version_of_the_questions_is_put_over_the_same_articles(official, tmp_path):
    cut_sets([official], tmp_path, split="test", languages=["ar"])
    table = tmp_path / "versions.tsv"
    table.write_text("id\ttyped\tasr\n1000\tWho é?\tHoo a?\n1001\tWhen?\t\n7\tno\tno\n")
    path = tmp_path / "test.ar.jsonl.gz"
    shown = run("data", "articles", path, "--questions", table, "--out", tmp_path / "said")
    assert "wrote 2 questions" in shown
    typed, asr = (tmp_path / "said" / name / "test.ar.jsonl.gz" for name in ("typed", "asr"))
    assert questions_of(typed) == {1000: "Who é?", 1001: "When?"}
    assert questions_of(asr) == {1000: "Hoo a?"}
    (article,) = stream_articles(asr)
    assert article.text.startswith("arabic article 0 é")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("id\n", "expected a tab-separated header with id and names of versions"),
        ("", "expected a tab-separated header with id and names of versions"),
        ("id\ta\ta\n", "expected a tab-separated header with id and names of versions"),
        ("id\ta\nx\tWho?\n", "row 2: expected an id and 1 questions"),
        ("id\ta\n1000\tWho?\tWhat?\n", "row 2: expected an id and 1 questions"),
        ("id\ta\n--5\tWho?\n", "row 2: expected an id and 1 questions"),
        ("id\ta\n" + "9" * 5000 + "\tWho?\n", "row 2: expected an id and 1 questions"),
        ("id\t\n1000\tWho?\n", "expected a name without slashes"),
        ("id\t../a\n1000\tWho?\n", "expected a name without slashes"),
        ("id\ta\n1000\tWho?\n1000\tWho?\n", "row 3: the id 1000 comes twice"),
        ("id\ta\n5\tWho?\n", "expected questions in the column 'a' with ids of"),
    ],
)
def test_a_broken_table_of_versions_is_told(official, tmp_path, table, message):
    cut_sets([official], tmp_path, split="test", languages=["ar"])
    versions = tmp_path / "versions.tsv"
    versions.write_text(table)
    path = tmp_path / "test.ar.jsonl.gz"
    with pytest.raises((ConfigError, DataError), match=message):
        run("data", "articles", path, "--questions", versions, "--out", tmp_path / "said")
    assert not [*(tmp_path / "said").rglob("*.gz")]


def test_what_cannot_be_cut_or_translated_is_told(official, tmp_path):
    with pytest.raises(DataError, match="expected articles in 'ko', found articles in ar, en, th"):
        cut_sets([official], tmp_path, split="train", languages=["en", "ko"])
    assert not (tmp_path / "train.en.jsonl.gz").exists()
    with pytest.raises(DataError, match=r"'th' for dev.th.jsonl.gz, found too few: all are in the"):
        cut_sets([official], tmp_path, split="train", languages=["th"], dev=0.01)
    with pytest.raises(ConfigError, match="expected a split other than 'dev'"):
        cut_sets([official], tmp_path, split="dev", languages=["en"], dev=0.5)
    with pytest.raises(ConfigError, match=r"expected a name without slashes.*'\.\./en'"):
        cut_sets([official], tmp_path, split="train", languages=["../en"])
    with pytest.raises(ConfigError, match="expected one language in the file name"):
        translate_questions(official, "en", tmp_path, translator=Upper())
    cut_sets([official], tmp_path, split="train", languages=["en"])
    english = tmp_path / "train.en.jsonl.gz"
    with pytest.raises(ConfigError, match="--out"):
        cut_sets([english], tmp_path, split="train", languages=["en"])
    with pytest.raises(ConfigError, match="either --languages or --questions"):
        run("data", "articles", english, "--out", tmp_path)
    record = json.dumps({"language": "english", "document_plaintext": "x"})
    broken = tmp_path / "train.sw.jsonl"
    broken.write_text(record + "\n")
    with pytest.raises(DataError, match=r"train.sw.jsonl: line 1: expected a key 'question_text'"):
        translate_questions(broken, "en", tmp_path, translator=Upper())
