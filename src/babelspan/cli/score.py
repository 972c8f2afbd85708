"""`babelspan score`: metrics of predictions, equal to those of the official scripts."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from babelspan.cli.shown import Json

Gold = Annotated[
    Path, typer.Argument(help="Questions with answers, in the SQuAD or the TyDi QA layout.")
]
Predictions = Annotated[
    Path, typer.Argument(help="{id: text} as JSON, or TyDi QA lines; may be gzipped.")
]
ScorerName = Annotated[
    str,
    typer.Option(
        "--scorer",
        help="squad, squad2, mlqa, korquad, drcd, cmrc, tydiqa, tydi-primary or unicode (ours).",
    ),
]
Language = Annotated[
    str | None,
    typer.Option("--language", help="Language of the contexts (default: from GOLD's name)."),
]
NullOdds = Annotated[
    Path | None, typer.Option("--null-odds", help="squad2: {id: odds of no answer} as JSON.")
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--no-answer-threshold", help="squad2: null odds above this mean no answer (default: 1)."
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="Also write the JSON to this file.")]

Details = Callable[..., dict[str, Any]]


def command(
    gold: Gold,
    predictions: Predictions,
    *,
    scorer: ScorerName,
    language: Language = None,
    null_odds: NullOdds = None,
    no_answer_threshold: Threshold = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Score predictions by exact match and F1: percent in the table, fractions in JSON."""
    from babelspan.data.files import write_json
    from babelspan.data.places import refuse_overwriting, refuse_unwritable
    from babelspan.scoring import tydi_primary
    from babelspan.scoring.scorers import squad2

    _refuse_idle_options(scorer, language, null_odds, no_answer_threshold)
    if out is not None:
        refuse_overwriting(
            out, [p for p in (gold, predictions, null_odds) if p is not None], option="--out"
        )
        refuse_unwritable(out)
    threshold = squad2.THRESHOLD if no_answer_threshold is None else no_answer_threshold
    if scorer == tydi_primary.NAME:
        record = _score_places(gold, predictions)
    else:
        record = _score_strings(
            gold, predictions, scorer, language=language, null_odds=null_odds, threshold=threshold
        )
    if out is not None:
        write_json(out, record)
    print(json.dumps(record, indent=1) if as_json else "\n".join(_lines(record)))


def _refuse_idle_options(
    scorer: str, language: str | None, null_odds: Path | None, threshold: float | None
) -> None:
    from babelspan.scoring import tydi_primary
    from babelspan.scoring.scorers import squad2
    from babelspan.types import ConfigError

    options = {"--null-odds": null_odds, "--no-answer-threshold": threshold}
    for option, value in options.items():
        if value is not None and scorer != squad2.NAME:
            raise ConfigError(f"{option} is for the scorer {squad2.NAME!r}, got {scorer!r}")
    if threshold is not None and not math.isfinite(threshold):
        raise ConfigError(f"--no-answer-threshold: expected a finite number, got {threshold}")
    if threshold is not None and null_odds is None:
        raise ConfigError("--no-answer-threshold needs the odds to compare with: --null-odds FILE")
    if language is not None and scorer == tydi_primary.NAME:
        raise ConfigError(f"--language has no effect on {scorer!r}: the files name the languages")


def _score_places(gold: Path, predictions: Path) -> dict[str, Any]:
    """Return the record for the TyDi QA primary tasks."""
    from babelspan.data.files import checksum
    from babelspan.data.tydiqa import load_primary_golds, load_primary_predictions
    from babelspan.scoring import tydi_primary
    from babelspan.scoring.figures import signature
    from babelspan.version import VERSION

    golds = load_primary_golds(gold)
    found = tydi_primary.primary_figures(golds, load_primary_predictions(predictions))
    return {
        **found.means,
        "languages": found.languages,
        "questions": len(golds),
        "missing": found.missing,
        "left_out": sorted({gold.language for gold in golds} - found.languages.keys()),
        "unexpected": found.unexpected,
        "signature": signature(
            tydi_primary, questions=len(golds), data=[checksum(gold)], version=VERSION
        ),
    }


def _score_strings(
    gold: Path,
    predictions: Path,
    scorer: str,
    *,
    language: str | None,
    null_odds: Path | None,
    threshold: float,
) -> dict[str, Any]:
    """Return the record of a scorer that compares strings."""
    from dataclasses import replace

    from babelspan.cli.shown import load_questions
    from babelspan.data.files import checksum
    from babelspan.data.folder import describe
    from babelspan.data.predictions import load_null_odds, load_predictions
    from babelspan.scoring.figures import figures, signature
    from babelspan.scoring.scorers import load_scorer, squad2
    from babelspan.version import VERSION

    rules = load_scorer(scorer)
    file = describe(gold)
    file = replace(file, context_language=language or file.context_language)
    examples = load_questions(file)
    texts = load_predictions(predictions)
    found = figures(examples, texts, rules)
    best: dict[str, float] = {}
    if null_odds is not None:
        odds = load_null_odds(null_odds)
        best = squad2.best_thresholds(examples, texts, found, odds)
        found = squad2.thresholded(examples, found, odds, threshold=threshold)
    line = signature(
        rules,
        questions=found.counted,
        data=[f"{file.context_language}:{checksum(gold)}"],
        version=VERSION,
    )
    details: Details = getattr(rules, "details", lambda *_: {})
    return {
        "exact_match": found.exact_match,
        "f1": found.f1,
        "questions": found.questions,
        "missing": found.missing,
        **details(examples, found),
        **best,
        "signature": line if null_odds is None else f"{line}|no-answer-threshold:{threshold}",
    }


def _lines(record: dict[str, Any]) -> Iterator[str]:
    """Format a record as text, in percent."""
    languages = record.get("languages", {})
    if "exact_match" in record:
        yield f"{_strings_line(record)}   {record['questions']} questions"
        yield from (f"{code}: {_strings_line(f)}" for code, f in languages.items())
    else:
        yield f"mean without English: {_places_line(record, 'avg_{}_{}')}"
        form = "{}-best-threshold-{}"
        yield from (f"{name}: {_places_line(f, form)}" for name, f in languages.items())
    for name, value in record.items():
        if name.startswith(("HasAns", "NoAns", "best", "average")):
            plain = name.endswith(("total", "thresh"))
            yield f"{name} {value if plain else _percent(value)}"
    if record["missing"]:
        fate = "are not counted" if "total" in record else "count as wrong"
        if record.get("left_out"):
            fate += f", but those in {', '.join(record['left_out'])} are left out of the mean"
        yield f"{record['missing']} questions have no prediction and {fate}"
    if record.get("unexpected"):
        yield f"{record['unexpected']} predictions belong to no question and are not counted"
    yield record["signature"]


def _strings_line(figures: dict[str, Any]) -> str:
    return f"exact match {_percent(figures['exact_match'])}   F1 {_percent(figures['f1'])}"


def _places_line(figures: dict[str, Any], form: str) -> str:
    """Format F1, precision and recall of both tasks, looked up by names of the given form."""
    tasks = []
    for task in ("passage", "minimal"):
        values = (figures[form.format(task, name)] for name in ("f1", "precision", "recall"))
        f1, precision, recall = map(_percent, values)
        tasks.append(f"{task} F1 {f1} (precision {precision}, recall {recall})")
    return "   ".join(tasks)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"
