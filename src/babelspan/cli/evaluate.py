"""`babelspan evaluate`: the q/c matrix of a reader or of a question generator."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from babelspan.cli.evaluate_generator import Asked, Kept, carry_out
from babelspan.cli.shown import (
    Also,
    AlsoBy,
    AlsoCache,
    Cross,
    Json,
    NoAnswer,
    On,
    PivotLanguage,
    PivotName,
    Sample,
    Split,
    Workers,
    reader_and_crew,
    tell_unnamed,
)

if TYPE_CHECKING:
    from babelspan.data.folder import DataFile
    from babelspan.jobs.answer import ReaderSpec
    from babelspan.jobs.shards import Crew
    from babelspan.reports.evaluation import Evaluation
    from babelspan.scoring.figures import Scorer
    from babelspan.scoring.matrix import Pair
    from babelspan.types import Example

Reader = Annotated[
    str,
    typer.Argument(help='"default", a folder or a hub name; or a folder with a generator.'),
]
Data = Annotated[list[Path], typer.Argument(help="Files and folders in the SQuAD layout.")]
ScorerName = Annotated[
    str,
    typer.Option(
        "--scorer", help="squad, squad2, mlqa, korquad, drcd, cmrc, tydiqa or unicode (ours)."
    ),
]
Besides = Annotated[
    list[Path] | None,
    typer.Option(
        "--beside",
        help="File with the same questions and texts in another language, read together with "
        "them; repeatable.",
    ),
]
Only = Annotated[
    Path | None,
    typer.Option(
        "--only",
        help="Ask only questions whose ids are in this file: one id per line, or a data set (it "
        "may be a translation of this one).",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for predictions and matrix; needed to resume."),
]
Reports = Annotated[
    list[Path] | None,
    typer.Option("--report", help="Also write a report: .html, .csv, .png or .json; repeatable."),
]
Keep = Annotated[
    bool, typer.Option("--keep-misplaced", help="Score answers that are not at the stated offset.")
]
RoundTrip = Annotated[
    str | None,
    typer.Option("--round-trip", help="For generators: a reader that answers the questions."),
]
Decoding = Annotated[
    str, typer.Option("--decode", help="For generators: greedy, beam:K or sample:P.")
]
NoRepeat = Annotated[
    int,
    typer.Option(
        "--no-repeat", min=0, help="For generators: no run of N pieces twice in a question."
    ),
]
Tokenize = Annotated[
    str,
    typer.Option(
        "--tokenize",
        help="For generators, words of BLEU: words (ours), 13a, intl, zh, char or none.",
    ),
]
Lowercase = Annotated[
    bool, typer.Option("--lowercase", help="For generators: BLEU and chrF++ without case.")
]


def command(
    reader: Reader,
    data: Data,
    *,
    cross: Cross = False,
    scorer: ScorerName = "squad",
    split: Split = None,
    sample: Sample = None,
    only: Only = None,
    no_answer: NoAnswer = False,
    out: Out = None,
    report: Reports = None,
    keep_misplaced: Keep = False,
    as_json: Json = False,
    pivot: PivotName = None,
    pivot_language: PivotLanguage = "en",
    beside: Besides = None,
    also: Also = None,
    translator: AlsoBy = None,
    cache: AlsoCache = None,
    on: On = "local",
    workers: Workers = 1,
    round_trip: RoundTrip = None,
    decode: Decoding = "greedy",
    no_repeat: NoRepeat = 0,
    tokenize: Tokenize = "words",
    lowercase: Lowercase = False,
) -> None:
    """Measure a reader on every pair of question and context language, with XLT and G-XLT.

    For a question generator: BLEU-4 and chrF++ against human questions, the share of questions in
    the language asked for, the share of copied words, and how much the questions differ.
    """
    from babelspan.data.folder import find
    from babelspan.jobs.evaluate import load_cells
    from babelspan.jobs.only import digest_of, ids_of, with_ids
    from babelspan.scoring.scorers import load_scorer

    rules = load_scorer(scorer)
    files = find(data, split=split)
    tell_unnamed(files)
    spec, crew = reader_and_crew(
        reader,
        pivot=pivot,
        pivot_language=pivot_language,
        also=also,
        translator=translator,
        cache=cache,
        on=on,
        workers=workers,
    )
    others = find(beside or [], split=split)
    asked = Asked(round_trip, decode, no_repeat, tokenize, lowercase)
    is_generator = asked.is_of(spec, {"--no-answer": no_answer, "--beside": beside})
    _check_reports(report or [], [*files, *others], only, spec)
    cells = load_cells(files, crossed=cross, sample=sample, keep_misplaced=keep_misplaced)
    ids = None if only is None else ids_of(only)
    cells = cells if ids is None else with_ids(cells, ids)
    kept = Kept(sample, out, report or [], as_json)
    if is_generator:
        carry_out(asked.asking(spec, rules), files, cells, kept, crew)
    else:
        _evaluate(
            spec,
            files,
            cells,
            rules=rules,
            kept=kept,
            others=others,
            no_answer=no_answer,
            crew=crew,
            only=None if ids is None else digest_of(ids),
        )


def _evaluate(
    spec: "ReaderSpec",
    files: "Sequence[DataFile]",
    cells: "Mapping[Pair, Sequence[Example]]",
    *,
    rules: "Scorer",
    kept: Kept,
    others: "list[DataFile]",
    no_answer: bool,
    crew: "Crew",
    only: str | None,
) -> None:
    """Measure a reader, print its figures and write its reports."""
    from babelspan.data.files import write_json
    from babelspan.jobs.evaluate import evaluate
    from babelspan.reports.kinds import write_report

    together = _together(spec, cells, others)
    _tell([e for of_pair in cells.values() for e in of_pair], no_answer)
    evaluation = evaluate(
        spec,
        files,
        together,
        rules,
        sample=kept.sample,
        allows_no_answer=no_answer,
        keep=kept.out,
        crew=crew,
        beside=others,
        only=only,
    )
    _show(evaluation, kept.as_json)
    if kept.out is not None:
        write_json(kept.out / f"matrix.{rules.NAME}.json", evaluation.to_json())
    for path in kept.reports:
        write_report(path, evaluation)


def _together(
    spec: "ReaderSpec", cells: "Mapping[Pair, Sequence[Example]]", others: "list[DataFile]"
) -> "Mapping[Pair, Sequence[Example]]":
    """Return the questions combined with those of the other files; print what is missing."""
    from babelspan.cli.shown import tell_unread
    from babelspan.jobs.beside import with_files
    from babelspan.readers import languages_beside

    read = languages_beside(spec.reader)
    tell_unread(read, [*spec.also, *(file.context_language for file in others)])
    together = with_files(cells, others, read=read)
    for line in together.summary():
        print(line, file=sys.stderr)
    return together.cells


def _show(evaluation: "Evaluation", as_json: bool) -> None:
    from rich.console import Console

    from babelspan.reports.reliability import diagram, errors_table, together
    from babelspan.reports.terminal import show
    from babelspan.reports.wording import TITLES

    if as_json:
        print(json.dumps(evaluation.to_json(), indent=1))
        return
    console = Console(highlight=False)
    for metric in TITLES:
        show(evaluation.matrix, metric, console)
    if reliability := evaluation.reliability():
        console.print(errors_table({p: {"probability": b} for p, b in reliability.items()}))
        print(f"\n{diagram(together(reliability.values()))}\n")
    print(evaluation.signature)


def _check_reports(
    reports: "list[Path]", files: "list[DataFile]", only: Path | None, spec: "ReaderSpec"
) -> None:
    """Check that the reports can be written and do not overwrite an input file."""
    from babelspan.data.places import refuse_overwriting, refuse_unwritable
    from babelspan.readers import parts_of
    from babelspan.reports.kinds import check_reports

    check_reports(reports)
    inputs = [*(file.path for file in files), *filter(None, [only]), *parts_of(spec.reader)]
    for path in reports:
        refuse_overwriting(path, inputs, option="--report")
        refuse_unwritable(path)


def _tell(examples: "list[Example]", no_answer: bool) -> None:
    """Print on standard error the notes needed to interpret the figures."""
    from babelspan.cli.shown import tell_misplaced
    from babelspan.data.squad import misplaced

    tell_misplaced(misplaced(examples))
    without = sum(e.answers == () for e in examples)
    if without and not no_answer:
        print(
            f"{without} questions have no answer, but the reader must give one; add --no-answer to "
            "allow empty answers",
            file=sys.stderr,
        )
