"""Comparison of two systems on the TyDi QA primary tasks."""

from pathlib import Path

from babelspan.data.tydiqa import load_primary_golds, load_primary_predictions
from babelspan.scoring.comparison import Settings
from babelspan.scoring.primary_comparison import Cell, PrimaryComparison, compare_primary
from babelspan.types import DataError

MEAN = "mean without English"


def compare_articles(
    gold: Path, a: Path, b: Path, settings: Settings
) -> tuple[PrimaryComparison, int]:
    """Compare in each language and in the mean without English; return the number of questions too.

    A question without a prediction counts as in the official script.

    Args:
        gold: annotated questions. The systems may have answered other versions of them, such as
            translated or transcribed ones, under the same ids.
        a: predictions of one system.
        b: predictions of the other.
        settings: settings of the tests.

    Raises:
        DataError: if a file is broken, or a system answers none of the questions.
    """
    golds = load_primary_golds(gold)
    asked = {(g.language, g.id) for g in golds}
    systems = []
    for path in (a, b):
        said = load_primary_predictions(path)
        if not any((p.language, p.id) in asked for p in said):
            raise DataError(f"{path}: expected answers to questions of {gold}, found none")
        systems.append(said)
    cells = {}
    for language in dict.fromkeys(g.language for g in golds):
        own, of_a, of_b = (
            [q for q in questions if q.language == language] for questions in (golds, *systems)
        )
        cells[language] = Cell(own, [of_a], [of_b])
    others = [language for language in cells if language != "english"]
    means = {MEAN: others} if len(others) > 1 else {}
    return compare_primary(cells, means, settings), len(golds)
