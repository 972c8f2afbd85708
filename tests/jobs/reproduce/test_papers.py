"""The rows and figures of a paper, and the scales at which it is made again."""

from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest

from babelspan.augment.statistics import TYPES
from babelspan.config import build
from babelspan.jobs import train as train_job
from babelspan.jobs.reproduce import papers
from babelspan.jobs.reproduce.papers import (
    Scale,
    choose_rows,
    choose_scale,
    load_paper,
    settings_of,
    title_of,
)
from babelspan.methods import fine_tune
from babelspan.types import ConfigError

PAPER = load_paper("bornea2021")
MINI = PAPER.scales["mini"]
METHODS = Path(fine_tune.__file__).parent
MEANS = ("G-XLT", "XLT", "G-XLT-sd", "XLT-sd")
FIGURES = [
    (row.name, test, figures)
    for row in PAPER.rows.values()
    for test, figures in row.published.items()
]


@pytest.mark.parametrize(("row", "test", "figures"), FIGURES)
def test_published_figures_agree_with_their_mean(row, test, figures):
    languages = [value for name, value in figures.items() if name not in MEANS]
    assert len(languages) == (7 if test == "MLQA" else 9)
    printed = figures["G-XLT"] if test == "MLQA" else figures["XLT"]
    assert mean(languages) == pytest.approx(printed, abs=0.11)


AVERAGES_OF_TABLE_3 = {
    "ar": (59.6, 54.8),
    "de": (65.5, 61.5),
    "en": (64.9, 74.3),
    "es": (64.0, 66.1),
    "hi": (59.0, 54.9),
    "vi": (58.0, 64.3),
    "zh": (62.5, 57.6),
}
"""The last column and the last row, AVG, as printed."""


def test_the_cells_of_table_3_agree_with_the_averages_printed_there_and_in_table_2():
    row = PAPER.rows["psa-qs-all"]
    cells = row.published_cells["MLQA"]
    assert [len(cells), *map(len, cells.values())] == [7] * 8
    for language, (of_questions, of_contexts) in AVERAGES_OF_TABLE_3.items():
        assert mean(cells[language].values()) == pytest.approx(of_questions, abs=0.051)
        column = [of_question[language] for of_question in cells.values()]
        assert mean(column) == pytest.approx(of_contexts, abs=0.051)
        assert row.published["MLQA"][language] == of_contexts
    everything = [f1 for of_question in cells.values() for f1 in of_question.values()]
    assert mean(everything) == pytest.approx(row.published["MLQA"]["G-XLT"], abs=0.051)
    diagonal = [cells[language][language] for language in cells]
    assert mean(diagonal) == pytest.approx(row.published["MLQA"]["XLT"], abs=0.051)
    assert [key for key, row in PAPER.rows.items() if row.published_cells] == ["psa-qs-all"]


def test_the_counts_of_table_1_add_up():
    sets = PAPER.data_sets
    assert list(sets) == ["original", "T(Q)", "T(C)", "T(Q+C)", "T(ALL)"]
    for data_set in sets.values():
        assert sum(data_set.types.values()) == data_set.pairs
        assert set(data_set.types) == set(TYPES)
    own, asked, told, both, everything = (counts(data_set) for data_set in sets.values())
    assert asked == {name: 6 * count for name, count in own.items()}  # five languages
    assert told == both
    assert everything == {
        name: asked[name] + told[name] + both[name] - 2 * own[name] for name in own
    }


def test_the_means_of_table_1_are_those_of_its_parts():
    own, *parts, everything = PAPER.data_sets.values()
    for mean_of in ("question_words", "answer_words"):
        total = sum(getattr(part, mean_of) * part.pairs for part in parts)
        total -= 2 * getattr(own, mean_of) * own.pairs
        assert total / everything.pairs == pytest.approx(getattr(everything, mean_of), abs=0.11)


def counts(data_set):
    return {**data_set.types, "pairs": data_set.pairs}


