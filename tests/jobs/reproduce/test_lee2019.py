"""The rows of Lee and Lee (2019): readers and files are named for every scale; one is run."""

import sys
from dataclasses import replace

import pytest

from babelspan.data.files import read_json, write_json
from babelspan.data.folder import find
from babelspan.data.lexicon import read_pairs
from babelspan.jobs import train as train_job
from babelspan.jobs.reproduce.data_sets import training_sets
from babelspan.jobs.reproduce.papers import choose_rows, filled, load_paper, settings_of
from babelspan.jobs.reproduce.reproduction import Reproduction, check_inputs
from babelspan.jobs.reproduce.table import tables
from babelspan.jobs.reproduce.units import run_units, units_of
from babelspan.networks.qanet_new import parsed
from babelspan.networks.store import load
from babelspan.scoring.comparison import Settings
from babelspan.types import ConfigError
from house_rules import ROOT

sys.path.append(str(ROOT / "experiments"))

import qanet_world

PAPER = load_paper("lee2019")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    counts = {"TARGET_EXAMPLES": 12, "TESTED": 4}
    with pytest.MonkeyPatch.context() as patch:
        for name, count in counts.items():
            patch.setattr(qanet_world, name, count)
        qanet_world.make(folder, examples=10)
    return folder


def reproduction(data, out, *rows):
    scale = PAPER.scales["toy"]
    return Reproduction(
        paper=PAPER,
        scale=replace(scale, seeds=1),
        rows=choose_rows(PAPER, scale, rows),
        data=data,
        out=out,
        reader="new:qanet",
        seeds=1,
        settings=("updates=1", "batch_size=4", "sample='qad=8'"),
    )


@pytest.mark.parametrize("name", PAPER.scales)
def test_every_row_of_a_scale_has_reader_files_and_settings(name, tmp_path):
    scale = PAPER.scales[name]
    for key, row in choose_rows(PAPER, scale, (*scale.rows, *scale.row)).items():
        kind, _, settings = filled(row.reader, scale, tmp_path).partition(",")
        start = parsed(settings)
        assert kind == "new:qanet"
        assert len(start.texts) == len(row.train)
        assert {str(tmp_path / filled(file, scale, tmp_path)) for file in row.train} == {
            *map(str, start.texts)
        }
        is_two_sided = "dependent=encoder" in start.settings
        assert is_two_sided == (len(start.sides) == 2)
        assert is_two_sided or row.method == "fine_tune"
        train_job.resolve(row.method, settings=settings_of(key, row, scale))


def test_a_part_that_a_scale_lacks_is_told(tmp_path):
    with pytest.raises(
        ConfigError, match="a row needs the part 'translated' of the scale for 'new"
    ):
        filled(PAPER.rows["mt"].reader, PAPER.scales["mini"], tmp_path)


def test_the_world_in_words_of_the_target(data):
    """Word by word: the source's order, the target's words, the answer in its place."""
    of = dict(read_pairs(data / "exact.qaa-qad.tsv.gz"))
    (source,) = find([data / "train.qaa.json.gz"])
    (words,) = find([data / "words" / "train.qad.json.gz"])
    for own, other in zip(source.load(), words.load(), strict=True):
        assert other.origin == own.id
        assert other.question == qanet_world.rendered(own.question, of) != own.question
        assert other.answers[0].is_in(other.context)
        assert other.answers[0].text == qanet_world.rendered(own.answers[0].text, of)
    assert len(dict(read_pairs(data / "gaps.qaa-qad.tsv.gz"))) < 0.8 * len(of)


def test_a_part_may_be_a_folder_of_translate(data, tmp_path):
    """Its files are checked, learnt from and counted one by one."""
    (words,) = find([data / "words" / "train.qad.json.gz"])
    examples = words.load()
    shards = [data / "in-parts" / f"train.qad.{n:05}-of-00002.json.gz" for n in range(2)]
    for number, shard in enumerate(shards):
        qanet_world.save(shard, examples[number::2])
    job = reproduction(data, tmp_path, "words")
    scale = replace(job.scale, parts={**job.scale.parts, "words": "in-parts"})
    job = replace(job, scale=scale)
    check_inputs(job)
    target = data / "target.qad.json.gz"
    assert job.learns_from(job.rows["words"]) == (*shards, target)
    (counted,) = training_sets(job)
    assert counted.figures.pairs == len(examples) + len(find([target])[0].load())


def test_a_row_is_made_and_measured(data, tmp_path):
    """With known answers in place of the readers', the table has known figures."""
    job = reproduction(data, tmp_path, "dependent", "gan-zh")
    check_inputs(job)
    run_units(units_of(job), processes=1, workers=1, watch=lambda items, *_: items)
    right = {("qad", "dependent"): 1, ("qad", "gan-zh"): 0.5, ("qaa", "dependent"): 0.5}
    for language in ("qad", "qaa"):
        (file,) = find([data / "test" / f"test.{language}.json.gz"])
        golds = {example.id: example.answers[0].text for example in file.load()}
        for key in ("dependent", "gan-zh"):
            answers = (
                tmp_path / "answers" / language / key / "seed-1" / f"{language}-{language}.json"
            )
            assert read_json(answers).keys() == golds.keys()
            some = list(golds)[int(right.get((language, key), 0) * len(golds)) :]
            write_json(answers, golds | dict.fromkeys(some, ""))
    found = {
        (table.test.name, line.key): line.f1["XLT"].mean
        for table in tables(job, Settings(resamples=20))
        for line in table.lines
    }
    assert found == {**right, ("qaa", "gan-zh"): 0}
    trained = load(str(tmp_path / "runs" / "gan-zh" / "seed-1"))
    assert trained.sides == ("qaa", "qad")
