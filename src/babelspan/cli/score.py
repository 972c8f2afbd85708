"""`babelspan score`: figures of predictions, as the field's scripts give them."""

import json
from pathlib import Path
from typing import Annotated

import typer

Gold = Annotated[Path, typer.Argument(help="Questions with answers in the SQuAD layout.")]
Predictions = Annotated[Path, typer.Argument(help="{id: text} as JSON; either may be gzip'd.")]
ScorerName = Annotated[str, typer.Option("--scorer", help="squad or mlqa.")]
Language = Annotated[
    str | None, typer.Option("--language", help="Of the contexts; else from the name of GOLD.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def command(
    gold: Gold,
    predictions: Predictions,
    scorer: ScorerName,
    language: Language = None,
    as_json: Json = False,
) -> None:
    """Score predictions: exact match and F1, fractions of 1 in JSON, percent in the table."""
    from babelspan.cli.shown import load_questions
    from babelspan.data.files import checksum
    from babelspan.data.folder import describe
    from babelspan.data.predictions import load_predictions
    from babelspan.measuring import load_scorer
    from babelspan.scoring.figures import figures, signature
    from babelspan.version import VERSION

    rules = load_scorer(scorer)
    file = describe(gold)
    examples = load_questions(file)
    found = figures(examples, load_predictions(predictions), rules, language=language)
    line = signature(
        rules,
        questions=found.questions,
        data=[f"{language or file.context_language}:{checksum(gold)}"],
        version=VERSION,
    )
    if as_json:
        record = {
            "exact_match": found.exact_match,
            "f1": found.f1,
            "questions": found.questions,
            "missing": found.missing,
            "signature": line,
        }
        print(json.dumps(record, indent=1))
        return
    print(f"exact match {found.exact_match:.2%}   F1 {found.f1:.2%}   {found.questions} questions")
    if found.missing:
        print(f"{found.missing} questions have no prediction and count as wrong")
    print(line)
