"""A page with the matrix and every question behind it, which works without a network.

The tables are written here; `page.js` sorts them and lists the questions of a pair, which is
addressed by its name: `report.html#en-ar`. Everything is in one file, and its policy forbids the
browser to fetch anything or to run another script.
"""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

from babelspan.reports.evaluation import Evaluation
from babelspan.reports.page_data import page_data
from babelspan.reports.page_tables import matrix_table, mean_line
from babelspan.reports.wording import TITLES
from babelspan.scoring.matrix import Metric
from babelspan.types import DataError

_HERE = Path(__file__).parent


def page(evaluation: Evaluation, other: Evaluation | None = None) -> str:
    """Return an HTML page for an evaluation, or for a comparison of two.

    Args:
        evaluation: evaluation of a reader, called A if there are two.
        other: evaluation of a reader B on the same questions; the matrix then shows A minus B, and
            the questions can be filtered to those that one answers and the other misses. None for a
            page of one reader.

    Raises:
        DataError: if the two differ in their language pairs or questions.
    """
    both = [evaluation] if other is None else [evaluation, other]
    _refuse_different(both)
    style, script, template = (
        (_HERE / name).read_text("utf-8") for name in ("page.css", "page.js", "page.html")
    )
    readers = " and ".join(e.reader for e in both)
    return Template(template).substitute(
        policy=_policy(style, script),
        style=style,
        script=script,
        title=html.escape(f"{readers}: {evaluation.scorer}"),
        readers=_readers(both),
        summary=html.escape(_summary(evaluation)),
        tables="\n".join(_section(both, metric) for metric in TITLES),
        signatures="\n".join(
            f"<p>Signature: <code>{html.escape(line)}</code></p>"
            for line in dict.fromkeys(e.signature for e in both)
        ),
        data=_inert(page_data(both)),
    )


def _refuse_different(evaluations: Sequence[Evaluation]) -> None:
    first = evaluations[0]
    for other in evaluations[1:]:
        if first.cells.keys() != other.cells.keys():
            raise DataError(
                "expected two evaluations of the same pairs of languages, found "
                f"{len(first.cells)} pairs and {len(other.cells)}, "
                f"{len(first.cells.keys() ^ other.cells.keys())} of them in one only"
            )
        for pair, examples in first.cells.items():
            if list(examples) != list(other.cells[pair]):
                raise DataError(
                    f"expected two evaluations of the same questions, found different ones in "
                    f"{'-'.join(pair)}; evaluate both readers on the same files and sample"
                )


def _section(evaluations: Sequence[Evaluation], metric: Metric) -> str:
    difference = ", A minus B" if len(evaluations) > 1 else ""
    title = f"{TITLES[metric]}, percent{difference}"
    matrices = [e.matrix for e in evaluations]
    return (
        f'<section class="metric" id="{metric}" data-title="{TITLES[metric]}">\n'
        f"{mean_line(matrices, metric)}\n"
        f"{matrix_table(matrices, metric, title)}\n</section>"
    )


def _readers(evaluations: Sequence[Evaluation]) -> str:
    names = [f"<bdi>{html.escape(e.reader)}</bdi>" for e in evaluations]
    if len(names) == 1:
        return f"Reader: {names[0]}"
    return " ".join(
        f'<span class="system">{s}: {n}</span>' for s, n in zip("AB", names, strict=True)
    )


def _summary(evaluation: Evaluation) -> str:
    questions = sum(len(examples) for examples in evaluation.cells.values())
    return (
        f"Scorer {evaluation.scorer}. Pairs of languages: {len(evaluation.cells)}. "
        f"Questions over all pairs: {questions:,}."
    )


def _policy(style: str, script: str) -> str:
    """Return a content security policy: nothing external, only this style and this script."""

    def digest(content: str) -> str:
        return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    return (
        f"default-src 'none'; style-src 'sha256-{digest(style)}'; "
        f"script-src 'sha256-{digest(script)}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _inert(value: object) -> str:
    """Return JSON that cannot end the HTML element around it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
