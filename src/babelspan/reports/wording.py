"""How figures are formatted in all reports."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babelspan.scoring.matrix import Metric

TITLES: "dict[Metric, str]" = {"f1": "F1", "exact_match": "Exact match"}
QUESTION_TITLES = {
    "bleu": "BLEU-4",
    "chrf": "chrF++",
    "right_language": "In the language asked for",
    "read_f1": "F1 of a reader on the questions",
    "gold_read_f1": "F1 of the reader on human questions",
    "copied": "Words copied from the text",
    "with_answer": "Questions that contain their answer",
    "self_bleu": "Self-BLEU",
    "gold_self_bleu": "Self-BLEU of human questions",
    "distinct_1": "Distinct words",
    "distinct_2": "Distinct pairs of words",
}
"""Figures of generated questions that are fractions, in report order."""


def title_of(metric: str) -> str:
    """Return the title of a figure of readers or generators."""
    of_readers: dict[str, str] = dict(TITLES.items())
    return QUESTION_TITLES.get(metric) or of_readers[metric]


def with_sd(value: float, sd: float | None) -> str:
    """Format a figure in percent with one decimal, with its standard deviation if there is one."""
    return f"{value:.1f}" if sd is None else f"{value:.1f} ± {sd:.1f}"


def p_value(value: float) -> str:
    """Format a p-value with four decimals."""
    return f"{value:.4f}" if value >= 0.0001 else "<0.0001"


def percent(value: float | None, *, signed: bool = False) -> str:
    """Format a fraction in percent with one decimal, None as a dash; `signed` for a difference."""
    if value is None:
        return "–"
    return f"{100 * value:{'+' if signed else ''}.1f}".replace("-", "−")
