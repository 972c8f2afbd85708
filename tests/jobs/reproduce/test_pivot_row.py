"""A row that is measured by way of the source language, and a curve, from files to tables."""

import json
from dataclasses import replace

import pytest
import stand_in

from babelspan.cli import reproduce
from babelspan.data.predictions import RECORD
from babelspan.jobs.answer import Answering
from babelspan.jobs.evaluate import measure
from babelspan.jobs.reproduce.papers import (
    Row,
    choose_rows,
    choose_scale,
    load_paper,
    refuse_wrong_keys,
)
from babelspan.jobs.reproduce.reproduction import Reproduction, check_inputs
from babelspan.jobs.reproduce.units import units_of
from babelspan.readers import load_answerer
from babelspan.reading.pivot import Pivot
from babelspan.scoring.scorers import load_scorer
from babelspan.translators import load_translator
from babelspan.types import ConfigError, DataError

PAPER = load_paper("riabi2021")
SCALE = """
about = "a trial"
reader = "reader"
train = "squad/train.en.json.gz"
source = "en"
languages = ["de"]
one = "de"
rows = ["pivot", "few", "zs"]
against = ["zs"]
pivot = "lexicon:{data}/words"
settings = ["method.reader.lr=5e-3", "updates=3", "batch_size=8", "threads=1"]

[row.few]
name = "eight examples"
settings = ["sample='en=8'"]

[row.more]
name = "twelve examples"
settings = ["sample='en=12'"]

[[curve]]
name = "Labelled examples"
x = "examples in en"
lines."read directly" = { few = 8, more = 12, zs = 16 }
lines."by way of en" = { pivot = 16 }

[[tests]]
name = "MLQA"
data = ["mlqa/test.de-en.json.gz", "mlqa/test.de.json.gz", "mlqa/test.en.json.gz"]
scorer = "mlqa"
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stand-in")
    stand_in.write(folder)
    (folder / "small.toml").write_text(SCALE)
    return folder


@pytest.fixture(scope="module")
def out(data, tmp_path_factory):
    """The folder of a reproduction by the command line, with all rows of the scale."""
    folder = tmp_path_factory.mktemp("out")
    reproduce.command("riabi2021", scale=str(data / "small.toml"), out=folder)
    return folder


def job_of(data, *rows, **of_scale):
    scale = replace(choose_scale(PAPER, str(data / "small.toml")), **of_scale)
    return Reproduction(
        paper=PAPER,
        scale=scale,
        rows=choose_rows(PAPER, scale, rows),
        data=data,
        out=data / "nothing",
        reader=str(data / "reader"),
        seeds=1,
    )


def test_its_figures_are_those_of_the_other_rows_reader_through_a_pivot(data, out):
    job = job_of(data)
    (test,) = job.scale.tests
    reader = load_answerer(str(out / "runs/zs/seed-1"))
    pivot = Pivot(reader, load_translator(f"lexicon:{data}/words"))
    record = json.loads((out / "table.json").read_text())
    found = {line["key"]: line for line in record["tables"][0]["lines"]}
    scorer = load_scorer("mlqa")
    cells = job.cells_of(test)
    through = measure(Answering(lambda: pivot), cells, scorer).matrix.g_xlt("f1")
    directly = measure(Answering(lambda: reader), cells, scorer).matrix.g_xlt("f1")
    assert found["pivot"]["f1"]["G-XLT"]["mean"] == pytest.approx(through)
    assert found["zs"]["f1"]["G-XLT"]["mean"] == pytest.approx(directly)
    assert through != pytest.approx(directly)
    kept = json.loads((out / "answers/mlqa/pivot/seed-1" / RECORD).read_text())
    assert kept["pivot"] == pivot.identity
    assert found["pivot"]["updates"] == found["zs"]["updates"] == 3
    assert found["pivot"]["against"].keys() == {"zs"}


def test_it_is_not_trained_and_is_measured_last(data, out):
    assert sorted(path.name for path in (out / "runs").iterdir()) == ["few", "zs"]
    keys = [[unit.key for unit in stage] for stage in units_of(job_of(data))]
    assert keys == [[], [], ["few", "zs"], ["pivot"]]
    assert len(units_of(job_of(data, "zs"))) == 3


def test_the_translator_is_in_the_tables(data, out):
    record = json.loads((out / "table.json").read_text())
    assert record["pivot"] == load_translator(f"lexicon:{data}/words").identity
    assert f"pivot by `lexicon:{data}/words`" in (out / "table.md").read_text()
    assert job_of(data, "zs").pivot_name is None


def test_settings_of_a_row_that_is_not_trained_are_refused(data):
    scale = replace(job_of(data).scale, settings_of_row={"pivot": ("updates=1",)})
    with pytest.raises(ConfigError, match="unknown row that is trained 'pivot'"):
        refuse_wrong_keys(PAPER, scale, "small.toml")


def test_the_curve_is_in_the_tables_and_in_files_of_its_own(out):
    record = json.loads((out / "table.json").read_text())
    (curve,) = record["curves"]
    f1 = {line["key"]: line["f1"]["G-XLT"]["mean"] for line in record["tables"][0]["lines"]}
    points = curve["lines"]["read directly"]
    assert [(point["x"], point["f1"]) for point in points] == [(8, f1["few"]), (16, f1["zs"])]
    assert curve["missing"] == ["more"]
    text = (out / "table.md").read_text()
    assert "#### Labelled examples; MLQA, G-XLT F1" in text
    assert f"| by way of en | 16 | {100 * f1['pivot']:.1f} |  | 1 |" in text
    assert "Left out, since these rows were not run: `more`." in text
    files = {path.name for path in out.glob("curve-*")}
    assert files == {f"curve-labelled-examples.mlqa.{kind}" for kind in ("csv", "png")}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row(name="a", pivot="zz"), "row 'a': unknown row with a reader 'zz'; expected one"),
        (Row(name="a", pivot="pivot"), "unknown row with a reader 'pivot'"),
        (Row(name="a", pivot="zs", strategies=("qc",)), "row 'a': expected only name, pivot and"),
        (Row(name="a", pivot="zs", settings=("updates=1",)), "a row with a pivot is not trained"),
    ],
)
def test_wrong_rows_are_refused(row, message):
    scale = replace(PAPER.scales["toy"], row={**PAPER.scales["toy"].row, "a": row})
    with pytest.raises(ConfigError, match=message):
        refuse_wrong_keys(PAPER, scale, "toy")


def test_what_it_needs_is_told_before_anything_is_made(data):
    check_inputs(job_of(data))
    with pytest.raises(ConfigError, match="row 'pivot' is measured with the reader of 'zs'; add"):
        check_inputs(job_of(data, "pivot", "few"))
    nobody = job_of(data, pivot="")
    with pytest.raises(ConfigError, match=r"a row with a pivot needs a translator .* --translator"):
        check_inputs(nobody)
    check_inputs(replace(nobody, translator="copy"))
    with pytest.raises(DataError, match="nowhere"):
        check_inputs(job_of(data, pivot="lexicon:{data}/nowhere"))
    assert not (data / "nothing").exists()
