"""`babelspan ask`: a question over texts, in any languages."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from babelspan.cli.shown import Json, PivotLanguage, PivotName, counting, load_reader, one_line
from babelspan.types import UNDETERMINED

if TYPE_CHECKING:
    from rich.text import Text

    from babelspan.data.documents import Document
    from babelspan.types import Prediction, Span

Question = Annotated[str, typer.Argument(help="The question, in any language.")]
Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE…|-]", help="UTF-8 text files; - or none for standard input."),
]
TopK = Annotated[int, typer.Option("--top-k", min=1, help="How many answers.")]
Reader = Annotated[str, typer.Option("--reader", help='"default", a folder or a hub name.')]
QuestionLanguage = Annotated[str, typer.Option("--question-language", help="For --pivot.")]
ContextLanguage = Annotated[str, typer.Option("--context-language", help="For --pivot.")]

_AROUND = 60
"""Characters of text shown on each side of an answer."""


def command(
    question: Question,
    files: Files = None,
    *,
    top_k: TopK = 1,
    as_json: Json = False,
    reader: Reader = "default",
    pivot: PivotName = None,
    pivot_language: PivotLanguage = "en",
    question_language: QuestionLanguage = UNDETERMINED,
    context_language: ContextLanguage = UNDETERMINED,
) -> None:
    """Answer a question with spans of text files or of standard input, best first.

    Offsets count Unicode code points of the file's text; end is exclusive. Scores are
    probabilities over all spans of all files.
    """
    if not question.strip():
        raise typer.BadParameter("the question is empty")
    from babelspan.data.documents import STANDARD_INPUT, read_document

    names = files or [STANDARD_INPUT]
    if STANDARD_INPUT in names and sys.stdin.isatty():
        print("reading the text from the keyboard; end with Ctrl-D", file=sys.stderr)
    documents = [read_document(name) for name in names]
    for document in documents:
        if not document.text.strip():
            print(f"babelspan: {document.name}: holds no text; passed over", file=sys.stderr)
    answerer = load_reader(
        reader,
        pivot,
        pivot_language,
        question_language=question_language,
        context_language=context_language,
    )
    with counting("windows") as watch:
        found = answerer.ask(question, [d.text for d in documents], top_k=top_k, watch=watch)
    answers = [(documents[f.context], f.prediction) for f in found]
    if as_json:
        print(json.dumps([_record(*answer) for answer in answers], ensure_ascii=False, indent=1))
    else:
        _show(answers)


def _record(document: "Document", prediction: "Prediction") -> dict[str, object]:
    span = prediction.span
    return {
        "answer": prediction.text,
        "start": None if span is None else span.start,
        "end": None if span is None else span.end,
        "score": prediction.score,
        "file": document.name,
    }


def _show(answers: "list[tuple[Document, Prediction]]") -> None:
    """Each answer with its score, its place and the text around it."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    if not answers:
        console.print("no answer")
    for document, prediction in answers:
        span = prediction.span
        place = "no place found" if span is None else f"{span.start}-{span.end}"
        console.print(
            Text.assemble(
                (one_line(prediction.text), "bold green"),
                f"   {prediction.score:.0%}  {document.name}:{place}",
            )
        )
        if span is not None:
            console.print(_surroundings(document.text, span))


def _surroundings(text: str, span: "Span") -> "Text":
    """An answer in the text around it."""
    from rich.text import Text

    before = text[max(0, span.start - _AROUND) : span.start]
    after = text[span.end : span.end + _AROUND]
    return Text.assemble(
        "   " if span.start <= _AROUND else "   …",
        one_line(before),
        (one_line(span.of(text)), "green"),
        one_line(after),
        "" if span.end + _AROUND >= len(text) else "…",
    )
