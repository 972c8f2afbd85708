"""`babelspan compare`: whether two systems differ, and on which questions."""

import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from babelspan.cli.compared import counts_table, differences_table, wide_console
from babelspan.cli.shown import Cross, Json, Sample, Split, one_line
from babelspan.reports.wording import p_value

if TYPE_CHECKING:
    from rich.text import Text

    from babelspan.jobs.compare import System
    from babelspan.scoring.comparison import Cells, Comparison
    from babelspan.scoring.matrix import Metric, Pair
    from babelspan.types import Example

Gold = Annotated[
    list[Path],
    typer.Argument(help="Files and folders in the SQuAD layout, or a file of TyDi QA articles."),
]
Compared = Annotated[
    Path,
    typer.Argument(
        help="{id: text} as JSON, a folder of evaluate --out, or a folder of these, one per seed; "
        "for TyDi QA articles the lines that predict writes."
    ),
]
ScorerName = Annotated[str, typer.Option("--scorer", help="A scorer, as for babelspan score.")]
Language = Annotated[
    str | None,
    typer.Option("--language", help="Language of the contexts (default: from GOLD's name)."),
]
Clusters = Annotated[
    str,
    typer.Option("--clusters", help="Unit of independence: question, paragraph or article."),
]
Correction = Annotated[
    str,
    typer.Option(
        "--correction",
        help="Correction for many cells: holm, benjamini-hochberg or benjamini-yekutieli.",
    ),
]
Resamples = Annotated[int, typer.Option("--resamples", min=1, help="Number of random resamples.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the resamples.")]
Show = Annotated[
    int,
    typer.Option("--show", min=0, help="Number of questions to show that only one answers."),
]
Csv = Annotated[Path | None, typer.Option("--csv", help="Also write the tables to this CSV file.")]


