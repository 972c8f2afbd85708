"""How figures are written for people, in every report the same."""

from babelspan.scoring.matrix import Metric

TITLES: dict[Metric, str] = {"f1": "F1", "exact_match": "Exact match"}


def percent(value: float | None, *, signed: bool = False) -> str:
    """A fraction in percent with one decimal, or a dash for None; `signed` for a difference."""
    if value is None:
        return "–"
    return f"{100 * value:{'+' if signed else ''}.1f}".replace("-", "−")
