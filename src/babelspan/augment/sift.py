"""Filters for generated questions.

Each filter judges a question independently of the other filters, except the one for near
duplicates, which ignores questions that are rejected anyway.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from babelspan.text.words import words
from babelspan.types import ConfigError, Example
from babelspan.version import how_to_install

Told = Callable[[str], str]
"""Identifies the language of a text."""

UNLIKELY = "the generator finds it unlikely"
OTHER_LANGUAGE = "in another language than asked for"
WITH_ANSWER = "its answer stands in it"
REPEATS = "repeats its words"
NEAR = "like another question about the text"
OTHER_ANSWER = "another answer is read"


class Made(NamedTuple):
    """A generated question.

    Attributes:
        example: the example with the question.
        nats: mean negative log-probability of its pieces (subwords).
    """

    example: Example
    nats: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sift:
    """Settings of the filters; by default all are off.

    Attributes:
        most_nats: maximum mean of nats per piece; None for no limit.
        right_language: whether a question must be in the language asked for.
        without_answer: whether a question must not contain its answer.
        no_repeats: size of word n-grams that a question may not repeat; 0 for no limit.
        no_near: Jaccard similarity of the words of two questions in the same language about the
            same text from which the later one is rejected; None for no limit.
    """

    most_nats: float | None = None
    right_language: bool = False
    without_answer: bool = False
    no_repeats: int = 0
    no_near: float | None = None

    def reasons(
        self, questions: Sequence[Made], other_answer: Sequence[bool], told: Told | None
    ) -> list[list[str]]:
        """The reasons to reject each question; empty for questions that are kept.

        Args:
            questions: all questions about some texts, in order.
            other_answer: for each question, whether a reader gives another answer.
            told: identifies languages; None if languages are not checked.
        """
        found = []
        kept: defaultdict[tuple[str | None, str], list[set[str]]] = defaultdict(list)
        for made, is_other in zip(questions, other_answer, strict=True):
            of_one = [*self._alone(made, told), *([OTHER_ANSWER] if is_other else [])]
            if self.no_near is not None:
                example = made.example
                own = set(_words(example.question))
                others = kept[example.origin, example.question_language]
                if any(_likeness(own, other) >= self.no_near for other in others):
                    of_one.append(NEAR)
                elif not of_one:
                    others.append(own)
            found.append(of_one)
        return found

    def _alone(self, made: Made, told: Told | None) -> list[str]:
        """The reasons to reject a question, without comparing it with others."""
        example = made.example
        question, language = example.question, example.question_language
        judged = {
            UNLIKELY: self.most_nats is not None and made.nats > self.most_nats,
            OTHER_LANGUAGE: told is not None and told(question) != language,
            WITH_ANSWER: self.without_answer
            and any(a.text.casefold() in question.casefold() for a in example.answers or ()),
            REPEATS: self.no_repeats > 0 and _repeats(_words(question), self.no_repeats),
        }
        return [reason for reason, goes in judged.items() if goes]


NO_FILTERS = Sift()


def teller(languages: Sequence[str]) -> Told:
    """A function that identifies the language of a text among these, with py3langid, offline.

    Raises:
        ConfigError: if there is only one language, py3langid does not support one, or it is not
            installed.
    """
    among = sorted(set(languages))
    if len(among) < 2:
        raise ConfigError(
            "--right-language needs questions and texts in two languages or more, found "
            f"{', '.join(among) or 'none'}; leave it out"
        )
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise ConfigError(
            "recognising the language of questions needs py3langid, which is not installed; "
            f"{how_to_install('measure')}"
        ) from None
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    if unknown := sorted(set(among) - set(identifier.nb_classes)):
        raise ConfigError(
            f"py3langid does not recognise {', '.join(unknown)}; leave out --right-language"
        )
    identifier.set_languages(among)

    def told(text: str) -> str:
        return str(identifier.classify(text.encode("utf-8", "replace"))[0])

    return told


def _words(text: str) -> list[str]:
    return [span.of(text).casefold() for span in words(text, "")]


def _repeats(said: Sequence[str], length: int) -> bool:
    """Whether a sequence of `length` words occurs twice."""
    runs = [tuple(said[at : at + length]) for at in range(len(said) - length + 1)]
    return len(set(runs)) < len(runs)


def _likeness(one: set[str], other: set[str]) -> float:
    """Jaccard similarity of two sets of words."""
    return len(one & other) / len(one | other) if one | other else 1.0
