"""Learning curves: what a scale says of them, their points, the table, the files."""

import csv
import sys
from dataclasses import replace
from statistics import mean, stdev

import pytest

from babelspan.jobs.reproduce.curve_figures import curves, name_of, save
from babelspan.jobs.reproduce.curves import Curve
from babelspan.jobs.reproduce.markdown import markdown
from babelspan.jobs.reproduce.papers import choose_scale, load_paper, papers
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.jobs.reproduce.table import Line, Spread, Table
from babelspan.types import ConfigError
from house_rules import ROOT

RIABI, LEE = load_paper("riabi2021"), load_paper("lee2019")
TOY = RIABI.scales["toy"]
ORDERS = Curve(
    name="One at a time: $x$",
    x="languages",
    lines={"in any order": {"ab": 2, "a": 1, "b": 1, "zs": 0}, "other": {"zs": 0, "gone": 3}},
)
RUNS = {"zs": [0.3, 0.4], "a": [0.45, 0.41], "b": [0.6, 0.5], "ab": [0.7, 0.62]}
"""F1 of rows with two seeds."""


def table(runs, *, crossed=True, test=TOY.tests[0]):
    """A table with these F1 of seeds, as G-XLT if it is crossed; the other mean is far off."""
    means = ("G-XLT", "XLT") if crossed else ("XLT",)
    lines = []
    for key, of_seeds in runs.items():
        sd = stdev(of_seeds) if len(of_seeds) > 1 else None
        f1 = {means[0]: Spread(mean=mean(of_seeds), sd=sd)}
        f1 |= dict.fromkeys(means[1:], Spread(mean=0.01, sd=0.0))
        lines.append(
            Line(
                key=key, name=key, settings=(), updates=1, windows=1, steps=1, f1=f1,
                exact_match={}, cells={}, against={}, published={}, published_exact_match={},
                published_cells={}, probes=[],
            )
        )  # fmt: skip
    return Table(test=test, lines=lines, signature="squad|n:3")


def job(*of_scale, seeds=2):
    return Reproduction(
        paper=RIABI, scale=replace(TOY, curve=of_scale), rows={}, data=ROOT, out=ROOT, reader="r",
        seeds=seeds,
    )  # fmt: skip


def test_a_point_is_the_mean_over_rows_and_seeds():
    (found,) = curves(job(ORDERS), [table(RUNS)])
    assert (found.mean, found.x, found.test) == ("G-XLT", "languages", "toy world, test")
    zero, one, two = found.lines["in any order"]
    assert [zero.x, one.x, two.x] == [0, 1, 2]
    of_one = [*RUNS["a"], *RUNS["b"]]
    assert (one.f1, one.sd) == pytest.approx((mean(of_one), stdev(of_one)))
    assert (one.runs, one.rows) == (4, ("a", "b"))
    assert (zero.f1, zero.sd, zero.runs) == pytest.approx((0.35, stdev(RUNS["zs"]), 2))
    assert found.lines["other"] == (zero,)
    assert found.missing == ("gone",)


def test_the_figure_of_a_test_that_is_not_crossed_is_xlt():
    (found,) = curves(job(ORDERS), [table(RUNS, crossed=False)])
    assert found.mean == "XLT"
    assert found.lines["in any order"][2].f1 == pytest.approx(0.66)


def test_one_run_has_no_deviation_but_several_rows_have():
    alone = {key: of_seeds[:1] for key, of_seeds in RUNS.items()}
    (found,) = curves(job(ORDERS, seeds=1), [table(alone)])
    zero, one, _ = found.lines["in any order"]
    assert (zero.sd, zero.runs) == (None, 1)
    assert (one.sd, one.runs) == (pytest.approx(stdev([0.45, 0.6])), 2)


def test_the_table_of_a_curve_tells_what_is_left_out():
    text = markdown(job(ORDERS), [], [], curves=curves(job(ORDERS), [table(RUNS)]))
    section = text.partition("### Curves\n\n")[2].partition("\n\n### ")[0]
    assert section.splitlines() == [
        "#### One at a time: $x$; toy world, test, G-XLT F1",
        "",
        "| line | languages | F1 | sd | runs |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| in any order | 0 | 35.0 | 7.1 | 2 |",
        "| in any order | 1 | 49.0 | 8.2 | 4 |",
        "| in any order | 2 | 66.0 | 5.7 | 2 |",
        "| other | 0 | 35.0 | 7.1 | 2 |",
        "",
        "Figures: `curve-one-at-a-time-x.toy-world-test.csv`; picture, if matplotlib is installed: "
        "`curve-one-at-a-time-x.toy-world-test.png`.",
        "",
        "Left out, since these rows were not run: `gone`.",
    ]
    assert "### Curves" not in markdown(job(), [], [])


