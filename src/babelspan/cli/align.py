"""`babelspan align`: word links of a bitext, a dictionary made from them, and their quality."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from babelspan.cli.shown import Json, tracked

if TYPE_CHECKING:
    from babelspan.jobs.align import Outcome
    from babelspan.scoring.alignment import LinkFigures

Bitext = Annotated[
    list[Path],
    typer.Argument(
        metavar="BITEXT...",
        help="Sentence pairs: <source>.<a>-<b>.tsv[.gz], or .txt with words separated by spaces "
        "and sides by ' ||| '. All of one pair of languages.",
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out", help="File for the links: .txt (i-j, line for line), or .tsv[.gz] (bitext, links)."
    ),
]
AlignerName = Annotated[str, typer.Option("--aligner", help="ibm1, or awesome:READER.")]
Layer = Annotated[
    int | None, typer.Option("--layer", min=0, help="Layer of the reader's encoder, for awesome.")
]
Threshold = Annotated[
    float | None, typer.Option("--threshold", help="Minimum confidence of a link, from 0 to 1.")
]
Dictionary = Annotated[
    Path | None,
    typer.Option("--dictionary", help="File for word translations, <name>.<a>-<b>.tsv[.gz]."),
]
Gold = Annotated[
    Path | None,
    typer.Option("--gold", help="Gold links (words, words, links; .tsv[.gz]) to measure by."),
]


def command(
    bitext: Bitext,
    *,
    out: Out,
    aligner: AlignerName = "ibm1",
    layer: Layer = None,
    threshold: Threshold = None,
    dictionary: Dictionary = None,
    gold: Gold = None,
    as_json: Json = False,
) -> None:
    """Link the words of sentence pairs; rerun the same command to resume.

    Unfinished work is kept in OUT.unfinished.
    """
    from babelspan.jobs.align import Job, align

    job = Job(
        files=tuple(bitext),
        out=out,
        aligner=aligner,
        threshold=threshold,
        layer=layer,
        dictionary=dictionary,
        gold=gold,
    )
    outcome = align(job, watch=tracked)
    if as_json:
        figures = outcome.gold and outcome.gold._asdict()
        print(json.dumps({**asdict(outcome), "gold": figures}, ensure_ascii=False))
        return
    _show(outcome, job.out)
    if outcome.entries is not None:
        print(f"wrote {outcome.entries} word translations to {dictionary}")
    if outcome.gold:
        _show_figures(outcome.gold)


def _show(outcome: "Outcome", out: Path) -> None:
    from babelspan.jobs.align import MOST_WORDS

    print(f"wrote {outcome.links} links between {outcome.pairs} sentence pairs to {out}")
    if outcome.long:
        print(
            f"no links in {outcome.long} pairs of more than {MOST_WORDS} words "
            f"(first: {outcome.first_long})"
        )
    if outcome.empty:
        print(f"no links in {outcome.empty} empty lines")


def _show_figures(figures: "LinkFigures") -> None:
    shown = (
        f"{name} {'-' if value is None else f'{value:.1f}'}"
        for name, value in (
            ("AER", figures.aer),
            ("precision", figures.precision),
            ("recall", figures.recall),
        )
    )
    print(f"{', '.join(shown)} on {figures.sentences} gold sentence pairs")
