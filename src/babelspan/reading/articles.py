"""Windows over whole articles with their passages, and the choice of an answer from all windows.

Alberti, Lee and Collins (2019), arXiv:1901.08634: a window covers a part of the article, and is
labelled with the kind of answer in it. Only the best window of each passage is kept, so memory does
not grow with the length of the article.

Shapes: B windows, L tokens, P passages of a window.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from babelspan.reading.decode import MAX_ANSWER_TOKENS, candidates, predictions
from babelspan.reading.tokens import Tokens
from babelspan.reading.windows import Featurizer, Window
from babelspan.seams import FloatArray
from babelspan.types import Article, ArticleAnswer, DataError, Example, Limits, Span


class Kind(IntEnum):
    """The kind of answer that a window contains."""

    NULL = 0
    PASSAGE = 1
    YES = 2
    NO = 3
    SPAN = 4


SAID = {Kind.YES: "yes", Kind.NO: "no"}
"""Answer text of the kinds that are answers themselves."""

_MINIMAL = (Kind.SPAN, Kind.YES, Kind.NO)


class Label(NamedTuple):
    """The training label of a window.

    Attributes:
        kind: the kind of answer that it contains.
        passage: index of the answer's passage among those of the window, from 1; 0 for none.
        tokens: first and last token of the minimal answer in the window; (0, 0) for none.
    """

    kind: Kind = Kind.NULL
    passage: int = 0
    tokens: tuple[int, int] = (0, 0)


NOTHING_SHOWN = Label()


@dataclass(frozen=True, slots=True, eq=False)
class ArticleWindow:
    """A window over an article.

    Attributes:
        window: the question and a part of the article's tokens.
        passages: for each passage with tokens in the window: its index in the article, and its
            tokens [first, end), counted from the first context token, (P, 3).
        label: the training label.
    """

    window: Window
    passages: NDArray[np.int32]
    label: Label = NOTHING_SHOWN

    @property
    def length(self) -> int:
        """Number of tokens of the window, L."""
        return self.window.length

    def slots(self) -> NDArray[np.int64]:
        """The number of each token's passage in the window, from 1; 0 for none, (L,)."""
        found = np.zeros(self.length, np.int64)
        at = self.window.context_at
        for slot, (_, first, end) in enumerate(self.passages.tolist(), start=1):
            found[at + first : at + end] = slot
        return found

    def bare(self) -> "ArticleWindow":
        """A copy without the article's text, to store on disk for training."""
        example = replace(self.window.example, context="")
        return replace(self, window=replace(self.window, example=example))


class ArticleLogits(NamedTuple):
    """The output of a network for a window.

    Attributes:
        start: start logits, (L,).
        last: last logits, (L,).
        passages: logits of "no passage", then of each passage of the window, (1 + P,).
        kinds: logits of the kinds of answer, in the order of `Kind`, (5,).
    """

    start: FloatArray
    last: FloatArray
    passages: FloatArray
    kinds: FloatArray


class Choice(NamedTuple):
    """The answer to a question about a whole article; scores are log-odds against no answer."""

    passage: int | None
    span: Span | None
    yes_no: str | None
    passage_score: float
    minimal_score: float


NOTHING = Choice(None, None, None, 0.0, 0.0)
"""The answer for an article without candidate passages."""


def example_of(article: Article) -> Example:
    """An article as a question about a text, without answers."""
    return Example(
        id=str(article.id),
        question=article.question,
        context=article.text,
        answers=None,
        question_language="und",
        context_language="und",
    )


def gold_of(article: Article) -> ArticleAnswer | None:
    """The annotation to train on: the first with a minimal answer, or the first with a passage.

    None if no annotator found an answer.
    """
    found = [a for a in article.answers if a.passage is not None]
    return next((a for a in found if a.span is not None or a.yes_no is not None), None) or next(
        iter(found), None
    )


def article_windows(
    featurizer: Featurizer, article: Article, limits: Limits | None = None
) -> Iterator[ArticleWindow]:
    """The windows of an article, in order; errors are those of `Featurizer.windows`."""
    there = [(i, p.start, p.end) for i, p in enumerate(article.passages) if p is not None]
    places = np.array(there, np.int32).reshape(-1, 3)
    gold = gold_of(article)
    for window in featurizer.windows([example_of(article)], limits):
        passages = _shown(window, places)
        yield ArticleWindow(window, passages, _label(window, passages, article, gold))


def _shown(window: Window, places: NDArray[np.int32]) -> NDArray[np.int32]:
    """The passages of the article with tokens in a window: index, first and end token."""
    ends = window.offsets[:, 1]  # a token may start at the white space before it
    shown = places[(places[:, 2] > window.offsets[0, 0]) & (places[:, 1] < ends[-1])]
    first = np.searchsorted(ends, shown[:, 1], side="right")
    stop = np.searchsorted(ends, shown[:, 2], side="right")
    found: NDArray[np.int32] = np.stack([shown[:, 0], first, stop], axis=1).astype(np.int32)
    inside: NDArray[np.int32] = found[first < stop]
    return inside