def test_all_rows_of_the_tables_are_there():
    of_mlqa = [row.name for row in PAPER.rows.values() if "MLQA" in row.published]
    assert of_mlqa == [
        "ZS", "T(Q)", "T(C)", "T(Q+C)", "T(ALL)", "AT ({source}-{one})", "AT ({source}-all)",
        "LAF PSA ({source}-{one})", "LAF PSA+QS ({source}-{one})",
        "LAF PSA ({source}-all)", "LAF PSA+QS ({source}-all)",
    ]  # fmt: skip
    of_tydiqa = [row.name for row in PAPER.rows.values() if "TyDiQA" in row.published]
    assert of_tydiqa == ["ZS", "T(Q)", "AT ({source}-all)", "LAF PSA+QS ({source}-all)"]


@pytest.mark.parametrize("name", PAPER.scales)
def test_every_row_can_be_planned(name):
    scale = PAPER.scales[name]
    for key, row in choose_rows(PAPER, scale, list(PAPER.rows)).items():
        settings = settings_of(key, row, scale)
        _, built = train_job.resolve(row.method, settings=settings)
        assert built["method"].reader.lr == (1e-4 if name == "mini" else 3e-5)
        assert built["run"].updates == (240 if name == "mini" else None)


def test_names_have_the_languages_of_the_scale():
    assert title_of(PAPER.rows["at-one"], MINI) == "AT (en-es)"
    assert title_of(PAPER.rows["psa-qs-all"], PAPER.scales["paper"]) == "LAF PSA+QS (en-all)"


def test_rows_are_those_chosen_or_those_of_the_scale():
    assert list(choose_rows(PAPER, MINI, ["tall", "zs"])) == ["tall", "zs"]
    assert list(choose_rows(PAPER, MINI, [])) == list(MINI.rows)


@pytest.mark.parametrize(
    ("key", "updates"),
    [("zs", 240), ("tq", 240 * 5), ("tall", 240 * 13), ("at-one", 480), ("psa-all", 480)],
)
def test_equal_exposure_shows_as_many_source_examples(key, updates):
    row = PAPER.rows[key]
    *before, last = settings_of(key, row, replace(MINI, equal="exposure"))
    assert last == f"updates={updates}"
    assert tuple(before) == settings_of(key, row, MINI)


def test_arbitration_on_everything_reads_half_of_its_pairs_over_translated_contexts():
    row = replace(PAPER.rows["psa-all"], strategies=("q", "c", "qc"))
    assert settings_of("psa-all", row, replace(MINI, equal="exposure"))[-1] == "updates=960"


def test_a_method_says_itself_that_it_reads_in_pairs(monkeypatch):
    scale = replace(MINI, equal="exposure")
    assert settings_of("tq", PAPER.rows["tq"], scale)[-1] == "updates=1200"
    monkeypatch.setattr(fine_tune, "READS_IN_PAIRS", True, raising=False)
    assert settings_of("tq", PAPER.rows["tq"], scale)[-1] == "updates=480"


def test_every_method_that_pairs_questions_says_so():
    sources = {path.stem: path.read_text("utf-8") for path in METHODS.glob("[a-z]*.py")}
    pairs = {name for name, text in sources.items() if "babelspan.training.pairs" in text}
    says_so = {
        name for name in sources if getattr(train_job.load_method(name), "READS_IN_PAIRS", False)
    }
    assert says_so == pairs == {"language_arbitration", "adversarial_arbitration"}


def test_no_module_of_the_reproduction_knows_a_paired_method_by_name():
    for path in Path(papers.__file__).parent.glob("*.py"):
        assert "arbitration" not in path.read_text(encoding="utf-8")


def test_what_goes_over_the_settings_is_in_the_exposure():
    scale = replace(PAPER.scales["paper"], equal="exposure")
    assert settings_of("tq", PAPER.rows["tq"], scale, ("updates=10",))[-1] == "updates=60"
    with pytest.raises(ConfigError, match="updates=N, found many"):
        settings_of("tq", PAPER.rows["tq"], scale, ("updates=many",))


