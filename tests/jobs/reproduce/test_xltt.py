"""The rows of Wu et al. (2021): figures agree with their means; the toy scale is run."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest

from babelspan.data.folder import describe
from babelspan.data.squad import save_squad
from babelspan.jobs import train as train_job
from babelspan.jobs.reproduce.papers import choose_rows, load_paper, settings_of
from babelspan.jobs.reproduce.reproduction import Reproduction, check_inputs
from babelspan.jobs.reproduce.table import tables
from babelspan.jobs.reproduce.units import run_units, units_of
from babelspan.scoring.comparison import Settings
from house_rules import ROOT
from miniature import miniature_reader
from world import World

sys.path.append(str(ROOT / "experiments"))

import toy_world

PAPER = load_paper("xltt")
FIGURES = [
    (key, test, figures)
    for key, row in PAPER.rows.items()
    for test, figures in row.published.items()
    if len(figures) > 1
]
SMALL = ("batch_size=8", "updates=3")


@pytest.mark.parametrize(("key", "test", "figures"), FIGURES)
def test_published_figures_agree_with_their_mean(key, test, figures):
    languages = [value for name, value in figures.items() if name != "XLT"]
    assert len(languages) == (7 if test == "MLQA" else 11)
    assert mean(languages) == pytest.approx(figures["XLT"], abs=0.11)


def test_the_ablations_are_the_differences_that_table_7_prints():
    whole = PAPER.rows["xltt"].published
    printed = {
        "without-cmrc": (-1.3, -0.9),
        "without-drcd": (-1.1, -0.8),
        "without-squad": (-2.4, -2.1),
        "squad": (-1.5, -1.4),
        "drcd": (-2.9, -2.4),
        "cmrc": (-2.6, -2.2),
    }
    for key, less in printed.items():
        for test, difference in zip(("MLQA", "XQuAD"), less, strict=True):
            found = PAPER.rows[key].published[test]["XLT"] - whole[test]["XLT"]
            assert found == pytest.approx(difference, abs=0.01)


@pytest.mark.parametrize("name", PAPER.scales)
def test_every_row_of_a_scale_has_settings_that_its_method_takes(name):
    scale = PAPER.scales[name]
    for key, row in choose_rows(PAPER, scale, []).items():
        train_job.resolve(row.method, settings=settings_of(key, row, scale))


def test_a_row_may_leave_training_sets_out(tmp_path):
    scale = replace(PAPER.scales["paper"], languages=("ja",))
    for name in ("squad", "cmrc", "drcd"):
        for folder, language in ((".", "en"), ("translated", "ja")):
            save_squad(tmp_path / folder / f"{name}.{language}.json.gz", [])
    rows = choose_rows(PAPER, scale, ["without-cmrc", "three-sets", "zs"])
    job = Reproduction(
        paper=PAPER,
        scale=scale,
        rows=rows,
        data=tmp_path,
        out=tmp_path / "out",
        reader="x",
        seeds=1,
        translated=tmp_path / "translated",
    )
    names = {
        key: [Path(p).name.removesuffix(".json.gz") for p in job.learns_from(row)]
        for key, row in rows.items()
    }
    assert names == {
        "without-cmrc": ["squad.en", "drcd.en", "squad.ja", "drcd.ja"],
        "three-sets": ["squad.en", "cmrc.en", "drcd.en"],
        "zs": ["squad.en"],
    }


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory):
    """Two rows of the toy scale over a small world, an update or two each."""
    data = tmp_path_factory.mktemp("toy")
    world = World(0, shared_names=toy_world.SHARED_NAMES)
    for name, examples in toy_world.data_sets(world, toy_world.Sizes(train=12, held_out=4)):
        save_squad(data / name, examples())
    miniature_reader(world.vocabulary()).save(data / "reader")
    scale = replace(
        PAPER.scales["toy"], start=SMALL, settings=(*PAPER.scales["toy"].settings, *SMALL)
    )
    job = Reproduction(
        paper=PAPER,
        scale=scale,
        rows=choose_rows(PAPER, scale, ["without-attention", "xltt", "xltt-one"]),
        data=data,
        out=data / "out",
        reader=str(data / "reader"),
        seeds=1,
        translated=data / "translated",
    )
    check_inputs(job)
    run_units(units_of(job), processes=1, workers=1, watch=lambda items, *_: items)
    return job


def test_the_toy_scale_measures_rows_with_and_without_translations_beside(carried_out):
    made = {table.test.name: table for table in tables(carried_out, Settings(resamples=50))}
    assert len(made) == len(carried_out.scale.tests)
    assert [line.key for line in made["qad, nothing beside"].lines] == list(carried_out.rows)
    kept = carried_out.out / "answers"
    records = {
        (path.parts[-4], path.parts[-3]): json.loads(path.read_text())
        for path in kept.rglob("evaluation.json")
    }

    def beside(key):
        found = records["qad-translations-beside", key].get("beside_files", [])
        return [name.partition(":")[0] for name in found]

    assert beside("xltt") == ["qab", "qac"]
    assert beside("xltt-one") == ["qab"]
    assert beside("without-attention") == []


def test_rows_learn_from_the_same_triples(carried_out):
    for key in ("without-attention", "xltt"):
        record = json.loads((carried_out.run_folder(key, 1) / "run.json").read_text())
        assert [describe(Path(p)).context_language for p in record["data"]["labelled"]] == [
            "qaa",
            "qab",
            "qac",
        ]
