"""Our scorers on the predictions for which the official programs' figures are kept."""

import pytest

from babelspan.data.files import read_json
from babelspan.data.predictions import load_predictions
from babelspan.data.squad import load_squad
from babelspan.data.tydiqa import load_primary_golds, load_primary_predictions
from babelspan.scoring.figures import figures
from babelspan.scoring.scorers import korquad, mlqa, squad
from babelspan.scoring.tydi_primary import primary_figures

PROGRAMS = {"squad_v1.1": squad, "mlqa_v1": mlqa, "korquad_v1.0": korquad}
GOLD = {"xquad": ("xquad/test", 1190), "korquad_v1": ("korquad/dev", 5774)}


@pytest.mark.data
def test_figures_equal_those_of_the_official_programs(real_data):
    golden = real_data / "golden"
    compared = 0
    for name, of_program in read_json(golden / "expected.json").items():
        data, _, language = name.partition(".")
        stem, questions = GOLD[data]
        for program in of_program:
            found = figures(
                load_squad(real_data / "qa" / f"{stem}.{language}.json.gz"),
                load_predictions(golden / f"{name}.predictions.json.gz"),
                PROGRAMS[program],
                language=language,
            )
            percent = {"exact_match": 100 * found.exact_match, "f1": 100 * found.f1}
            assert percent == pytest.approx(of_program[program], abs=1e-9), f"{name} {program}"
            assert found.questions == questions
            compared += len(percent)

    assert compared == 20


@pytest.mark.data
def test_figures_of_the_primary_tasks_equal_those_of_the_official_program(real_data):
    golden = real_data / "golden"
    golds = load_primary_golds(golden / "tydi_primary.gold.jsonl.gz")
    found = primary_figures(
        golds, load_primary_predictions(golden / "tydi_primary.predictions.jsonl.gz")
    )
    expected = read_json(golden / "tydi_primary.expected.json")
    ours = {**found.languages, "average (without English)": found.means}

    assert ours.keys() == expected.keys()
    for name, figures_of in expected.items():
        assert ours[name] == pytest.approx(figures_of, abs=1e-9), name
    assert sum(map(len, ours.values())) == 146
    assert (len(golds), found.missing, found.unexpected) == (600, 19, 0)
