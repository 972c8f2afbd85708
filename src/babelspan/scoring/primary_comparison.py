"""Two systems on the TyDi QA primary tasks: differences, and which questions each answers right.

F1 is that of `tydi_primary`, at the best threshold of each system and cell. Precision is S / A
and recall S / G, so F1 is 2 S / (A + G), where S is the sum of the scores, A the number of answers,
and G the number of questions with an answer. The paired bootstrap (Koehn 2004, W04-3250) draws
questions with replacement, the same for both systems and all cells, and keeps the thresholds.

Right and wrong answers are counted as in Faisal and Anastasopoulos (2021), arXiv:2109.12028,
Table 6: among questions with an answer, those that a system has fully right or fully wrong. An
answer below the threshold is wrong. With several seeds, the majority decides.

Q questions, T systems with all their seeds, R draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from babelspan.scoring.comparison import Difference, Settings
from babelspan.scoring.significance import CORRECTIONS, Floats, drawn_sums, mcnemar
from babelspan.scoring.tydi_primary import TASKS, at_best_threshold
from babelspan.types import DataError, PrimaryQuestion

Answers = Sequence[PrimaryQuestion]


class Cell(NamedTuple):
    """Questions with gold answers, and the answers of two systems, one set per seed."""

    golds: Answers
    a: Sequence[Answers]
    b: Sequence[Answers]


@dataclass(frozen=True, slots=True)
class Right:
    """Questions with an answer, by which systems are right; partly right ones are left out.

    Attributes:
        both: number of questions that both systems have right.
        only_a: ids of questions that A has right and B wrong.
        only_b: ids of questions that B has right and A wrong.
        neither: number of questions that both have wrong.
        partly: number of questions that a system has partly right.
    """

    both: int
    only_a: tuple[int, ...]
    only_b: tuple[int, ...]
    neither: int
    partly: int

    @property
    def mcnemar_p_value(self) -> float:
        """P-value of McNemar's exact test of the table."""
        return mcnemar(len(self.only_a), len(self.only_b))

    def to_json(self) -> dict[str, Any]:
        """Return the table as plain values, with McNemar's test."""
        ids = {"only_a_ids": list(self.only_a), "only_b_ids": list(self.only_b)}
        counts = {"only_a": len(self.only_a), "only_b": len(self.only_b)}
        return {**asdict(self), **counts, **ids, "mcnemar_p_value": self.mcnemar_p_value}


@dataclass(frozen=True, slots=True)
class PrimaryComparison:
    """Differences by task, then by cell and mean; right and wrong answers by task and cell."""

    differences: dict[str, dict[str, Difference]]
    right: dict[str, dict[str, Right]]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        return {
            task: {
                name: {
                    **asdict(found),
                    **({"right": of_task[name].to_json()} if name in of_task else {}),
                }
                for name, found in self.differences[task].items()
            }
            for task, of_task in self.right.items()
        }


def compare_primary(
    cells: Mapping[str, Cell], means: Mapping[str, Sequence[str]], settings: Settings
) -> PrimaryComparison:
    """Compare two systems in each cell, and in means over cells.

    Args:
        cells: cells by name. Questions with the same id and language are versions of one question.
        means: names of the cells of each mean.
        settings: correction, number of draws and their seed.

    Raises:
        DataError: if there is no question, or an id occurs twice in a cell.
    """
    numbers = _numbers(cells)
    differences: dict[str, dict[str, Difference]] = {}
    right: dict[str, dict[str, Right]] = {}
    for task in TASKS:
        counted = {
            name: [
                np.stack([at_best_threshold(task, cell.golds, of_seed) for of_seed in system])
                for system in (cell.a, cell.b)
            ]
            for name, cell in cells.items()
        }
        differences[task] = _differences(counted, numbers, means, settings)
        right[task] = {
            name: _right([gold.id for gold in cells[name].golds], *counted[name]) for name in cells
        }
    return PrimaryComparison(differences, right)


def _numbers(cells: Mapping[str, Cell]) -> dict[str, NDArray[np.intp]]:
    """Return question numbers for each cell, (Q,); the same question has the same number."""
    known: dict[tuple[str, int], int] = {}
    found = {}
    for name, cell in cells.items():
        keys = [(gold.language, gold.id) for gold in cell.golds]
        if len(set(keys)) < len(keys) or not keys:
            raise DataError(f"{name}: expected questions with unique ids, found {len(keys)}")
        found[name] = np.array([known.setdefault(key, len(known)) for key in keys])
    return found