def _label(
    window: Window, passages: NDArray[np.int32], article: Article, gold: ArticleAnswer | None
) -> Label:
    if gold is None or gold.passage is None:
        return NOTHING_SHOWN
    slots = np.flatnonzero(passages[:, 0] == gold.passage)
    if not len(slots):
        return NOTHING_SHOWN
    slot = int(slots[0]) + 1
    if gold.span is not None:
        tokens = window.tokens_of(gold.span)
        return NOTHING_SHOWN if tokens is None else Label(Kind.SPAN, slot, tokens)
    place = article.passages[gold.passage]
    assert place is not None
    if not _shows_enough(window, passages[slot - 1], place):
        return NOTHING_SHOWN
    kinds = {"yes": Kind.YES, "no": Kind.NO, None: Kind.PASSAGE}
    return Label(kinds[gold.yes_no], slot)


def _shows_enough(window: Window, passage: NDArray[np.int32], place: Span) -> bool:
    """Whether a window contains half of the characters of a passage, or no other passage."""
    _, first, end = passage.tolist()
    if end - first == window.size:
        return True
    start = max(int(window.offsets[first, 0]), place.start)
    return 2 * (int(window.offsets[end - 1, 1]) - start) >= place.end - place.start


def means_of(window: ArticleWindow, of_tokens: FloatArray) -> FloatArray:
    """Logits of "no passage" and of each passage, (1 + P,), from token logits, (L,).

    A passage gets the mean of its tokens in the window, "no passage" the logit of the first token.
    """
    at = window.window.context_at
    means = [of_tokens[at + first : at + end].mean() for _, first, end in window.passages.tolist()]
    return np.array([of_tokens[0], *means], np.float32)


def choose(
    read: Iterable[tuple[ArticleWindow, ArticleLogits]],
    *,
    max_answer_tokens: int = MAX_ANSWER_TOKENS,
) -> Choice:
    """Choose the answer for an article from its windows, which may be read lazily.

    Each window proposes its best passage and the minimal answer in it. The passage with the highest
    score is chosen, and among the windows that propose it, the minimal answer with the highest
    score. The score of a passage is its log-odds against "no passage". The score of a minimal
    answer is this plus the log-odds of its kind against "no answer" and "passage alone". A minimal
    answer is always returned; a score threshold is applied later, by the evaluation of a task.

    Raises:
        DataError: if a logit is not a finite number.
    """
    best: dict[int, Choice] = {}
    for window, logits in read:
        if not len(window.passages):
            continue
        found = _proposed(window, logits, max_answer_tokens)
        assert found.passage is not None
        known = best.get(found.passage)
        best[found.passage] = found if known is None else _joined(known, found)
    return max(best.values(), key=lambda choice: choice.passage_score, default=NOTHING)


def _joined(one: Choice, other: Choice) -> Choice:
    """Merge the choices of two windows for the same passage; ties go to the first."""
    minimal = other if other.minimal_score > one.minimal_score else one
    return minimal._replace(passage_score=max(one.passage_score, other.passage_score))


def _proposed(window: ArticleWindow, logits: ArticleLogits, max_answer_tokens: int) -> Choice:
    """The best passage of a window and the minimal answer in it."""
    for name, some in (("passage", logits.passages), ("kind", logits.kinds)):
        if not np.isfinite(some).all():
            raise DataError(
                f"the reader gave a {name} logit that is not a finite number; its weights are "
                "broken: train it again"
            )
    kinds = logits.kinds.astype(np.float64)
    slot = int(logits.passages[1:].argmax())
    passage_score = float(logits.passages[slot + 1]) - float(logits.passages[0])
    kind = max(_MINIMAL, key=lambda k: kinds[k])
    against = np.logaddexp(kinds[Kind.NULL], kinds[Kind.PASSAGE])
    return Choice(
        passage=int(window.passages[slot, 0]),
        span=_span(window, slot, logits, max_answer_tokens) if kind is Kind.SPAN else None,
        yes_no=SAID.get(kind),
        passage_score=passage_score,
        minimal_score=passage_score + float(kinds[kind] - against),
    )


def _span(
    window: ArticleWindow, slot: int, logits: ArticleLogits, max_answer_tokens: int
) -> Span | None:
    """The best span in a passage of a window, found by `decode.candidates`."""
    _, first, end = window.passages[slot].tolist()
    whole = window.window
    inside = Tokens(whole.context.ids[first:end], whole.context.offsets[first:end])
    part = replace(whole, context=inside, first_token=whole.first_token + first)
    at = whole.context_at
    taken = np.r_[0:at, at + first : at + end]
    found = candidates(
        [part], [logits.start[taken]], [logits.last[taken]], max_answer_tokens=max_answer_tokens
    )
    return predictions(whole.example, found)[0].span
