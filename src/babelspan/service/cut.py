"""Pure functions for answering: texts to windows, windows to candidates, candidates to answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from babelspan.data.documents import Document
from babelspan.data.parts import Part, place_of
from babelspan.reading.answerer import Answerer, Found
from babelspan.reading.call import pipeline_answer, unlabelled
from babelspan.reading.decode import Candidates, candidates, predictions
from babelspan.retrieval.passages import Passage
from babelspan.seams import Logits, Window
from babelspan.service.problems import Problem
from babelspan.service.schema import AnswerRequest, PipelineRequest
from babelspan.text.direction import direction
from babelspan.text.language_of import language_of
from babelspan.text.units import units
from babelspan.types import UNDETERMINED, Example, Limits, Prediction, Span

Read = Sequence[Sequence[Candidates]]
"""For each example, the candidates of its windows that were read."""


@dataclass(frozen=True, slots=True)
class Named:
    """A text of a request, or a passage of a collection.

    Attributes:
        name: name of the text or of its file.
        text: the whole text, or the passage.
        language: its language, if known.
        is_guessed: whether the language was detected here rather than named in the request.
        translations: translations of the text, by language.
        parts: where in the file the characters come from, if known.
        start: start of a passage in the text of its file; None for a whole text.
        weight: how likely it is to contain an answer, relative to others.
    """

    name: str
    text: str
    language: str | None = None
    is_guessed: bool = False
    translations: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Part] = ()
    start: int | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The reading that a request needs.

    Attributes:
        examples: the question with each text; the ids are the numbers of the texts.
        limits: window limits.
        max_answer_tokens: maximum length of an answer.
        top_k: number of answers.
        whole_words: whether answers are widened to whole words.
        compares: whether texts are compared by odds against "no answer", as in `Answerer.ask`.
        finish: makes the answer, as a JSON object, from the candidates.
    """

    examples: Sequence[Example]
    limits: Limits
    max_answer_tokens: int
    top_k: int
    whole_words: bool
    compares: bool
    finish: Callable[[Read], dict[str, Any] | list[dict[str, Any]]]

    def windows(self, answerer: Answerer) -> list[tuple[int, Window]]:
        """Return all windows, each with the number of its example; raises as `Engine.windows`."""
        return [
            (number, window)
            for number, example in enumerate(self.examples)
            for window in answerer.engine.windows([example], self.limits)
        ]

    def look(self, window: Window, logits: Logits) -> Candidates:
        """Return the candidates of a window."""
        (found,) = candidates(
            [window],
            [logits.start],
            [logits.last],
            top_k=self.top_k,
            allows_overlap=not self.compares,
            max_answer_tokens=self.max_answer_tokens,
            whole_words=self.whole_words,
        )
        return found.against_no_answer() if self.compares else found


def asked(answerer: Answerer, request: AnswerRequest, texts: Sequence[Named]) -> Job:
    """Return the job of a question over texts; the result equals that of `Answerer.ask`."""
    examples = [_example(str(number), request, text) for number, text in enumerate(texts)]
    weights = None if request.collection is None else [text.weight for text in texts]

    def finish(read: Read) -> dict[str, Any]:
        found, nowhere = answerer.best_found(examples, read, top_k=request.top_k, weights=weights)
        return {
            "answers": [
                _answer(texts, f, places[f.context], request.surroundings)
                for places in [_places(texts, [(f.context, f.prediction) for f in found])]
                for f in found
            ],
            "no_answer_score": nowhere,
        }

    return Job(
        examples=examples,
        limits=answerer.limits,
        max_answer_tokens=request.max_answer_tokens or answerer.max_answer_tokens,
        top_k=request.top_k,
        whole_words=answerer.whole_words,
        compares=True,
        finish=finish,
    )


def read_in(document: Document) -> Named:
    """Turn a passage of a collection into a text of a request."""
    return Named(
        document.name,
        document.text,
        language_of(document.text),
        is_guessed=True,
        parts=document.parts,
        start=document.start,
        weight=document.weight,
    )


def listed(file: str, passage: Passage) -> dict[str, Any]:
    """Return a search result as a JSON object."""
    return {
        "document": file,
        **_passage(passage.text, passage.start),
        "language": passage.language,
        "heading": passage.heading,
        "page": passage.parts[0].page if passage.parts else None,
    }


