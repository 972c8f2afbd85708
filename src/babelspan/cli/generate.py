"""`babelspan generate`: questions about texts, in any language of a generator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from babelspan.cli.shown import Json, On, Workers, tracked

if TYPE_CHECKING:
    from babelspan.augment.asked import Tally
    from babelspan.jobs.generate import Job
    from babelspan.jobs.question_shards import Effort

Generator = Annotated[
    str, typer.Argument(help="Folder made by `babelspan train question_generation`.")
]
Texts = Annotated[
    list[Path], typer.Argument(help="SQuAD files, plain text files, or folders of either.")
]
Questions = Annotated[
    str, typer.Option("--questions", help="Languages to ask in, separated by commas.")
]
Out = Annotated[Path, typer.Option("--out", help="Folder for the result.")]
PerParagraph = Annotated[
    int, typer.Option("--per-paragraph", min=1, help="Maximum number of answers per paragraph.")
]
Answers = Annotated[
    str,
    typer.Option(
        "--answers",
        help="Answers to ask about: links (links, numbers, quotes, names), the answers of a SQuAD "
        "file, or what a reader trained without questions finds.",
    ),
]
Ask = Annotated[
    Literal["uniform", "own", "all"],
    typer.Option("--ask", help="Language: a random one for each answer, the text's own, or all."),
]
Decoding = Annotated[
    str, typer.Option("--decode", help="greedy, beam:K, or sample:P (most likely pieces, up to P).")
]
NoRepeat = Annotated[
    int,
    typer.Option("--no-repeat", min=0, help="Never repeat N pieces in a question (0: may repeat)."),
]
OwnPieces = Annotated[
    bool,
    typer.Option(
        "--own-pieces",
        help="Use only pieces from training questions in the language, or copied ones.",
    ),
]
Consistent = Annotated[
    str | None,
    typer.Option(
        "--keep-consistent", help="Keep a question only if this reader finds its answer again."
    ),
]
LeastF1 = Annotated[
    float,
    typer.Option("--least-f1", min=0, max=1, help="Lowest F1 that --keep-consistent accepts."),
]
MostNats = Annotated[
    float | None,
    typer.Option(
        "--most-nats", min=0, help="Drop questions with more nats per piece (less likely ones)."
    ),
]
RightLanguage = Annotated[
    bool, typer.Option("--right-language", help="Drop questions in another language (py3langid).")
]
WithoutAnswer = Annotated[
    bool, typer.Option("--without-answer", help="Drop questions that contain their answer.")
]
NoLoops = Annotated[
    int, typer.Option("--no-loops", min=0, help="Drop questions that repeat a run of N words.")
]
NoNear = Annotated[
    float | None,
    typer.Option(
        "--no-near",
        min=0,
        max=1,
        help="Drop questions that share this fraction of their words with another question "
        "about the text.",
    ),
]
Avoid = Annotated[
    list[Path] | None,
    typer.Option("--avoid", help="Skip texts that are in these test sets; repeatable."),
]
Language = Annotated[
    str | None, typer.Option("--language", help="Language of texts whose names do not say it.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of all random choices.")]
Show = Annotated[int, typer.Option("--show", min=0, help="Print N questions per language pair.")]


def command(
    generator: Generator,
    texts: Texts,
    *,
    questions: Questions,
    out: Out,
    per_paragraph: PerParagraph = 5,
    answers: Answers = "links",
    ask: Ask = "uniform",
    decode: Decoding = "greedy",
    no_repeat: NoRepeat = 0,
    own_pieces: OwnPieces = False,
    keep_consistent: Consistent = None,
    least_f1: LeastF1 = 1.0,
    most_nats: MostNats = None,
    right_language: RightLanguage = False,
    without_answer: WithoutAnswer = False,
    no_loops: NoLoops = 0,
    no_near: NoNear = None,
    avoid: Avoid = None,
    language: Language = None,
    seed: Seed = 1,
    on: On = "local",
    workers: Workers = 1,
    show: Show = 0,
    as_json: Json = False,
) -> None:
    """Write questions about texts, for training; rerun the same command to resume.

    OUT gets one SQuAD file per pair of languages and shard, statistics (JSON, CSV), dropped.jsonl
    with the reason for every answer without a question, and a manifest with checksums.
    """
    from babelspan.augment.sift import Sift
    from babelspan.data.folder import find
    from babelspan.data.texts import find_texts
    from babelspan.jobs import generate
    from babelspan.networks.decoding import Decode
    from babelspan.types import ConfigError

    Decode.of(decode)
    if least_f1 != 1.0 and keep_consistent is None:
        raise ConfigError("--least-f1 has no effect without --keep-consistent")
    languages = tuple(dict.fromkeys(code.strip() for code in questions.split(",") if code.strip()))
    if not languages:
        raise ConfigError(f"--questions: expected languages such as en,es, found {questions!r}")
    job = generate.Job(
        generator=str(Path(generator).expanduser().resolve()),
        files=tuple(find_texts([path.resolve() for path in texts], language=language)),
        questions=languages,
        per_paragraph=per_paragraph,
        out=out.resolve(),
        answers=_absolute(answers),
        ask=ask,
        decode=decode,
        no_repeat=no_repeat,
        own_pieces=own_pieces,
        reader=keep_consistent and _absolute(keep_consistent),
        least_f1=least_f1,
        sift=Sift(
            most_nats=most_nats,
            right_language=right_language,
            without_answer=without_answer,
            no_repeats=no_loops,
            no_near=no_near,
        ),
        avoid=tuple(find([path.resolve() for path in avoid or ()]) if avoid else ()),
        seed=seed,
    )
    generate.check(job)
    _carry_out(job, on=on, workers=workers, show=show, as_json=as_json)


def _carry_out(
    job: "Job", *, on: Literal["local", "ray"], workers: int, show: int, as_json: bool
) -> None:
    """Generate the questions and print the statistics."""
    from dataclasses import replace

    from babelspan.jobs import generate
    from babelspan.jobs.shards import Crew

    count, repeated = generate.count_texts(job.files)
    job = replace(job, texts=count)
    if repeated:
        typer.echo(f"skipped {repeated} duplicate paragraphs", err=True)
    tally, efforts = generate.carry_out(job, crew=Crew(on=on, workers=workers, watch=tracked))
    if as_json:
        print((job.out / "statistics.json").read_text(encoding="utf-8"), end="")
        return
    _print(tally, efforts)
    if job.filters:
        _print_filters(tally)
    if show:
        _print_questions(job, show)


def _absolute(name: str) -> str:
    """Return `name` as an absolute path if it exists, else unchanged; workers may run elsewhere."""
    path = Path(name).expanduser()
    return str(path.resolve()) if path.exists() else name


def _print(tally: "Tally", efforts: "list[Effort]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_edge=False)
    rows: list[dict[str, Any]] = tally.rows()
    for name in rows[0] if rows else ():
        justify: Literal["left", "right"] = "left" if name in ("question", "text") else "right"
        table.add_column(name.replace("_", "\n"), justify=justify)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(highlight=False).print(table)
    for item in tally.reasons():
        print("dropped {count:>7}  {question}-{text}: {reason}".format(**item))
    questions, seconds = sum(e.questions for e in efforts), sum(e.seconds for e in efforts)
    if questions:
        print(f"{questions} answers in {seconds:.1f} worker seconds, {questions / seconds:.1f}/s")


def _print_filters(tally: "Tally") -> None:
    """Print how many questions each filter rejects, alone and together."""
    found = tally.together()
    print(f"filters saw {found['seen']} questions and kept {found['kept']}")
    for item in found["each"]:
        print("  {count:>7}  {reason} ({alone} for no other reason)".format(**item))
    for item in found["joint"]:
        if len(item["reasons"]) > 1:
            print(f"  {item['count']:>7}  {' and '.join(item['reasons'])}")


def _print_questions(job: "Job", count: int) -> None:
    """Print the first questions of each language pair."""
    from itertools import groupby, islice

    from babelspan.cli.shown import one_line
    from babelspan.data.folder import inside
    from babelspan.types import Example

    files = sorted(inside(job.out), key=lambda f: (f.question_language, f.context_language))
    pairs = groupby(files, key=lambda file: (file.question_language, file.context_language))
    for (question, text), of_pair in pairs:
        print(f"{question} questions about {text} texts")
        examples: islice[Example] = islice((e for file in of_pair for e in file.examples()), count)
        for example in examples:
            answer = example.answers[0].text if example.answers else ""
            print(f"  {one_line(example.question)}  {one_line(answer)}")
