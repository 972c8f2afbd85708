"""`babelspan translate`: translate labelled data into training data in other languages."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from babelspan.cli.shown import Json, On, Workers, one_line, tracked

if TYPE_CHECKING:
    from babelspan.jobs.translate import Effort, Job
    from babelspan.seams import Translator

Data = Annotated[
    Path,
    typer.Argument(help="Questions in the SQuAD layout, or TyDi QA articles, in one language."),
]
To = Annotated[str, typer.Option("--to", help="Target languages, separated by commas.")]
TranslatorName = Annotated[
    str,
    typer.Option(
        "--translator",
        help="apertium[:DIRECTION], ctranslate2:FOLDER, libretranslate:URL or lexicon:FILE.",
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder for the result; also resumes a job.")]
StrategyName = Annotated[
    Literal["q", "c", "qc", "all"],
    typer.Option("--strategy", help="Translate questions, contexts, both, or make all three sets."),
]
Answers = Annotated[
    str,
    typer.Option(
        "--answers", help="Ways to carry answers over, most trusted first: marks, match, links."
    ),
]
Source = Annotated[
    str | None, typer.Option("--from", help="Language of DATA (default: from its name).")
]
Links = Annotated[
    Path | None,
    typer.Option("--links", help="Folder with Pharaoh word links, for --answers links."),
]
Pairs = Annotated[
    bool,
    typer.Option("--pairs", help="Only write the sentence pairs, for a word aligner."),
]
Shards = Annotated[
    int | None,
    typer.Option("--shards", min=1, help="Number of shards (default: one per 256 paragraphs)."),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache", help="Cache of translations, to share between jobs (default: OUT/cache)."
    ),
]
Keep = Annotated[
    bool, typer.Option("--keep-misplaced", help="Keep answers that are not at the stated offset.")
]


def command(
    data: Data,
    *,
    to: To,
    translator: TranslatorName,
    out: Out,
    strategy: StrategyName = "q",
    answers: Answers = "marks",
    source: Source = None,
    links: Links = None,
    pairs: Pairs = False,
    on: On = "local",
    workers: Workers = 1,
    shards: Shards = None,
    cache: Cache = None,
    keep_misplaced: Keep = False,
    as_json: Json = False,
) -> None:
    """Translate labelled data. Lost examples are listed and counted by reason.

    For TyDi QA articles, only the questions are translated; the articles stay as they are.

    OUT gets one file per language pair (in parts if there are several shards), statistics (JSON,
    CSV), dropped.jsonl, odd.jsonl (sentences of suspicious length) and a manifest with checksums.
    """
    from babelspan.augment.strategies import STRATEGIES
    from babelspan.cli.translate_articles import refuse_idle_options, translate_articles
    from babelspan.data.folder import describe
    from babelspan.data.tydi_articles import are_articles
    from babelspan.jobs.shards import Crew
    from babelspan.jobs.translate import Job, carry_out, plan_shards, write_pairs

    file = describe(data)
    source = _source(file.question_language, file.context_language, source, data)
    targets = _targets(to, source)
    if are_articles(data):
        idle = {"--links": links, "--pairs": pairs, "--shards": shards, "--cache": cache}
        idle |= {"--keep-misplaced": keep_misplaced, "--json": as_json}
        refuse_idle_options(strategy, {**idle, "--on": on != "local", "--workers": workers > 1})
        translate_articles(data, targets, out, _system(translator, source, targets), source)
        return
    parts, paragraphs = plan_shards(data, shards)
    job = Job(
        data=data.resolve(),
        split=file.split.replace(".", "-"),
        source=source,
        targets=targets,
        strategies=STRATEGIES[strategy],
        carriers=_carriers(answers, links, pairs),
        translator=translator,
        out=out.resolve(),
        cache=(cache or out / "cache").resolve(),
        links=links and links.resolve(),
        shards=parts,
        paragraphs=paragraphs,
        keep_misplaced=keep_misplaced,
    )
    system = _system(translator, source, targets)
    if pairs:
        for path, count in write_pairs(job, system):
            print(one_line(f"wrote {count} sentence pairs to {path}"))
        return
    identity = system.identity
    del system  # a network may be large; each worker loads its own
    statistics, efforts = carry_out(job, identity, crew=Crew(on=on, workers=workers, watch=tracked))
    if as_json:
        print((job.out / "statistics.json").read_text(encoding="utf-8"), end="")
        return
    _show(statistics.rows(), job)
    _show_losses(statistics.to_json(), statistics.survival(job.carriers))
    _show_effort(efforts)


def _system(name: str, source: str, targets: tuple[str, ...]) -> "Translator":
    """Load the translator; if it lacks a language, fail before anything is written."""
    from babelspan.translators import load_translator

    system = load_translator(name)
    if licence := getattr(system, "licence", None):
        typer.echo(f"licence of the translator: {licence}", err=True)
    for target in targets:
        system.translate([], source=source, target=target)
    return system


def _source(question: str, context: str, said: str | None, data: Path) -> str:
    from babelspan.types import UNDETERMINED, ConfigError

    if said is not None:
        return _language(said, "--from")
    if question == context == UNDETERMINED:
        raise ConfigError(
            f"{data}: the file name has no language; rename the file, as in train.en.json, or give "
            "--from en"
        )
    if question != context:
        raise ConfigError(
            f"{data}: expected questions and texts in one language, found {question!r} and "
            f"{context!r} in the file name; choose another file, or give --from"
        )
    return question


def _targets(to: str, source: str) -> tuple[str, ...]:
    from babelspan.types import ConfigError

    targets = tuple(_language(code, "--to") for code in _listed(to))
    if not targets or source in targets:
        raise ConfigError(f"--to: expected languages other than {source!r}, found {to!r}")
    return targets


def _language(code: str, option: str) -> str:
    """Return `code` if it can be part of a file name; else raise ConfigError."""
    from babelspan.data.folder import describe
    from babelspan.types import ConfigError

    if describe(Path(f"data.{code}.json")).question_language != code:
        raise ConfigError(f"{option}: expected codes such as es or zh-Hant, found {code!r}")
    return code


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _carriers(answers: str, links: Path | None, pairs: bool) -> Any:
    from babelspan.augment.strategies import CARRIERS
    from babelspan.config import nearest
    from babelspan.types import ConfigError

    chosen = _listed(answers)
    for name in chosen:
        if name not in CARRIERS:
            raise ConfigError(f"--answers: unknown {name!r}{nearest(name, CARRIERS)}")
    if "links" in chosen and links is None and not pairs:
        raise ConfigError(
            "--answers links needs --links FOLDER with pairs.<language>.txt and "
            "links.<language>.txt; write the pairs with --pairs, then align them with `babelspan "
            "align`"
        )
    if links is not None and "links" not in chosen:
        raise ConfigError("--links has no effect without --answers links")
    if not chosen:
        raise ConfigError("--answers: expected marks, match or links, found none")
    return tuple(chosen)


def _show(rows: list[dict[str, Any]], job: "Job") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(one_line(f"{job.data.name} by {job.translator}")), show_edge=False)
    names = [name for name in rows[0] if not name.startswith("kept")]
    for name in names:
        justify: Literal["left", "right"] = "left" if name == "strategy" else "right"
        table.add_column(name.replace("_", "\n"), justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(row, name) for name in names))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 140)
    console.print(table)


def _cell(row: dict[str, Any], name: str) -> str:
    """Format a mean, or a count above its share of the original count."""
    kept = row.get("kept" if name == "pairs" else f"kept_{name}")
    if kept is None:
        return f"{row[name]:.1f}" if isinstance(row[name], float) else str(row[name])
    return f"{row[name]}\n{kept:.1%}"


def _show_losses(record: dict[str, Any], survival: list[dict[str, Any]]) -> None:
    for item in record["dropped"]:
        print("dropped {count:>7}  {strategy} {language}: {reason}".format(**item))
    for row in survival:
        print(
            "answers {arrived:>7}  {language}: by {carrier}, {share:.1%} of {answers}".format(**row)
        )
    for language, count in record["repaired"].items():
        print(f"answers {count:>7}  {language}: with tags that were repaired")
    for language, count in record["odd"].items():
        print(f"warning {count:>7}  {language}: sentences much shorter or longer than their source")


def _show_effort(efforts: "list[Effort]") -> None:
    asked = sum(e.sentences for e in efforts)
    engine = sum(e.engine_seconds for e in efforts)
    seconds = sum(e.seconds for e in efforts)
    if asked and engine:
        print(
            f"{asked} texts translated, {asked / engine:.0f} per second and worker; translating "
            f"took {engine / seconds:.0%} of the workers' {seconds:.1f} seconds"
        )
