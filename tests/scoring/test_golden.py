"""Our scorers on the predictions for which the official programs' figures are kept."""

import pytest

from babelspan.data.files import read_json
from babelspan.data.predictions import load_predictions
from babelspan.data.squad import load_squad
from babelspan.scoring import mlqa, squad
from babelspan.scoring.figures import figures

PROGRAMS = {"squad_v1.1": squad, "mlqa_v1": mlqa}


@pytest.mark.data
def test_figures_equal_those_of_the_official_programs(real_data):
    golden = real_data / "golden"
    compared = 0
    for name, of_program in read_json(golden / "expected.json").items():
        data, _, language = name.partition(".")
        for program in sorted(PROGRAMS.keys() & of_program.keys()):
            found = figures(
                load_squad(real_data / "qa" / data / f"test.{language}.json.gz"),
                load_predictions(golden / f"{name}.predictions.json.gz"),
                PROGRAMS[program],
                language=language,
            )
            percent = {"exact_match": 100 * found.exact_match, "f1": 100 * found.f1}
            assert percent == pytest.approx(of_program[program], abs=1e-9), f"{name} {program}"
            assert found.questions == 1190
            compared += 1

    assert compared == 9
