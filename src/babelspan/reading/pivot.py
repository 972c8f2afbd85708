"""Answering through a pivot language: translate question and context, answer, translate back.

"English as pivot" of Riabi et al. (2021), arXiv:2010.12643, Section 4, and "test-on-source" of Lee
and Lee (2019), arXiv:1907.06042, Section 4.1. Text already in the pivot language is not translated,
so a Spanish question about an English text is answered in the text itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from babelspan.augment.cache import cached
from babelspan.augment.match import find_answer, find_overlapping
from babelspan.augment.translate import Direction, Rendering
from babelspan.reading.answerer import Answerer, Found, Watch, chunks
from babelspan.reading.call import examples_over
from babelspan.seams import Translator
from babelspan.types import UNDETERMINED, ConfigError, Example, Prediction, Span


@dataclass(frozen=True, slots=True)
class _Pivoted:
    """An example in the pivot language, with the translation of its context, if there is one."""

    example: Example
    original: Example
    rendering: Rendering | None


class Pivot:
    """Wraps an answerer, and translates questions, contexts and answers for it.

    An answer from a translated context is searched for in the original context, closest to the
    sentences in which it was found: first translated back, then untranslated, then as the sequence
    of words with the largest overlap. If nothing is found, the prediction has the text translated
    back, and no span.

    Args:
        answerer: an answerer for the pivot language.
        translator: translates from all languages into the pivot language, and back into those of
            contexts.
        language: the pivot language, ISO 639-1.
    """

    def __init__(
        self,
        answerer: Answerer,
        translator: Translator,
        *,
        language: str = "en",
    ) -> None:
        self._answerer = answerer
        self._translator = cached(translator)
        self.language = language

    @property
    def identity(self) -> str:
        """Identifies translator and pivot language; answers depend on them besides the answerer."""
        return f"{self._translator.identity}>{self.language}"

    def predict(
        self, examples: Iterable[Example], *, allows_no_answer: bool = False
    ) -> Iterator[Prediction]:
        """The best answer to each example, in order; spans are spans of the original contexts.

        Raises:
            ConfigError: if the language of a question or context is not known.
            DataError: if a question leaves no room for its context.
        """
        for some in chunks(examples):
            pivoted = self._there(some)
            found = self._answerer.predict(
                (p.example for p in pivoted), allows_no_answer=allows_no_answer
            )
            yield from self._back(pivoted, list(found))

    def ask(
        self,
        question: str,
        contexts: str | Sequence[str],
        *,
        question_language: str = UNDETERMINED,
        context_language: str = UNDETERMINED,
        top_k: int = 1,
        weights: Sequence[float] | None = None,
        watch: Watch | None = None,
    ) -> list[Found]:
        """The best answers to one question in several contexts, as `Answerer.ask`.

        Answers that are not found in the original context have no span.
        """
        asked = examples_over(
            question,
            contexts,
            question_language=question_language,
            context_language=context_language,
        )
        pivoted = self._there(asked)
        found = self._answerer.among(
            [p.example for p in pivoted], top_k=top_k, weights=weights, watch=watch
        )
        back = self._back([pivoted[f.context] for f in found], [f.prediction for f in found])
        return [replace(f, prediction=p) for f, p in zip(found, back, strict=True)]

    def _there(self, examples: Sequence[Example]) -> list[_Pivoted]:
        """Translate examples into the pivot language."""
        questions = self._rendered((e.question_language, e.question) for e in examples)
        contexts = self._rendered((e.context_language, e.context) for e in examples)
        pivoted = []
        for example in examples:
            question = questions.get((example.question_language, example.question))
            context = contexts.get((example.context_language, example.context))
            moved = replace(
                example,
                question=example.question if question is None else question.text,
                context=example.context if context is None else context.text,
                question_language=self.language,
                context_language=self.language,
            )
            pivoted.append(_Pivoted(moved, example, context))
        return pivoted

    def _rendered(self, texts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Rendering]:
        """Translate those texts that are not in the pivot language."""
        by_language: dict[str, list[str]] = {}
        for language, text in texts:
            if language == UNDETERMINED:
                raise ConfigError(
                    "a pivot needs the languages of question and context; name the file "
                    "<split>.<question>-<context>.json or give --question-language and "
                    "--context-language"
                )
            if language != self.language:
                by_language.setdefault(language, []).append(text)
        return {
            (language, text): rendering
            for language, of_language in by_language.items()
            for text, rendering in Direction(self._translator, language, self.language)
            .render(of_language)
            .items()
        }

    def _back(
        self, pivoted: Sequence[_Pivoted], predictions: Sequence[Prediction]
    ) -> Iterator[Prediction]:
        """Convert predictions to the original contexts."""
        wanted: dict[str, list[str]] = {}
        for item, prediction in zip(pivoted, predictions, strict=True):
            if item.rendering is not None and prediction.text:
                wanted.setdefault(item.original.context_language, []).append(prediction.text)
        said = {
            language: Direction(self._translator, self.language, language).translate(texts)
            for language, texts in wanted.items()
        }
        for item, prediction in zip(pivoted, predictions, strict=True):
            if item.rendering is None or prediction.span is None:
                yield prediction
                continue
            back = said[item.original.context_language][prediction.text]
            span = _place(item, prediction, back)
            text = back if span is None else span.of(item.original.context)
            yield replace(prediction, span=span, text=text, probability=None)


def _place(item: _Pivoted, prediction: Prediction, back: str) -> Span | None:
    """Find an answer in the original context."""
    assert item.rendering is not None
    assert prediction.span is not None
    original = item.original
    near = item.rendering.source_of(prediction.span, original.context)
    looks = (
        (find_answer, back),
        (find_answer, prediction.text),
        (find_overlapping, back),
    )
    places = (
        look(original.context, wanted, original.context_language, near=near)
        for look, wanted in looks
    )
    return next((place for place in places if place is not None), None)
