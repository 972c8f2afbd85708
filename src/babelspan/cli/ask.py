"""`babelspan ask`: questions over texts, in any languages."""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from babelspan.cli.asked import record, show
from babelspan.cli.shown import (
    Also,
    AlsoCache,
    Json,
    PivotLanguage,
    PivotName,
    counting,
    load_reader,
    one_line,
)
from babelspan.text.languages import TAG
from babelspan.types import UNDETERMINED, ConfigError, DataError

if TYPE_CHECKING:
    from babelspan.data.documents import Document
    from babelspan.jobs.answer import Answers
    from babelspan.jobs.ask import Asked

NO_ANSWER = 1
"""Exit code when no question has an answer, as in `grep`."""


def _code(value: str) -> str:
    """Check that `value` looks like a language code and return it unchanged."""
    if not re.fullmatch(TAG, value):
        raise typer.BadParameter(f"expected a language code such as es or pt-BR, found {value!r}")
    return value


Question = Annotated[
    str | None, typer.Argument(metavar="QUESTION", help="The question, in any language.")
]
Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE",
        help="Text (UTF-8), Markdown, HTML, PDF, DOCX and EPUB files, plain or gzip'd; folders "
        "with -r; - or none for text from standard input.",
    ),
]
Recursive = Annotated[
    bool, typer.Option("-r", "--recursive", help="Read the files in folders, and below them.")
]
Questions = Annotated[
    Path | None,
    typer.Option(
        "--questions", metavar="FILE", help="Ask the questions in this file, one per line."
    ),
]
In = Annotated[
    str | None,
    typer.Option(
        "--in", metavar="INDEX", help="Search a collection made by `babelspan index`, not files."
    ),
]
Passages = Annotated[
    int | None,
    typer.Option(
        "--passages",
        min=1,
        metavar="N",
        help="Number of passages to read, with --in. [default: 20]",
    ),
]
TopK = Annotated[
    int, typer.Option("--top-k", min=1, metavar="N", help="Number of answers to a question.")
]
TopTexts = Annotated[
    int | None,
    typer.Option(
        "--top-texts",
        min=1,
        metavar="N",
        help="Read only the N texts that share most words with the question. Fast; finds texts in "
        "the language of the question more often than others.",
    ),
]
MinScore = Annotated[
    float,
    typer.Option(
        "--min-score", min=0, max=1, metavar="S", help="Leave out answers with a lower score."
    ),
]
MinProbability = Annotated[
    float | None,
    typer.Option(
        "--min-probability",
        min=0,
        max=1,
        metavar="P",
        help="Leave out answers with a lower probability of being right (calibrated readers only).",
    ),
]
JsonLines = Annotated[bool, typer.Option("--jsonl", help="Print a line of JSON for each question.")]
Reader = Annotated[
    str, typer.Option("--reader", help='"default", a folder, or a name on the Hugging Face hub.')
]
Window = Annotated[
    int | None,
    typer.Option(
        "--window",
        min=1,
        metavar="TOKENS",
        help="Longest part of a text, with the question, that is read at once. [default: 384]",
    ),
]
Overlap = Annotated[
    int | None,
    typer.Option(
        "--overlap",
        min=0,
        metavar="TOKENS",
        help="Length that two neighbouring parts of a text share. [default: 128]",
    ),
]
MaxAnswer = Annotated[
    int | None,
    typer.Option("--max-answer", min=1, metavar="TOKENS", help="Longest answer. [default: 30]"),
]
QuestionLanguage = Annotated[
    str,
    typer.Option(
        "--question-language",
        callback=_code,
        show_default=False,
        help="Language code such as es. [default: detected; required with --pivot and --also]",
    ),
]
TranslatedBy = Annotated[
    str | None, typer.Option("--translator", help="Translator for --also, or for --in.")
]
ContextLanguage = Annotated[
    str,
    typer.Option(
        "--context-language",
        callback=_code,
        show_default=False,
        help="Language code such as de, of all texts. [default: detected; required with --pivot "
        "and --also]",
    ),
]

_NAMED = 5
"""Maximum number of skipped files to name."""


