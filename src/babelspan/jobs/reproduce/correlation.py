"""Correlation of a generator's BLEU with the F1 of the reader that learns from its questions.

Riabi et al. (2021), arXiv:2010.12643, Section 5.3: Pearson's r over pairs of question and context
language. Its interval is that of Fisher's transformation. It assumes independent pairs, but they
share questions and texts, so it is too narrow.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import NormalDist, StatisticsError, correlation, mean

from babelspan.generators import languages_of
from babelspan.jobs.evaluate_questions import Asking, Writing, evaluate
from babelspan.jobs.reproduce.papers import Test
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.jobs.reproduce.synthetic import generator_folder, name_of
from babelspan.jobs.reproduce.table import Line, Table
from babelspan.jobs.shards import Crew, Watch
from babelspan.scoring.matrix import Pair
from babelspan.scoring.questions import Measure
from babelspan.scoring.scorers import load_scorer

_FEWEST = 4
"""Number of pairs below which there is no interval."""
_CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """Pearson's r of BLEU and F1 for a row.

    Attributes:
        key: key of the row.
        test: name of the test.
        pairs: number of pairs of languages.
        r: the correlation over all pairs; None if a figure is the same everywhere.
        low, high: its 95 % interval; None with fewer than four pairs.
        by_question: r over the pairs of a question language, if there are three or more.
        bleu: BLEU-4 by question language, then context language; mean over seeds.
        signature: how BLEU is computed.
    """

    key: str
    test: str
    pairs: int
    r: float | None
    low: float | None
    high: float | None
    by_question: dict[str, float]
    bleu: dict[str, dict[str, float]]
    signature: str


def correlations(job: Reproduction, tables: Sequence[Table], watch: Watch) -> list[Correlation]:
    """Measure the generators on crossed tests, and return the correlations of rows that use them.

    Rows that use only some of the questions are left out. Without sacrebleu there are none.

    Args:
        job: the reproduction, with all its units run.
        tables: its tables.
        watch: shows progress.
    """
    if find_spec("sacrebleu") is None:
        return []
    measured: dict[tuple[str, str], tuple[dict[Pair, float], str]] = {}
    found = []
    for table in tables:
        for line in table.lines if table.test.crossed else ():
            row = job.rows[line.key]
            if row.generator == "none" or name_of(row) != row.generator:
                continue
            key = table.test.name, row.generator
            if key not in measured:
                measured[key] = _bleu(job, table.test, row.generator, watch)
            found.append(_correlation(table.test, line, *measured[key]))
    return found


def _correlation(test: Test, line: Line, bleu: Mapping[Pair, float], signature: str) -> Correlation:
    f1 = {(q, c): of.mean for q, cells in line.cells.items() for c, of in cells.items()}
    by_question: dict[str, float] = {}
    cells: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for (question, context), figure in bleu.items():
        cells[question][context] = figure
    for question, of_question in cells.items():
        if len(of_question) > 2:
            r = pearson({pair: bleu[pair] for pair in bleu if pair[0] == question}, f1)
            by_question |= {} if r is None else {question: r}
    r = pearson(bleu, f1)
    low, high = (None, None) if r is None else interval(r, len(bleu))
    return Correlation(
        key=line.key, test=test.name, pairs=len(bleu), r=r, low=low, high=high,
        by_question=by_question, bleu=dict(cells), signature=signature,
    )  # fmt: skip


def _bleu(job: Reproduction, test: Test, kind: str, watch: Watch) -> tuple[dict[Pair, float], str]:
    """Return the BLEU of a generator for the pairs it can write, mean over seeds."""
    of_seeds: defaultdict[Pair, list[float]] = defaultdict(list)
    signature = ""
    for seed in range(1, job.seeds + 1):
        folder = generator_folder(job, kind, seed)
        known = languages_of(str(folder)) or (job.scale.source, *job.scale.languages)
        found = evaluate(
            Asking(
                writing=Writing(generator=str(folder)),
                scorer=load_scorer(test.scorer),
                measure=Measure(),
            ),
            job.files_of(test),
            {pair: cell for pair, cell in job.cells_of(test).items() if pair[0] in known},
            sample=test.sample,
            keep=job.asked_folder(test, kind) / f"seed-{seed}",
            crew=Crew(watch=watch),
        )
        signature = found.signature
        for pair, figures in found.grid.cells.items():
            of_seeds[pair].append(figures.bleu)
    return {pair: mean(figures) for pair, figures in of_seeds.items()}, signature


def pearson(one: Mapping[Pair, float], other: Mapping[Pair, float]) -> float | None:
    """Return r over the pairs of `one`; None if a figure is the same for all of them."""
    try:
        r = correlation([*one.values()], [other[pair] for pair in one])
        return max(-1.0, min(1.0, r))  # rounding may exceed 1
    except StatisticsError:
        return None


def interval(r: float, pairs: int) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a correlation; none with fewer than four pairs or for |r| = 1."""
    if pairs < _FEWEST or abs(r) >= 1:
        return None, None
    reach = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2) / math.sqrt(pairs - 3)
    return math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach)
