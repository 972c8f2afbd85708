"""A page with the figures of a generator and every question behind them; it has no script."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

from babelspan.reports.page_tables import matrix_table, mean_line
from babelspan.reports.question_evaluation import QuestionEvaluation
from babelspan.reports.wording import QUESTION_TITLES, percent
from babelspan.scoring.matrix import Pair
from babelspan.types import Example

_STYLE = Path(__file__).parent / "page.css"
_PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title: questions</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<header>
<h1>Generator: <bdi>$title</bdi></h1>
<p>$summary</p>
</header>
<main>
$tables
$pairs
</main>
<footer>
<p>Signature: <code>$signature</code></p>
</footer>
</body>
</html>
"""
)


def question_page(evaluation: QuestionEvaluation) -> str:
    """Return an HTML page with a matrix per figure, and all questions next to the human ones."""
    style = _STYLE.read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _PAGE.substitute(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'",
        style=style,
        title=escape(evaluation.generator),
        summary=escape(_summary(evaluation)),
        tables="\n".join(_table(evaluation, metric) for metric in evaluation.metrics),
        pairs="\n".join(_pair(evaluation, pair) for pair in evaluation.cells),
        signature=escape(evaluation.signature),
    )


def _summary(evaluation: QuestionEvaluation) -> str:
    questions = sum(map(len, evaluation.cells.values()))
    told = evaluation.recognised
    trust = "" if told is None else f" {percent(told)} % of the human questions are recognised."
    return (
        f"Pairs of languages: {len(evaluation.cells)}. Questions over all pairs: {questions:,}. "
        f"Languages are recognised by samples of the human questions.{trust}"
    )


def _table(evaluation: QuestionEvaluation, metric: str) -> str:
    title = f"{QUESTION_TITLES[metric]}, percent"
    return (
        f'<section class="metric" id="{metric}">\n{mean_line([evaluation.grid], metric)}\n'
        f"{matrix_table([evaluation.grid], metric, title)}\n</section>"
    )


def _pair(evaluation: QuestionEvaluation, pair: Pair) -> str:
    """Return the questions of a pair; the cells of the matrices link to its heading."""
    name = escape("-".join(pair))
    figures, examples = evaluation.grid.cells[pair], evaluation.cells[pair]
    said = (
        f"{len(examples)} questions, {figures.question_words:.1f} words each, human questions "
        f"{figures.gold_words:.1f}; {figures.missing} not written"
    )
    items = "\n".join(_items(evaluation, pair, examples))
    return (
        f'<section><h2 id="{name}">Questions in {escape(pair[0])}, contexts in {escape(pair[1])}'
        f"</h2>\n<p>{said}.</p>\n<details><summary>Show them</summary>\n<ol>\n{items}\n</ol>"
        "\n</details></section>"
    )


def _items(
    evaluation: QuestionEvaluation, pair: Pair, examples: Sequence[Example]
) -> Iterator[str]:
    written, figures = evaluation.questions[pair], evaluation.grid.cells[pair]
    of_each = zip(examples, figures.chrf_each, figures.languages, strict=True)
    for example, chrf, language in of_each:
        answer = example.answers[0].text if example.answers else ""
        spoken = escape(language or "no words")
        yield (
            f'<li><p class="scores">chrF++ {percent(float(chrf))} · looks like {spoken} '
            f'<span class="id">{escape(example.id)}</span></p>'
            f"{_line('written', written[example.id], pair[0])}"
            f"{_line('people', example.question, pair[0])}"
            f"{_line('answer', answer, pair[1])}</li>"
        )


def _line(what: str, text: str, language: str) -> str:
    shown = f'<bdi lang="{escape(language)}">{escape(text)}</bdi>' if text else "–"
    return f'<p class="question"><span class="note">{what}</span> {shown}</p>'
