"""Aligning as a job: what is written, what is told, and that a kill costs nothing."""

import gzip
import json
import random

import pytest
from typer.testing import CliRunner

from babelspan.cli.main import app
from babelspan.data.bitext import load_bitext
from babelspan.data.lexicon import load_lexicon
from babelspan.jobs import align as align_job
from babelspan.jobs.align import Job, align
from babelspan.types import Alignment, ConfigError, DataError
from miniature import miniature_reader

ENGLISH = [
    *("river", "bridge", "town", "old", "green", "long"),
    *("lamp", "stone", "winter", "door", "garden", "road"),
]
CODE = {word: word[::-1] for word in ENGLISH}


def sentences(count, seed=0):
    """Sentences of four words, of which the first two change places in translation."""
    rng = random.Random(seed)
    chosen = [rng.sample(ENGLISH, 4) for _ in range(count)]
    return [(" ".join(c), " ".join(CODE[c[i]] for i in (1, 0, 2, 3))) for c in chosen]


def table(path, pairs):
    path.write_text("".join(f"{one}\t{other}\n" for one, other in pairs), encoding="utf-8")
    return path


@pytest.fixture
def bitext(tmp_path):
    return table(tmp_path / "code.en-de.tsv", sentences(150))


class KilledError(Exception):
    """Stands for a kill."""


def killed_after(shards):
    """A watch that dies when so many lines have been linked."""

    def watch(items, _, __):
        for number, item in enumerate(items):
            if number == shards * align_job.LINES_IN_A_SHARD:
                raise KilledError
            yield item

    return watch


def test_links_line_for_line(bitext, tmp_path):
    lines = bitext.read_text().splitlines(keepends=True)
    bitext.write_text("".join([*lines[:2], "\n", *lines[2:]]))
    outcome = align(Job(files=(bitext,), out=tmp_path / "links.txt", aligner="ibm1"))
    written = (tmp_path / "links.txt").read_text().splitlines()
    assert written == ["0-1 1-0 2-2 3-3"] * 2 + [""] + ["0-1 1-0 2-2 3-3"] * 148
    assert (outcome.pairs, outcome.links, outcome.empty, outcome.long) == (150, 600, 1, 0)
    assert not (tmp_path / "links.txt.unfinished").exists()


def test_bitext_with_links_is_read_back_by_training(bitext, tmp_path):
    out = tmp_path / "linked.en-de.tsv.gz"
    align(Job(files=(bitext, bitext), out=out, aligner="ibm1"))
    found = list(load_bitext(out))
    assert [(p.source, p.target) for p in found] == sentences(150) * 2
    assert {p.links for p in found} == {Alignment(frozenset({(0, 1), (1, 0), (2, 2), (3, 3)}))}


def test_words_parted_by_spaces(tmp_path):
    """What `translate --pairs` writes: the links are for the file that `--links` reads."""
    path = tmp_path / "pairs.de.txt"
    path.write_text("".join(f"{one} . ||| {other} .\n" for one, other in sentences(150)))
    align(Job(files=(path,), out=tmp_path / "links.de.txt", aligner="ibm1"))
    assert (tmp_path / "links.de.txt").read_text() == "0-1 1-0 2-2 3-3 4-4\n" * 150


def test_a_dictionary_that_translators_read(bitext, tmp_path):
    path = tmp_path / "mine.en-de.tsv.gz"
    outcome = align(
        Job(files=(bitext,), out=tmp_path / "links.txt", aligner="ibm1", dictionary=path)
    )
    assert outcome.entries == 12
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    columns = [line.split("\t") for line in lines]
    assert sorted(c[:3] for c in columns) == sorted([w, CODE[w], "1.0000"] for w in ENGLISH)
    assert sum(int(c[3]) for c in columns) == outcome.links
    assert load_lexicon([path], source="de", target="en").find("REVIR").text == "RIVER"


@pytest.mark.parametrize("aligner", ["ibm1", "awesome"])
def test_killed_and_resumed_equals_not_killed(aligner, bitext, tmp_path, monkeypatch):
    monkeypatch.setattr(align_job, "LINES_IN_A_SHARD", 20)
    if aligner == "awesome":
        miniature_reader([*ENGLISH, *CODE.values()]).save(tmp_path / "reader")
        aligner += f":{tmp_path / 'reader'}"

    def job(name):
        return Job(
            files=(bitext,),
            out=tmp_path / f"{name}.en-de.tsv.gz",
            aligner=aligner,
            dictionary=tmp_path / f"{name}-words.en-de.tsv",
        )

    for shards in (2, 1):
        with pytest.raises(KilledError):
            align(job("killed"), watch=killed_after(shards))
    assert not job("killed").out.exists()
    finished = sorted((tmp_path / "killed.en-de.tsv.gz.unfinished" / "shards").glob("0*.json"))
    assert len(finished) == 5
    before = [path.stat().st_mtime_ns for path in finished]
    left = []
    align(job("killed"), watch=lambda items, _, total: left.append(total) or items)
    assert left == [150 - 20 * len(before)]
    align(job("whole"))
    assert job("killed").out.read_bytes() == job("whole").out.read_bytes()
    assert job("killed").dictionary.read_bytes() == job("whole").dictionary.read_bytes()


