"""Output of `babelspan ask`: answers with their places, as JSON or on a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from babelspan.cli.shown import one_line

if TYPE_CHECKING:
    from rich.text import Text

    from babelspan.data.documents import Document
    from babelspan.jobs.ask import Asked
    from babelspan.types import Prediction, Span


def record(one: "Asked") -> dict[str, object]:
    """Return a question and its answers as a JSON object."""
    return {
        "question": one.question,
        "answers": [_answer(*a, one.unfamiliar(a[0])) for a in one.answers],
        "unfamiliar_scripts": one.unfamiliar(),
    }


def _answer(
    document: "Document", prediction: "Prediction", unfamiliar: list[str]
) -> dict[str, object]:
    from babelspan.data.parts import place_of

    span = prediction.span
    place = None if span is None else place_of(document.text, document.parts, span)
    return {
        "answer": prediction.text,
        "start": None if span is None else document.start + span.start,
        "end": None if span is None else document.start + span.end,
        "score": prediction.score,
        **({} if prediction.probability is None else {"probability": prediction.probability}),
        "file": document.name,
        "page": None if place is None else place.page,
        "source": None if place is None else place.source(),
        "unfamiliar_scripts": unfamiliar,
    }


def show(found: "list[Asked]", *, is_one: bool) -> None:
    """Print each answer with its score, its place and the text around it."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for one in found:
        if not is_one:
            console.print(Text(one_line(one.question), "bold"))
        for line in _lines(one):
            console.print(line)


def _lines(one: "Asked") -> "Iterator[Text]":
    from rich.text import Text

    if not one.answers:
        yield Text("no answer")
    for document, prediction in one.answers:
        span = prediction.span
        place = "no place found" if span is None else _place(document, span)
        right = prediction.probability
        said = f"{prediction.score:.0%}" + ("" if right is None else f", {right:.0%} right")
        yield Text.assemble(
            (one_line(prediction.text), "bold green"),
            f"   {said}  {one_line(document.name)}:{place}",
        )
        if span is not None:
            yield _surroundings(document.text, span)


def _place(document: "Document", span: "Span") -> str:
    """Return the character range in the text, with the page if there is one."""
    from babelspan.data.parts import place_of

    found = place_of(document.text, document.parts, span)
    page = f" page {found.page}" if found is not None and found.page is not None else ""
    return f"{document.start + span.start}-{document.start + span.end}{page}"


def _surroundings(text: str, span: "Span") -> "Text":
    """Return an answer with the text around it."""
    from rich.text import Text

    from babelspan.cli.excerpt import around

    before, after = around(text, span)
    return Text.assemble("   ", before, (one_line(span.of(text)), "green"), after)
