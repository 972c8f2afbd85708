"""The kinds of reports, chosen by the file name's suffix, and how they are written."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from babelspan.data.files import write_whole
from babelspan.reports.evaluation import Evaluation
from babelspan.reports.heat_map import grid_map, heat_map, needs_matplotlib
from babelspan.reports.page import page
from babelspan.reports.question_evaluation import QuestionEvaluation, question_rows
from babelspan.reports.question_page import question_page
from babelspan.reports.rows import rows
from babelspan.types import ConfigError

_MAKERS: dict[str, Callable[[Evaluation], str | bytes]] = {
    ".html": page,
    ".csv": rows,
    ".png": heat_map,
    ".json": lambda evaluation: json.dumps(evaluation.to_json(), indent=1) + "\n",
}
_OF_QUESTIONS: dict[str, Callable[[QuestionEvaluation], str | bytes]] = {
    ".html": question_page,
    ".csv": question_rows,
    ".png": lambda found: grid_map(found.grid, "bleu", found.generator, found.signature),
    ".json": lambda found: json.dumps(found.to_json(), indent=1) + "\n",
}


def check_reports(paths: Iterable[Path]) -> None:
    """Check that reports can be written, before measuring starts.

    Raises:
        ConfigError: if the suffix is unknown, the path is a folder, or a library is not installed.
    """
    for path in paths:
        kind = path.suffix.lower()
        if kind not in _MAKERS:
            raise ConfigError(
                f"{path}: expected the name of a report to end in {', '.join(_MAKERS)}, "
                f"found {path.suffix!r}"
            )
        if path.is_dir():
            raise ConfigError(f"{path}: expected a file for the report, found a folder")
        if kind == ".png":
            needs_matplotlib()


def write_report(path: Path, evaluation: Evaluation | QuestionEvaluation) -> None:
    """Write a report of the kind given by the suffix; raises as `check_reports`."""
    check_reports([path])
    kind = path.suffix.lower()
    if isinstance(evaluation, QuestionEvaluation):
        write_whole(path, _OF_QUESTIONS[kind](evaluation))
    else:
        write_whole(path, _MAKERS[kind](evaluation))