@pytest.mark.parametrize("runs", [{"ab": [0.7, 0.6]}, {"x": [0.7, 0.6]}, {"a": [0.1], "b": [0.2]}])
def test_a_curve_with_fewer_than_two_points_is_not_drawn_and_that_is_told(runs, tmp_path):
    found = curves(job(ORDERS), [table(runs)])
    text = markdown(job(ORDERS), [], [], curves=found)
    assert "Not drawn: expected a line with two points or more, found none." in text
    assert "curve-" not in text
    save(found, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_figures_and_picture_are_written_whole(tmp_path, monkeypatch, capsys):
    found = curves(job(ORDERS), [table(RUNS)])
    name = name_of(found[0])
    save(found, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.csv", f"{name}.png"}
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / f"{name}.csv").open(encoding="utf-8", newline="")))
    assert [(row["line"], float(row["x"]), row["rows"]) for row in rows] == [
        ("in any order", 0, "zs"),
        ("in any order", 1, "a b"),
        ("in any order", 2, "ab"),
        ("other", 0, "zs"),
    ]
    assert float(rows[1]["f1"]) == pytest.approx(0.49)
    assert (rows[1]["runs"], rows[1]["signature"]) == ("4", "squad|n:3")
    assert capsys.readouterr().err == ""

    (tmp_path / f"{name}.png").unlink()
    (tmp_path / f"{name}.csv").unlink()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    save(found, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.csv"]
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("curves are not drawn: a picture of a curve (.png) needs matplotlib")
    assert "[plots]" in said


def test_every_test_has_files_of_its_own(tmp_path):
    other = replace(TOY.tests[0], name="Another test")
    save(curves(job(ORDERS), [table(RUNS), table(RUNS, test=other)]), tmp_path)
    assert len(list(tmp_path.glob("curve-*.png"))) == len(list(tmp_path.glob("curve-*.csv"))) == 2


SMALL = """
about = "a"\nreader = "r"\ntrain = "t"\nsource = "en"\nlanguages = ["de"]\none = "de"
rows = ["zs"]\nagainst = ["zs"]\ntests = [{ name = "T", data = ["d"] }]
[[curve]]\nname = "A curve"\nx = "share"\n%s
"""


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("lines.a = { zs = 0, thrid = 1 }", "curve 'A curve': unknown row 'thrid'; did you mean"),
        ("lines.a = { zs = 'x' }", r"'curve\.0\.lines\.a\.zs': .* number, found 'x'"),
        ("lines.a = { zs = nan }", r"'curve\.0\.lines\.a\.zs': .* finite number"),
        ("lines = {}", r"'curve\.0\.lines': .* at least 1 item"),
        ("lines.a = { zs = 0 }\nlabel = 'b'", "label"),
        (
            "lines.a = { zs = 0 }\n[[curve]]\nname = 'a  CURVE'\nx = 'x'\nlines.a = { zs = 0 }",
            "curve 'a  CURVE': its files would have the names of another curve's; choose another",
        ),
    ],
)
def test_a_wrong_curve_is_refused(tmp_path, lines, message):
    (tmp_path / "s.toml").write_text(SMALL % lines)
    with pytest.raises(ConfigError, match=message):
        choose_scale(RIABI, str(tmp_path / "s.toml"))


def test_the_right_one_is_read(tmp_path):
    (tmp_path / "s.toml").write_text(SMALL % "lines.'at once' = { zs = 0, third = 0.333 }")
    (curve,) = choose_scale(RIABI, str(tmp_path / "s.toml")).curve
    assert curve.lines == {"at once": {"zs": 0, "third": 0.333}}


SCALES = [
    (paper, scale) for name in papers() for paper in [load_paper(name)] for scale in paper.scales
]


def test_the_papers_have_their_curves():
    found = {(paper.title[:5], scale) for paper, scale in SCALES if paper.scales[scale].curve}
    assert found == {("Riabi", "toy"), ("Riabi", "paper"), ("Lee a", "toy")}


OWN = str(ROOT / "experiments" / "toy-questions.toml")


@pytest.mark.parametrize("name", ["toy", "paper", OWN], ids=["toy", "paper", "own"])
def test_curves_over_questions_have_the_share_of_the_questions(name):
    scale = choose_scale(RIABI, name)
    rows = {**RIABI.rows, **scale.row}
    languages = 1 + len(scale.languages)
    (curve,) = scale.curve
    for key in curve.rows:
        row = rows[key]
        share = row.share * (len(row.about) / languages if row.about else 1)
        expected = share if row.generator == "translated" else 0
        places = {line[key] for line in curve.lines.values() if key in line}
        assert [*places] == [pytest.approx(expected, abs=0.001)]
    orders = [row for key, row in scale.row.items() if key.startswith("about-")]
    assert len(orders) == len({row.about for row in orders}) == (0 if name == "paper" else 6)


def test_the_scale_of_the_experiments_has_the_rows_and_curves_of_the_toy_scale():
    own = choose_scale(RIABI, OWN)
    assert (own.curve, own.row) == (TOY.curve, TOY.row)


def test_curves_over_labelled_examples_have_the_number_of_each_row():
    scale = LEE.scales["toy"]
    rows = {**LEE.rows, **scale.row}
    (curve,) = scale.curve
    kinds = {}
    for name, line in curve.lines.items():
        for key, x in line.items():
            of_row = [s for s in (*scale.settings, *rows[key].settings) if "sample=" in s]
            assert of_row[-1] == f"sample='qad={x:g}'"
            assert key in scale.rows or rows[key].settings
        *few, whole = (rows[key] for key in line)
        for row in few:
            settings = (*whole.settings, row.settings[-1])
            assert row == replace(whole, name=row.name, settings=settings, published={})
        kinds[name] = whole.method, len(whole.train)
        assert sorted(line.values()) == [250, 500, 1000, 2000]
    assert [*kinds.values()] == [("fine_tune", 1), ("fine_tune", 2), ("qanet_adversarial", 2)]
    assert not set(scale.rows) & set(scale.row) - {"gaps", "shuffled"}
