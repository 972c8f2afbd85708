"""The matrix as comma-separated values (RFC 4180), for spreadsheets and data frames."""

import csv
import io

from babelspan.reports.evaluation import Evaluation
from babelspan.scoring.matrix import METRICS

COLUMNS = ("kind", "question", "context", *METRICS, "questions", "signature")


def rows(evaluation: Evaluation) -> str:
    """Return a line per language pair, then one per mean; figures are fractions.

    The column `kind` is `cell`, `xlt` or `g_xlt`; means have no languages, and XLT has no figures
    if question and context languages differ in every pair.
    """
    matrix, signature = evaluation.matrix, evaluation.signature
    means = (("xlt", matrix.xlt), ("g_xlt", matrix.g_xlt))
    counts = {pair: figures.questions for pair, figures in matrix.cells.items()}
    counted = {
        "xlt": sum(n for (question, context), n in counts.items() if question == context),
        "g_xlt": sum(counts.values()),
    }
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for pair, questions in counts.items():
        figures = [matrix.value(pair, metric) for metric in METRICS]
        writer.writerow(["cell", *pair, *figures, questions, signature])
    for name, mean in means:
        figures = [mean(metric) for metric in METRICS]
        writer.writerow([name, "", "", *figures, counted[name], signature])
    return file.getvalue()