def command(
    question: Question = None,
    files: Files = None,
    *,
    recursive: Recursive = False,
    questions: Questions = None,
    collection: In = None,
    passages: Passages = None,
    top_k: TopK = 1,
    top_texts: TopTexts = None,
    min_score: MinScore = 0.0,
    min_probability: MinProbability = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
    reader: Reader = "default",
    window: Window = None,
    overlap: Overlap = None,
    max_answer: MaxAnswer = None,
    pivot: PivotName = None,
    pivot_language: PivotLanguage = "en",
    question_language: QuestionLanguage = UNDETERMINED,
    context_language: ContextLanguage = UNDETERMINED,
    also: Also = None,
    translator: TranslatedBy = None,
    cache: AlsoCache = None,
) -> None:
    """Answer a question from your texts: each answer is a place in one of them.

    Start and end count the Unicode code points of the file; end is exclusive. The score, from 0
    to 1, compares an answer with all other spans in the texts that were read. Use it to rank
    answers: it is not the probability that the answer is right. A calibrated reader (`babelspan
    calibrate`) also gives that probability, as in "71% right".

    With --in the texts are those of a collection. Passages in other languages than the question's
    are found with the dictionaries of the package, or with those of --translator
    (lexicon:FOLDER), or with another translator; "none" searches for the question's words only.

    Files that cannot be read are skipped and named. Exit code: 0 if there is an answer, 1 if
    there is none, 2 if something is wrong.
    """
    if as_json and as_lines:
        raise ConfigError("--json and --jsonl cannot be used together; choose one")
    asked, names = _parted(question, files, questions, is_in=collection is not None)
    if collection is None:
        _refuse_without_a_collection(passages, translator if also is None else None)
        _refuse_words_as_names(names, question, has_list=questions is not None)
        texts = _read(names, recursive=recursive)
    else:
        of_files = {"--pivot": pivot, "--also": also, "--cache": cache}
        of_files["--context-language"] = (
            "" if context_language == UNDETERMINED else context_language
        )
        _refuse_with_a_collection(names, recursive, top_texts, of_files)
    answerer = load_reader(
        reader,
        pivot,
        pivot_language,
        also=also,
        translator=None if collection else translator,
        cache=cache,
        max_length=window,
        overlap=overlap,
        max_answer_tokens=max_answer,
    )
    from babelspan.jobs.answer import tell_of_translations
    from babelspan.jobs.ask import ask_all

    least = {"top_k": top_k, "min_score": min_score, "min_probability": min_probability}
    with counting("windows") as watch:
        kept: dict[str, Any] = {**least, "watch": watch}
        if collection is None:
            kept |= {"question_language": question_language, "context_language": context_language}
            found = ask_all(answerer, asked, texts, top_texts=top_texts, **kept)
        else:
            kept |= {"passages": passages, "language": question_language}
            found = _searched(answerer, asked, collection, translator, **kept)
        answered = [_print_line(one) if as_lines else one for one in found]
    _warn_of_scripts(answered)
    tell_of_translations(answerer)
    if as_json:
        _print_json(answered, is_one=questions is None)
    elif not as_lines:
        show(answered, is_one=questions is None)
    if not any(one.answers for one in answered):
        raise typer.Exit(NO_ANSWER)


def _searched(
    answerer: "Answers",
    asked: list[str],
    collection: str,
    translator: str | None,
    *,
    passages: int | None,
    **options: Any,
) -> "Iterator[Asked]":
    """Yield the questions with answers from a collection; then name files that have changed."""
    from babelspan.jobs.search import PASSAGES, ask_collection, searched

    search = searched(collection, translator)
    yield from ask_collection(answerer, asked, search, passages=passages or PASSAGES, **options)
    for name in sorted(search.changed)[:_NAMED]:
        print(
            f"babelspan: passages of {one_line(name)} were skipped: it has changed or is gone; run "
            "`babelspan index` again",
            file=sys.stderr,
        )
    if len(search.changed) > _NAMED:
        print(f"babelspan: the same for {len(search.changed) - _NAMED} more files", file=sys.stderr)


def _refuse_without_a_collection(passages: int | None, translator: str | None) -> None:
    if passages is not None:
        raise ConfigError("--passages works only with --in; for files, use --top-texts")
    if translator is not None:
        raise ConfigError(
            "--translator needs --also or --in; leave it out (--pivot names its own translator)"
        )


