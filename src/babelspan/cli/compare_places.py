"""`babelspan compare --scorer tydi-primary`: two systems on questions over whole articles."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from babelspan.cli.compared import counts_table, differences_table, wide_console
from babelspan.cli.shown import one_line
from babelspan.reports.wording import p_value
from babelspan.types import ConfigError

if TYPE_CHECKING:
    from babelspan.scoring.comparison import Settings
    from babelspan.scoring.primary_comparison import PrimaryComparison


def refuse_idle_options(given: Mapping[str, object]) -> None:
    """Refuse options that have no effect on articles.

    Raises:
        ConfigError: if one of them is set.
    """
    for option, value in given.items():
        if value:
            raise ConfigError(f"{option} has no effect with --scorer tydi-primary; leave it out")


def compare_places(
    gold: Sequence[Path], a: Path, b: Path, settings: "Settings", *, as_json: bool
) -> None:
    """Compare two files of predictions in each language and in the mean without English.

    Raises:
        ConfigError: if there is not exactly one file of articles.
        DataError: if a file is broken, or the predictions belong to other questions.
    """
    from babelspan.data.files import checksum
    from babelspan.jobs.compare_articles import compare_articles
    from babelspan.scoring import tydi_primary
    from babelspan.scoring.figures import signature
    from babelspan.version import VERSION

    if len(gold) != 1:
        raise ConfigError(f"expected one file of TyDi QA articles, found {len(gold)}")
    found, questions = compare_articles(gold[0], a, b, settings)
    line = signature(tydi_primary, questions=questions, data=[checksum(gold[0])], version=VERSION)
    line += f"|clusters:question|{str(settings).partition('|')[2]}"
    if as_json:
        record = {"a": str(a), "b": str(b), **found.to_json(), "signature": line}
        print(json.dumps(record, indent=1))
        return
    for name, path in zip("AB", (a, b), strict=True):
        print(f"{name}  {one_line(str(path))}")
    for task in found.differences:
        _show(found, task, settings.correction)
    print(line)


def _show(found: "PrimaryComparison", task: str, correction: str) -> None:
    """Print the tables of a task: F1 with differences, and counts of right and wrong answers."""
    title = f"{task.capitalize()}: F1, percent"
    table = differences_table(title, "language", found.differences[task], correction)
    title = f"{task.capitalize()}: questions with an answer, fully right or wrong"
    columns = ("both", "A only", "B only", "neither", "partly", "p (McNemar)")
    counts = counts_table(title, "language", columns)
    for name, r in found.right[task].items():
        numbers = (r.both, len(r.only_a), len(r.only_b), r.neither, r.partly)
        counts.add_row(name, *map(str, numbers), p_value(r.mcnemar_p_value))
    console = wide_console()
    for shown in (table, counts):
        console.print()
        console.print(shown)
    console.print()
