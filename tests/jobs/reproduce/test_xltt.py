"""The rows of Wu et al. (2021): figures agree with their means; the toy scale is run."""

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest

from babelspan.data.folder import describe
from babelspan.data.squad import save_squad
from babelspan.jobs import train as train_job
from babelspan.jobs.reproduce.data_sets import training_sets
from babelspan.jobs.reproduce.markdown import markdown
from babelspan.jobs.reproduce.papers import choose_rows, load_paper, settings_of
from babelspan.jobs.reproduce.reproduction import Reproduction, check_inputs
from babelspan.jobs.reproduce.table import Spread, tables
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
    for figures_of in (row.published, row.published_exact_match)
    for test, figures in figures_of.items()
    if len(figures) > 1
]
SMALL = ("batch_size=8", "updates=3")


@pytest.mark.parametrize(("key", "test", "figures"), FIGURES)
def test_published_figures_agree_with_their_mean(key, test, figures):
    languages = [value for name, value in figures.items() if name != "XLT"]
    assert len(languages) == (7 if test == "MLQA" else 11)
    assert mean(languages) == pytest.approx(figures["XLT"], abs=0.11)


def test_the_ablations_are_the_differences_that_table_7_prints():
    printed = {
        "without-cmrc": ("-1.3/-1.0", "-0.9/-0.8"),
        "without-drcd": ("-1.1/-0.9", "-0.8/-0.8"),
        "without-squad": ("-2.4/-1.8", "-2.1/-1.4"),
        "squad": ("-1.5/-1.2", "-1.4/-1.1"),
        "drcd": ("-2.9/-2.3", "-2.4/-1.7"),
        "cmrc": ("-2.6/-2.1", "-2.2/-1.6"),
    }
    for key, less in printed.items():
        for test, differences in zip(("MLQA", "XQuAD"), less, strict=True):
            for name, difference in zip(
                ("published", "published_exact_match"), differences.split("/"), strict=True
            ):
                whole, part = (getattr(PAPER.rows[k], name)[test]["XLT"] for k in ("xltt", key))
                assert part - whole == pytest.approx(float(difference), abs=0.01)


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
def data(tmp_path_factory):
    """The toy world, in small, with a second training set."""
    folder = tmp_path_factory.mktemp("toy")
    world = World(0, shared_names=toy_world.SHARED_NAMES)
    for name, examples in toy_world.data_sets(world, toy_world.Sizes(train=12, held_out=4)):
        save_squad(folder / name, examples())
    for name, language in (("second.qaa", "L0"), ("translated/second.qab", "L1")):
        examples = world.examples(9, language, language, seed=77)
        save_squad(folder / f"{name}.json.gz", examples)
    miniature_reader(world.vocabulary()).save(folder / "reader")
    return folder


@pytest.fixture(scope="module")
def carried_out(data):
    """Rows of the toy scale, an update or two each."""
    scale = replace(
        PAPER.scales["toy"], start=SMALL, settings=(*PAPER.scales["toy"].settings, *SMALL)
    )
    job = Reproduction(
        paper=PAPER,
        scale=scale,
        rows=choose_rows(PAPER, scale, ["without-attention", "xltt", "xltt-one", "xltt-three"]),
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
    assert beside("xltt-three") == ["qab", "qac"]
    assert beside("without-attention") == []
    names = [found.name for found in training_sets(carried_out)]
    assert names == ["T(Q+C)", "T(Q+C) (qaa-qab)", "T(Q+C) (qaa-qab-qac-qad)"]


def test_tables_have_exact_match_beside_f1(carried_out):
    table = tables(carried_out, Settings(resamples=50))[2]
    line = replace(
        table.lines[0],
        f1={"qad": Spread(mean=0.4321, sd=0.011)},
        exact_match={"qad": Spread(mean=0.25, sd=None)},
    )
    text = markdown(carried_out, [replace(table, lines=[line])], [])
    assert "### qad, nothing beside; F1 / EM, scorer `squad`" in text
    assert f"| {line.name} | 3 × 8 | 43.2 ± 1.1 / 25.0 |" in text
    whole = markdown(carried_out, [table], [])
    assert "| XLT F1 minus T(Q+C) on the same triples, no attention (95 %), p |" in whole
    (cells,) = (li.split(" | ") for li in whole.splitlines() if li.startswith("| XLTT |"))
    assert re.fullmatch(r"[+-]\d+\.\d \(.* to .*\), [<>]?\d.*", cells[-1].removesuffix(" |"))


def test_rows_learn_from_the_same_triples(carried_out):
    for key in ("without-attention", "xltt"):
        record = json.loads((carried_out.run_folder(key, 1) / "run.json").read_text())
        assert [describe(Path(p)).context_language for p in record["data"]["labelled"]] == [
            "qaa",
            "qab",
            "qac",
        ]


def test_a_row_learns_from_one_set_after_the_other_and_goes_on_between_them(data, tmp_path):
    test = replace(PAPER.scales["toy"].tests[1], beside="XQuAD")
    scale = replace(
        PAPER.scales["toy"],
        start=None,
        more=("second.qaa.json.gz",),
        one="qab",
        tests=(test,),
        settings=(*PAPER.scales["toy"].settings, *SMALL),
    )
    in_turn = replace(PAPER.rows["xltt-in-turn"], languages="one")
    job = Reproduction(
        paper=PAPER,
        scale=scale,
        rows={"xltt-in-turn": in_turn, "three-sets": PAPER.rows["three-sets"]},
        data=data,
        out=tmp_path / "out",
        reader=str(data / "reader"),
        seeds=1,
        translated=data / "translated",
    )
    run_units(units_of(job), processes=1, workers=1, watch=lambda items, *_: items)

    def record(folder):
        found = json.loads((folder / "run.json").read_text())
        return Path(found["reader"]).parts[-3:], [
            Path(path).name.removesuffix(".json.gz") for path in found["data"]["labelled"]
        ]

    first, last = job.out / "stages/xltt-in-turn/train/seed-1", job.run_folder("xltt-in-turn", 1)
    assert record(first)[1] == ["train.qaa", "train.qab"]
    assert record(last) == (first.parts[-3:], ["second.qaa", "second.qab"])
    assert (last / "parallel.json").exists()
    (table,) = tables(job, Settings(resamples=50))
    assert [line.updates for line in table.lines] == [6, 6]
    assert "77.9 / 61.7" in markdown(job, [table], [])

    again = replace(job, out=tmp_path / "again", rows={"xltt-in-turn": in_turn})
    shutil.copytree(job.out / "stages/xltt-in-turn", again.out / "stages/xltt-in-turn")
    finished = (again.out / "stages/xltt-in-turn/train/seed-1/log.jsonl").stat().st_mtime_ns
    run_units(units_of(again), processes=1, workers=1, watch=lambda items, *_: items)
    resumed = again.out / "stages/xltt-in-turn/train/seed-1/log.jsonl"
    assert resumed.stat().st_mtime_ns == finished
    for name in ("model.safetensors", "parallel.safetensors"):
        bits = (again.run_folder("xltt-in-turn", 1) / name).read_bytes()
        assert bits == (last / name).read_bytes()