def test_equal_exposure_needs_a_number_of_updates():
    scale = replace(PAPER.scales["paper"], equal="exposure")
    with pytest.raises(ConfigError, match="row 'tq': equal exposure needs the setting updates=N"):
        settings_of("tq", PAPER.rows["tq"], scale)


def test_settings_go_from_general_to_particular():
    scale = replace(
        MINI,
        settings=("seed=1",),
        settings_of_method={"language_arbitration": ("seed=2",)},
        settings_of_row={"psa-all": ("seed=4",)},
    )
    assert settings_of("psa-all", PAPER.rows["psa-all"], scale) == (
        "seed=1", "seed=2", "similarity=0.0", "seed=4",
    )  # fmt: skip
    assert settings_of("tq", PAPER.rows["tq"], scale) == ("seed=1",)


def test_a_scale_of_ones_own_may_have_rows_of_its_own(tmp_path):
    (tmp_path / "small.toml").write_text(
        'about = "a trial"\nreader = "r"\ntrain = "t.en.json"\nsource = "en"\n'
        'languages = ["de"]\none = "de"\nrows = ["zs", "mine"]\n'
        '[[tests]]\nname = "T"\ndata = ["d"]\n'
        '[row.mine]\nname = "mine"\nstrategies = ["q", "qc"]\n'
    )
    scale = choose_scale(PAPER, str(tmp_path / "small.toml"))
    rows = choose_rows(PAPER, scale, [])
    assert list(rows) == ["zs", "mine"]
    assert rows["mine"].strategies == ("q", "qc")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (lambda: load_paper("bornea2012"), "unknown paper 'bornea2012'; did you mean 'bornea2021'"),
        (lambda: choose_scale(PAPER, "minni"), "unknown scale 'minni'; did you mean 'mini'"),
        (lambda: choose_scale(PAPER, "no.toml"), "no.toml: there is no such recipe"),
        (lambda: choose_rows(PAPER, MINI, ["atall"]), "unknown row 'atall'; did you mean 'at-all'"),
        (
            lambda: choose_rows(PAPER, MINI, ["x"]),
            "unknown row 'x'; expected one of adversary-all, at-",
        ),
        (lambda: build(Scale, {"sead": 1}, "s.toml"), "unknown key 'sead'; did you mean 'seeds'"),
    ],
)
def test_what_is_unknown_is_named(found, message):
    with pytest.raises(ConfigError, match=message):
        found()


SMALL = """
about = "a"\nreader = "r"\ntrain = "t"\nsource = "en"\nlanguages = ["de"]\none = "de"
rows = ["zs"]\n%s
[[tests]]
name = "T"
data = ["d"]
"""


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('against = ["tqq"]', "s.toml: unknown row 'tqq'; did you mean 'tq'"),
        ('settings_of_row.psa-al = ["a=1"]', "unknown row 'psa-al'; did you mean 'psa-all'"),
        ('settings_of_method.fine_tun = ["a=1"]', "unknown method 'fine_tun'; did you mean"),
        (
            '[row.start]\nname = "n"',
            "expected the key of a row .* not 'start' and not beginning with questions. or first., "
            "found 'start'",
        ),
        (
            '[row."../x"]\nname = "n"',
            "expected the key of a row in lower-case letters, .* found '../x'",
        ),
    ],
)
def test_a_scale_that_speaks_of_what_is_not_there_is_an_error(tmp_path, lines, message):
    (tmp_path / "s.toml").write_text(SMALL % lines)
    with pytest.raises(ConfigError, match=message):
        choose_scale(PAPER, str(tmp_path / "s.toml"))


def test_an_unknown_key_of_a_test_is_an_error(tmp_path):
    (tmp_path / "s.toml").write_text(
        'about = "a"\nreader = "r"\ntrain = "t"\nsource = "en"\nlanguages = ["de"]\none = "de"\n'
        'rows = ["zs"]\n[[tests]]\nname = "T"\ndata = ["d"]\nsampel = 3\n'
    )
    with pytest.raises(ConfigError, match="sampel"):
        choose_scale(PAPER, str(tmp_path / "s.toml"))
