"""Answering from a text and its translations, which a translator makes when a question is asked.

For readers of parallel texts: Wu et al. (2021), arXiv:2107.05002, Section 5.1, translate questions
and texts at test time. Answers are spans of the original text.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from babelspan.augment.cache import cached
from babelspan.augment.translate import Direction
from babelspan.reading.answerer import Answerer, Found, Watch, chunks
from babelspan.reading.call import examples_over
from babelspan.scoring.calibration import Calibration
from babelspan.seams import Translator
from babelspan.types import UNDETERMINED, ConfigError, Example, Prediction

_Text = tuple[str, str]
"""A language and a text in it."""


class Beside:
    """Wraps an answerer and translates each question and text for it.

    A translation that an example already has among its `others` is used as it is; a text that is
    already in a language is used for that language.

    Args:
        answerer: an answerer with a reader of parallel texts.
        translator: translates into the languages.
        languages: languages of the translations to make; not empty.

    Attributes:
        missing: language -> number of empty translations so far.

    Raises:
        ConfigError: if the reader does not read translations into one of the languages.
    """

    def __init__(
        self,
        answerer: Answerer,
        translator: Translator,
        languages: Sequence[str],
    ) -> None:
        refuse_unread(languages, answerer.languages_beside)
        self._answerer = answerer
        self._translator = cached(translator)
        self.languages = tuple(languages)
        self.missing: Counter[str] = Counter()

    @property
    def identity(self) -> str:
        """Identifies translator and languages; answers depend on them besides the answerer."""
        return f"{self._translator.identity}>{'+'.join(self.languages)}"

    @property
    def calibration(self) -> Calibration | None:
        """The calibration of the answerer."""
        return self._answerer.calibration

    def unfamiliar(self, text: str) -> tuple[str, ...]:
        """The scripts in a text that the tokenizer hardly covers, as `Answerer.unfamiliar`."""
        return self._answerer.unfamiliar(text)

    def summary(self) -> str:
        """A readable summary: sentences translated, time taken, and empty translations."""
        took = f"{self._translator.asked} sentences in {self._translator.seconds:.1f} s"
        empty = ", ".join(f"{n} into {language}" for language, n in sorted(self.missing.items()))
        return f"translated {took}" + (f"; {empty} came back empty" if empty else "")

    def predict(
        self, examples: Iterable[Example], *, allows_no_answer: bool = False
    ) -> Iterator[Prediction]:
        """The best answer to each example, in order; spans are spans of its own context.

        Raises:
            ConfigError: if the language of a question or context is not known.
            DataError: if a question leaves no room for its context.
        """
        for some in chunks(examples):
            yield from self._answerer.predict(
                self.with_translations(some), allows_no_answer=allows_no_answer
            )

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
        """The best answers to one question in several contexts, as `Answerer.ask`."""
        asked = examples_over(
            question,
            contexts,
            question_language=question_language,
            context_language=context_language,
        )
        examples = self.with_translations(asked)
        return self._answerer.among(examples, top_k=top_k, weights=weights, watch=watch)

    def with_translations(self, examples: Sequence[Example]) -> list[Example]:
        """Add a translation into each language to the `others` of examples.

        Raises:
            ConfigError: if the language of a question or context is not known.
        """
        made = [list(example.others) for example in examples]
        for language in self.languages:
            wanted = [
                (example, others)
                for example, others in zip(examples, made, strict=True)
                if language not in {other.context_language for other in others}
            ]
            parts = self._rendered(_texts(example for example, _ in wanted), language)
            for example, others in wanted:
                other = _translation(example, parts, language)
                if other.question.strip() and other.context.strip():
                    others.append(other)
                else:
                    self.missing[language] += 1
        return [
            replace(example, others=tuple(others))
            for example, others in zip(examples, made, strict=True)
        ]

    def _rendered(self, texts: Iterable[_Text], language: str) -> dict[_Text, str]:
        """Translate texts into a language; texts already in that language stay as they are."""
        found: dict[_Text, str] = {}
        by_source: dict[str, list[str]] = {}
        for source, text in texts:
            if source == UNDETERMINED:
                raise ConfigError(
                    "a translator needs the languages of question and context; name the file "
                    "<split>.<question>-<context>.json or give --question-language and "
                    "--context-language"
                )
            if source == language:
                found[source, text] = text
            else:
                by_source.setdefault(source, []).append(text)
        for source, of_source in by_source.items():
            rendered = Direction(self._translator, source, language).render(of_source)
            found |= {(source, text): rendering.text for text, rendering in rendered.items()}
        return found


def refuse_unread(languages: Iterable[str], read: Sequence[str]) -> None:
    """Check that a reader takes translations into all of these languages.

    Raises:
        ConfigError: if it does not.
    """
    unread = next((language for language in languages if language not in read), None)
    if unread is not None:
        does = f"translations into {', '.join(read)}" if read else "one text only"
        raise ConfigError(
            f"expected a reader that reads translations into {unread!r} beside a text, got one "
            f"that reads {does}; leave {unread!r} out, or train one with multilingual_attention"
        )


def _translation(example: Example, parts: Mapping[_Text, str], language: str) -> Example:
    """An example in another language, from translated question and context."""
    return replace(
        example,
        question=parts[example.question_language, example.question],
        context=parts[example.context_language, example.context],
        answers=None,
        question_language=language,
        context_language=language,
        others=(),
    )


def _texts(examples: Iterable[Example]) -> Iterator[_Text]:
    for example in examples:
        yield example.question_language, example.question
        yield example.context_language, example.context