def test_another_job_in_the_folder_is_refused(bitext, tmp_path, monkeypatch):
    monkeypatch.setattr(align_job, "LINES_IN_A_SHARD", 20)
    out = tmp_path / "links.txt"
    with pytest.raises(KilledError):
        align(Job(files=(bitext,), out=out, aligner="ibm1"), watch=killed_after(1))
    with pytest.raises(ConfigError, match="holds a job that differs in aligner"):
        align(Job(files=(bitext,), out=out, aligner="ibm1", threshold=0.3))


def test_links_and_dictionary_do_not_go_to_one_file(bitext, tmp_path):
    out = tmp_path / "both.en-de.tsv"
    with pytest.raises(ConfigError, match="the links go to this file; choose another name"):
        align(Job(files=(bitext,), out=out, aligner="ibm1", dictionary=out))
    assert not out.exists()


def test_lines_of_ten_thousand_words_have_no_links(bitext, tmp_path):
    long = " ".join(["river"] * 10_000)
    with bitext.open("a") as file:
        file.write(f"{long}\t{long}\nriver\t{long}\n")
    outcome = align(Job(files=(bitext,), out=tmp_path / "links.txt", aligner="ibm1"))
    assert (tmp_path / "links.txt").read_text().splitlines()[149:] == ["0-1 1-0 2-2 3-3", "", ""]
    assert (outcome.long, outcome.first_long) == (2, f"{bitext}, line 151")


def test_gold_links_measure_without_being_seen(bitext, tmp_path):
    """One of the four gold links of each pair is wrong, and one is only possible."""
    gold = tmp_path / "gold.de-en.tsv"
    rows = [(other, one, "1-0 0p1 2-2 3-0") for one, other in sentences(10, seed=1)]
    gold.write_text("".join("\t".join(row) + "\n" for row in rows))
    job = Job(files=(bitext,), out=tmp_path / "links.txt", aligner="ibm1", gold=gold)
    figures = align(job).gold
    assert figures[:3] == pytest.approx((100 * (1 - (2 + 3) / (4 + 3)), 75.0, 200 / 3))
    assert figures.sentences == 10
    plain = Job(files=(bitext,), out=tmp_path / "plain.txt", aligner="ibm1")
    assert align(plain).gold is None
    assert len((tmp_path / "links.txt").read_text().splitlines()) == 150


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["x.tsv"], {}, "expected a name like news.en-de.tsv.gz"),
        (["a.en-de.tsv", "b.en-fr.tsv"], {}, "b.en-fr.tsv: expected bitext of the same two lang"),
        (["a.en-de.tsv"], {"out": "links.en-fr.tsv"}, "like linked.en-de.tsv.gz for bitext with"),
        (["pairs.de.txt"], {"out": "links.en-de.tsv"}, ".txt bitext allows only the latter"),
        (["a.en-de.tsv"], {"dictionary": "d.en-fr.tsv"}, "like mine.en-de.tsv, with the languages"),
        (["a.en-de.tsv"], {"out": "a.en-de.tsv"}, "this is an input file"),
        (["a.en-de.tsv"], {"gold": "gold.en-fr.tsv"}, "expected gold links between 'en' and 'de'"),
        (["pairs.de.txt"], {"gold": "gold.en-fr.tsv"}, "--gold needs bitext whose name states"),
    ],
)
def test_names_that_do_not_fit_are_told(names, options, message, tmp_path):
    for name in names:
        table(tmp_path / name, [("a", "b")])
        if name.endswith(".txt"):
            (tmp_path / name).write_text("a ||| b\n")
    table(tmp_path / "gold.en-fr.tsv", [("a", "b\t0-0")])
    paths = {key: tmp_path / value for key, value in {"out": "links.txt", **options}.items()}
    with pytest.raises(ConfigError, match=message):
        align(Job(files=tuple(tmp_path / name for name in names), aligner="ibm1", **paths))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\nc\n", "line 2: expected a sentence, a tab and its translation, found 'c'"),
        ("a\tb\nc\t\n", "line 2: expected a sentence"),
        ("\n\n", "expected sentence pairs to align, found none"),
    ],
)
def test_broken_bitext_is_told_before_anything_is_written(text, message, tmp_path):
    path = tmp_path / "x.en-de.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        align(Job(files=(path,), out=tmp_path / "links.txt", aligner="ibm1"))
    assert [p.name for p in tmp_path.iterdir()] == ["x.en-de.tsv"]


def test_on_the_command_line(bitext, tmp_path):
    gold = tmp_path / "gold.en-de.tsv"
    one, other = sentences(1, seed=1)[0]
    gold.write_text(f"{one}\t{other}\t0-1 1-0 2-2 3-3\n")
    options = ["align", str(bitext), "--out", str(tmp_path / "l.txt"), "--gold", str(gold)]
    options += ["--dictionary", str(tmp_path / "d.en-de.tsv")]
    shown = CliRunner().invoke(app, options)
    assert shown.output.splitlines() == [
        f"wrote 600 links between 150 sentence pairs to {tmp_path / 'l.txt'}",
        f"wrote 12 word translations to {tmp_path / 'd.en-de.tsv'}",
        "AER 0.0, precision 100.0, recall 100.0 on 1 gold sentence pairs",
    ]
    found = json.loads(CliRunner().invoke(app, [*options, "--json"]).output)
    assert (found["pairs"], found["links"], found["gold"]["aer"]) == (150, 600, 0.0)