def command(
    gold: Gold,
    a: Compared,
    b: Compared,
    *,
    scorer: ScorerName,
    language: Language = None,
    cross: Cross = False,
    split: Split = None,
    sample: Sample = None,
    clusters: Clusters = "paragraph",
    correction: Correction = "holm",
    resamples: Resamples = 10_000,
    seed: Seed = 1,
    show: Show = 0,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """Test whether two systems differ, and list what one answers and the other misses.

    Differences are A minus B, with a 95 percent interval (paired bootstrap) and a p-value (Fisher
    randomisation), both over clusters of questions; fractions of 1 in JSON and CSV, percent in the
    tables.
    """
    from babelspan.cli.shown import tell_misplaced
    from babelspan.data.files import checksum
    from babelspan.data.folder import find
    from babelspan.data.squad import misplaced
    from babelspan.jobs.compare import load_system, refuse_different_scorers, save_csv
    from babelspan.jobs.evaluate import load_cells
    from babelspan.scoring import tydi_primary
    from babelspan.scoring.comparison import Settings, compare
    from babelspan.scoring.figures import signature
    from babelspan.scoring.scorers import load_scorer
    from babelspan.version import VERSION

    settings = Settings(clusters, correction, resamples, seed)
    if scorer == tydi_primary.NAME:
        from babelspan.cli.compare_places import compare_places, refuse_idle_options

        idle = {"--cross": cross, "--split": split, "--sample": sample, "--language": language}
        more = {"--show": show, "--csv": csv, "--clusters": clusters != "paragraph"}
        refuse_idle_options({**idle, **more})
        compare_places(gold, a, b, settings, as_json=as_json)
        return
    rules = load_scorer(scorer)
    files = find(gold, split=split)
    _check_csv(csv, [a, b, *(file.path for file in files)])
    cells = load_cells(files, crossed=cross, sample=sample, keep_misplaced=True)
    tell_misplaced(misplaced(e for examples in cells.values() for e in examples))
    data = {f.path: checksum(f.path) for f in files}
    systems = load_system(a, cells, data), load_system(b, cells, data)
    refuse_different_scorers(*systems)
    of_a, of_b = (system.seeds for system in systems)
    found = compare(cells, of_a, of_b, rules, settings, language=language)
    line = signature(
        rules,
        questions=sum(cell.questions for cell in found.cells.values()),
        data=[
            f"{f.question_language}-{language or f.context_language}:{data[f.path]}" for f in files
        ],
        version=VERSION,
    )
    line = f"{line}|{settings}" if sample is None else f"{line}|sample:{sample}|{settings}"
    lists = _lists(cells, found, systems, show)
    if csv is not None:
        save_csv(csv, found)
    if as_json:
        record = _record(scorer, systems, found, lists, line)
        print(json.dumps(record, indent=1, ensure_ascii=False))
        return
    _show(found, systems, correction)
    _show_lists(lists)
    print(line)


class Listed(NamedTuple):
    """A question that one system answers correctly and the other does not."""

    pair: "Pair"
    right: str
    """"a" or "b": the system that is right."""
    example: "Example"
    answers: Mapping[str, list[str]]
    """Answers of "a" and of "b", one per seed."""

    def to_json(self) -> dict[str, Any]:
        """Return the question, its context and all answers as a JSON object."""
        question, context = self.pair
        return {
            "question_language": question,
            "context_language": context,
            "right": self.right,
            "id": self.example.id,
            "question": self.example.question,
            "context": self.example.context,
            "gold": _golds(self.example),
            **self.answers,
        }


def _record(
    scorer: str,
    systems: "tuple[System, System]",
    found: "Comparison",
    lists: list[Listed],
    line: str,
) -> dict[str, Any]:
    named = zip("ab", systems, strict=True)
    return {
        "scorer": scorer,
        **{name: {"path": str(s.path), "seeds": len(s.seeds)} for name, s in named},
        **found.to_json(),
        "shown": [question.to_json() for question in lists],
        "signature": line,
    }


def _check_csv(csv: Path | None, inputs: list[Path]) -> None:
    """Check that the tables can be written and do not overwrite an input file."""
    from babelspan.data.places import refuse_overwriting, refuse_unwritable

    if csv is not None:
        refuse_overwriting(csv, inputs, option="--csv")
        refuse_unwritable(csv)


def _lists(
    cells: "Cells", found: "Comparison", systems: "tuple[System, System]", count: int
) -> list[Listed]:
    """For each language pair, pick `count` questions that only A or only B answers, by id hash."""
    from babelspan.jobs.evaluate import sampled

    lists = []
    for pair, cell in found.cells.items():
        for right, ids in (("a", set(cell.only_a)), ("b", set(cell.only_b))):
            for example in sampled([e for e in cells[pair] if e.id in ids], count):
                answers = {
                    name: [seed[pair][example.id] for seed in system.seeds]
                    for name, system in zip("ab", systems, strict=True)
                }
                lists.append(Listed(pair, right, example, answers))
    return lists


def _show(found: "Comparison", systems: "tuple[System, System]", correction: str) -> None:
    """Print what is compared, a table per metric, and the counts of right and wrong answers."""
    console = wide_console()
    for name, system in zip("AB", systems, strict=True):
        seeds = f"   {len(system.seeds)} seeds, mean ± sd" if len(system.seeds) > 1 else ""
        console.print(f"{name}  {one_line(str(system.path))}{seeds}", markup=False)
    rows = {"-".join(pair): cell.differences for pair, cell in found.cells.items()}
    titles: dict[Metric, str] = {"f1": "F1, percent", "exact_match": "Exact match, percent"}
    for metric, title in titles.items():
        of_all = {name: of_row[metric] for name, of_row in {**rows, **found.means}.items()}
        console.print()
        console.print(differences_table(title, "pair", of_all, correction))
    columns = ("questions", "clusters", "both", "A only", "B only", "neither", "p (McNemar)")
    table = counts_table("Right (exact match)", "pair", columns)
    for (question, context), cell in found.cells.items():
        *counts, of_mcnemar = cell.counts.values()
        table.add_row(f"{question}-{context}", *map(str, counts), p_value(of_mcnemar))
    console.print()
    console.print(table)
    console.print()


def _show_lists(lists: list[Listed]) -> None:
    """Print questions that one system answers and the other misses, with context and answers."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for (pair, right), group in groupby(lists, key=lambda listed: (listed.pair, listed.right)):
        other = "B" if right == "a" else "A"
        console.print(Text(f"{'-'.join(pair)}: {right.upper()} answers, {other} misses", "bold"))
        for listed in group:
            console.print(Text(one_line(f"{listed.example.id}  {listed.example.question}")))
            console.print(Text.assemble("   ", _context(listed)))
            golds = " | ".join(map(one_line, _golds(listed.example)))
            console.print(Text.assemble("   gold  ", (golds, "green")))
            for name, answers in listed.answers.items():
                said = " | ".join(one_line(answer) for answer in dict.fromkeys(answers))
                style = "green" if name == right else "red"
                console.print(Text.assemble(f"   {name.upper()}     ", (said or "–", style)))
        console.print()


def _context(listed: Listed) -> "Text":
    """Return the context, with wrong answers in red at their first occurrence and gold in green."""
    from rich.text import Text

    context = listed.example.context
    text = Text(one_line(context))
    for answer in listed.answers["b" if listed.right == "a" else "a"]:
        start = context.find(answer)
        if answer and start >= 0:
            text.stylize("bold red", start, start + len(answer))
    for gold in listed.example.answers or ():
        if gold.span is not None:
            text.stylize("bold green", gold.span.start, gold.span.end)
    return text


def _golds(example: "Example") -> list[str]:
    return list(dict.fromkeys(answer.text for answer in example.answers or ()))