def _refuse_words_as_names(names: list[str], question: str | None, *, has_list: bool) -> None:
    """Refuse missing files that are probably words of a question."""
    from babelspan.data.documents import STANDARD_INPUT

    missing = [n for n in names if n != STANDARD_INPUT and not os.path.exists(n)]
    if missing and has_list and missing[0] == question and not os.path.splitext(missing[0])[1]:
        raise ConfigError(
            f"with --questions, every argument is a file, found {question!r}, which is none; leave "
            "out the question, or --questions"
        )
    is_word = not has_list and question is not None and len(question.split()) == 1
    if is_word and missing and missing[0] == names[0] and not os.path.splitext(names[0])[1]:
        raise DataError(
            f"{missing[0]}: there is no such file; if it is a word of the question, put the "
            "question in quotes"
        )


def _refuse_with_a_collection(
    names: list[str],
    recursive: bool,
    top_texts: int | None,
    translated: "Mapping[str, object]",
) -> None:
    if names:
        raise ConfigError(f"--in and files cannot be used together, found {names[0]!r}; choose one")
    given = {"-r": recursive, "--top-texts": top_texts, **translated}
    for option, value in given.items():
        if value:
            raise ConfigError(f"--in and {option} cannot be used together; choose one")


def _parted(
    question: str | None, files: list[str] | None, questions: Path | None, *, is_in: bool
) -> tuple[list[str], list[str]]:
    """Return the questions and the text names; with --questions, every argument is a text name."""
    from babelspan.data.documents import STANDARD_INPUT
    from babelspan.jobs.ask import load_questions

    names = list(files or [])
    if questions is not None:
        names = names if question is None else [question, *names]
        return load_questions(questions), names or ([] if is_in else [STANDARD_INPUT])
    if question is None:
        raise typer.BadParameter("expected a question, or --questions FILE")
    if not question.strip():
        raise typer.BadParameter("the question is empty")
    if not names and not is_in and os.path.isfile(question):
        raise typer.BadParameter(
            f"expected a question before the file, found only the file {question}"
        )
    return [question], names or ([] if is_in else [STANDARD_INPUT])


def _read(names: list[str], *, recursive: bool) -> "list[Document]":
    """Read the texts; name files that cannot be read on standard error."""
    from babelspan.data.documents import STANDARD_INPUT, find_documents
    from babelspan.documents.reading import read_all

    if STANDARD_INPUT in names and sys.stdin is not None and sys.stdin.isatty():
        print("reading the text from the keyboard; end with Ctrl-D", file=sys.stderr)
    documents, skipped = read_all(find_documents(names, recursive=recursive))
    if not documents:
        more = "" if len(skipped) == 1 else f" (and {len(skipped) - 1} more files with no text)"
        raise DataError(f"{skipped[0]}{more}")
    for reason in skipped[:_NAMED]:
        print(f"babelspan: skipped {one_line(reason)}", file=sys.stderr)
    if len(skipped) > _NAMED:
        print(f"babelspan: skipped {len(skipped) - _NAMED} more files", file=sys.stderr)
    return documents


def _warn_of_scripts(found: "list[Asked]") -> None:
    """Print one line on standard error with the scripts that the reader hardly knows."""
    scripts = sorted({script for one in found for script in one.unfamiliar()})
    if scripts:
        listed = " and ".join(filter(None, [", ".join(scripts[:-1]), scripts[-1]]))
        print(
            f"babelspan: this reader hardly knows the {listed} "
            f"script{'s' if len(scripts) > 1 else ''}; treat its answers there as guesses",
            file=sys.stderr,
        )


def _print_line(one: "Asked") -> "Asked":
    """Print a question with its answers as one line of JSON."""
    print(json.dumps(record(one), ensure_ascii=False), flush=True)
    return one


def _print_json(found: "list[Asked]", *, is_one: bool) -> None:
    """Print the answers to one question, or a list of questions with their answers."""
    records = [record(one) for one in found]
    print(json.dumps(records[0]["answers"] if is_one else records, ensure_ascii=False, indent=1))