def _differences(
    counted: Mapping[str, Sequence[Floats]],
    numbers: Mapping[str, NDArray[np.intp]],
    means: Mapping[str, Sequence[str]],
    settings: Settings,
) -> dict[str, Difference]:
    """Return differences by cell and mean, from scores, answers and golds of each, (T, 3, Q)."""
    questions = 1 + max(int(n.max()) for n in numbers.values())
    columns = []
    for name, systems in counted.items():
        for values in np.concatenate(systems).reshape(-1, len(numbers[name])):
            columns.append(np.bincount(numbers[name], values, questions))
    drawn = drawn_sums(np.stack(columns, 1), resamples=settings.resamples, seed=settings.seed)
    observed: dict[str, list[Floats]] = {}
    spread: dict[str, Floats] = {}
    at = 0
    for name, (of_a, of_b) in counted.items():
        width = 3 * (len(of_a) + len(of_b))
        f1s = _f1(drawn[:, at : at + width].reshape(len(drawn), -1, 3))
        observed[name] = [_f1(values.sum(axis=2)) for values in (of_a, of_b)]
        spread[name] = f1s[:, : len(of_a)].mean(axis=1) - f1s[:, len(of_a) :].mean(axis=1)
        at += width
    for name, parts in means.items():
        observed[name] = [np.mean([observed[part][i] for part in parts], axis=0) for i in (0, 1)]
        spread[name] = np.mean([spread[part] for part in parts], axis=0)
    tested = {name: _p_value(values) for name, values in spread.items()}
    of_cells = CORRECTIONS[settings.correction](np.array([tested[name] for name in counted]))
    corrected = dict(zip(counted, of_cells.tolist(), strict=True))
    return {
        name: _difference(of_a, of_b, spread[name], tested[name], corrected.get(name))
        for name, (of_a, of_b) in observed.items()
    }


def _difference(
    a: Floats, b: Floats, spread: Floats, p_value: float, corrected: float | None
) -> Difference:
    low, high = np.quantile(spread, [0.025, 0.975])
    return Difference(
        a=mean(a.tolist()),
        b=mean(b.tolist()),
        a_sd=stdev(a.tolist()) if len(a) > 1 else None,
        b_sd=stdev(b.tolist()) if len(b) > 1 else None,
        difference=mean(a.tolist()) - mean(b.tolist()),
        low=float(low),
        high=float(high),
        p_value=p_value,
        corrected=corrected,
    )


def _f1(sums: Floats) -> Floats:
    """Return F1 from sums of scores, answers and golds, (…, 3) to (…)."""
    size = sums[..., 1] + sums[..., 2]
    return np.divide(2 * sums[..., 0], size, out=np.zeros_like(size), where=size > 0)


def _p_value(spread: Floats) -> float:
    """Return twice the share of draws beyond 0, counting the observed one (two-sided)."""
    least = min(int((spread <= 0).sum()), int((spread >= 0).sum()))
    return min(1.0, 2 * (least + 1) / (len(spread) + 1))


def _right(ids: Sequence[int], of_a: Floats, of_b: Floats) -> Right:
    """Return the table of right and wrong, from scores, answers and golds, (T, 3, Q) each."""
    has_gold = of_a[0, 2] > 0
    right_a, right_b = ((system[:, 0] == 1).mean(axis=0) > 0.5 for system in (of_a, of_b))
    wrong_a, wrong_b = ((system[:, 0] == 0).mean(axis=0) > 0.5 for system in (of_a, of_b))
    decided = has_gold & (right_a | wrong_a) & (right_b | wrong_b)

    def chosen(where: NDArray[np.bool_]) -> tuple[int, ...]:
        return tuple(ids[i] for i in np.flatnonzero(where).tolist())

    return Right(
        both=int((has_gold & right_a & right_b).sum()),
        only_a=chosen(has_gold & right_a & wrong_b),
        only_b=chosen(has_gold & right_b & wrong_a),
        neither=int((has_gold & wrong_a & wrong_b).sum()),
        partly=int((has_gold & ~decided).sum()),
    )