def refuse_unread(request: AnswerRequest, texts: Sequence[Named], read: Sequence[str]) -> None:
    """Check that the reader reads all given translations, and that the question has each language.

    Raises:
        Problem: 422 if not.
    """
    given = {language for text in texts for language in text.translations}
    for language in sorted(given | request.question_translations.keys()):
        if language not in read:
            does = f"translations into {', '.join(read)}" if read else "one text only"
            raise Problem(
                422,
                f"a reader that reads translations into {language!a} beside a text",
                found=f"one that reads {does}",
                do="leave them out, or name another reader",
                where="translations",
            )
    missing = sorted(given - request.question_translations.keys())
    if missing:
        raise Problem(
            422,
            f"the question in {missing[0]!a}, as a text is translated into it",
            found="none",
            do=f"add `question_translations` with the key {missing[0]!a}",
            where="question_translations",
        )


def texts_in(window: Any) -> int:
    """Return the number of texts in a window: one, and its translations."""
    return 1 + len(getattr(window, "present", ()))


def piped(answerer: Answerer, request: PipelineRequest) -> Job:
    """Return the job of a pipeline call; the result equals that of `Answerer.__call__`."""
    wanted = request.parameters
    example = unlabelled("0", request.inputs.question, request.inputs.context)
    top_k = wanted.top_k or wanted.topk or 1

    def finish(read: Read) -> dict[str, Any] | list[dict[str, Any]]:
        found = predictions(
            example,
            read[0],
            top_k=top_k,
            allows_no_answer=wanted.handle_impossible_answer,
            whole_words=answerer.whole_words,
        )
        answers = [pipeline_answer(prediction) for prediction in found]
        return answers[0] if top_k == 1 else answers

    return Job(
        examples=[example],
        limits=answerer.limits_with(wanted.max_seq_len, wanted.doc_stride),
        max_answer_tokens=wanted.max_answer_len,
        top_k=top_k,
        whole_words=answerer.whole_words,
        compares=False,
        finish=finish,
    )


def _example(number: str, request: AnswerRequest, text: Named) -> Example:
    """Return the question with a text, and with its translations."""
    others = (
        unlabelled(
            number,
            request.question_translations[language],
            translated,
            question_language=language,
            context_language=language,
        )
        for language, translated in text.translations.items()
    )
    example = unlabelled(
        number,
        request.question,
        text.text,
        question_language=request.question_language or UNDETERMINED,
        context_language=(None if text.is_guessed else text.language) or UNDETERMINED,
    )
    return replace(example, others=tuple(others))


def _span(prediction: Prediction) -> Span:
    assert prediction.span is not None, "an answerer gives answers with a place only"
    return prediction.span


def _places(
    texts: Sequence[Named], found: Sequence[tuple[int, Prediction]]
) -> dict[int, dict[int, Any]]:
    """Return the units before the ends of the answers, for each text with answers."""
    wanted: dict[int, list[int]] = {}
    for number, prediction in found:
        wanted.setdefault(number, []).extend([_span(prediction).start, _span(prediction).end])
    return {number: units(texts[number].text, places) for number, places in wanted.items()}


def _answer(
    texts: Sequence[Named], found: Found, places: dict[int, Any], around: int
) -> dict[str, Any]:
    text, prediction = texts[found.context], found.prediction
    span = _span(prediction)
    start, end = span.start, span.end
    before = text.text[max(0, start - around) : start]
    after = text.text[end : end + around]
    return {
        "answer": prediction.text,
        "score": prediction.score,
        **({} if prediction.probability is None else {"probability": prediction.probability}),
        "logit": prediction.logit,
        "place": _place(text, found.context, span, places),
        **({} if text.start is None else {"passage": _passage(text.text, text.start)}),
        "before": before,
        "after": after,
        "language": text.language or UNDETERMINED,
        "direction": direction(prediction.text, before[::-1], after),
    }


def _place(text: Named, index: int, span: Span, places: dict[int, Any]) -> dict[str, Any]:
    """Return the place of an answer: in the text, and in the file it comes from."""
    first = text.start or 0
    found: dict[str, Any] = {
        "document": text.name,
        "index": index,
        "start": first + span.start,
        "end": first + span.end,
    }
    if text.start is None:
        start, end = places[span.start], places[span.end]
        found["utf16"] = {"start": start.utf16, "end": end.utf16}
        found["utf8"] = {"start": start.utf8, "end": end.utf8}
    if text.parts:
        place = place_of(text.text, text.parts, span)
        found["page"] = None if place is None else place.page
        found["source"] = None if place is None else place.source()
    return found


def _passage(text: str, start: int) -> dict[str, Any]:
    return {"text": text, "start": start, "end": start + len(text)}
