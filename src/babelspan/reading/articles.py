"""Whole articles as windows with passages in them, and the answer from what was read of each.

Alberti, Lee and Collins (2019), arXiv:1901.08634: a window shows a part of the article, and is
labelled with what it shows of the answer. What is kept of an article is its best window for each
passage, so memory does not grow with its length.

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
    """What a window shows of the answer."""

    NULL = 0
    PASSAGE = 1
    YES = 2
    NO = 3
    SPAN = 4


SAID = {Kind.YES: "yes", Kind.NO: "no"}
"""The words of kinds that are answers themselves."""

_MINIMAL = (Kind.SPAN, Kind.YES, Kind.NO)


class Label(NamedTuple):
    """What a window has to teach.

    Attributes:
        kind: what it shows of the answer.
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
        passages: of each passage that has tokens in it: its index in the article, the first of its
            tokens and the one after the last, counted from the first context token, (P, 3).
        label: what it teaches.
    """

    window: Window
    passages: NDArray[np.int32]
    label: Label = NOTHING_SHOWN

    @property
    def length(self) -> int:
        """Tokens of the window, L."""
        return self.window.length

    def slots(self) -> NDArray[np.int64]:
        """For each token the number of its passage in the window, from 1; 0 for none, (L,)."""
        found = np.zeros(self.length, np.int64)
        at = self.window.context_at
        for slot, (_, first, end) in enumerate(self.passages.tolist(), start=1):
            found[at + first : at + end] = slot
        return found

    def bare(self) -> "ArticleWindow":
        """The same without the article's text, to be kept on a disk until it is learnt from."""
        example = replace(self.window.example, context="")
        return replace(self, window=replace(self.window, example=example))


class ArticleLogits(NamedTuple):
    """What a network makes of a window.

    Attributes:
        start: (L,).
        last: (L,).
        passages: of no passage, then of each passage of the window, (1 + P,).
        kinds: in the order of `Kind`, (5,).
    """

    start: FloatArray
    last: FloatArray
    passages: FloatArray
    kinds: FloatArray


class Choice(NamedTuple):
    """What is answered over a whole article; scores are log-odds against "nothing here"."""

    passage: int | None
    span: Span | None
    yes_no: str | None
    passage_score: float
    minimal_score: float


NOTHING = Choice(None, None, None, 0.0, 0.0)
"""The answer where there is nothing to choose from."""


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
    """The annotation to learn: the first with the most to say; None if nobody found an answer.

    A minimal answer says more than a passage alone.
    """
    found = [a for a in article.answers if a.passage is not None]
    return next((a for a in found if a.span is not None or a.yes_no is not None), None) or next(
        iter(found), None
    )


def article_windows(
    featurizer: Featurizer, article: Article, limits: Limits | None = None
) -> Iterator[ArticleWindow]:
    """The windows of an article, in order; errors as in `Featurizer.windows`."""
    there = [(i, p.start, p.end) for i, p in enumerate(article.passages) if p is not None]
    places = np.array(there, np.int32).reshape(-1, 3)
    gold = gold_of(article)
    for window in featurizer.windows([example_of(article)], limits):
        passages = _shown(window, places)
        yield ArticleWindow(window, passages, _label(window, passages, article, gold))


def _shown(window: Window, places: NDArray[np.int32]) -> NDArray[np.int32]:
    """The passages with tokens in a window, from those of the article: index, start, end."""
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
    """Whether a window shows half of the characters of a passage, or nothing else."""
    _, first, end = passage.tolist()
    if end - first == window.size:
        return True
    start = max(int(window.offsets[first, 0]), place.start)
    return 2 * (int(window.offsets[end - 1, 1]) - start) >= place.end - place.start


def means_of(window: ArticleWindow, of_tokens: FloatArray) -> FloatArray:
    """Logits of no passage and of each passage of a window, (1 + P,), from those of tokens, (L,).

    A passage has the mean of its tokens in the window, "no passage" the first token's.
    """
    at = window.window.context_at
    means = [of_tokens[at + first : at + end].mean() for _, first, end in window.passages.tolist()]
    return np.array([of_tokens[0], *means], np.float32)


def choose(
    read: Iterable[tuple[ArticleWindow, ArticleLogits]],
    *,
    max_answer_tokens: int = MAX_ANSWER_TOKENS,
) -> Choice:
    """The answer over an article from its windows, which may come one at a time.

    Each window proposes its best passage and the minimal answer in it. The passage with the highest
    score of all is chosen, and of the windows that propose it the minimal answer with the highest
    score. The score of a passage is its log-odds against no passage; that of a minimal answer is
    the sum of this and of the log-odds of its kind against no answer and a passage alone. A minimal
    answer is always given: the threshold of a task decides which count.

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
    """What two windows say of one passage; of equals the first."""
    minimal = other if other.minimal_score > one.minimal_score else one
    return minimal._replace(passage_score=max(one.passage_score, other.passage_score))


def _proposed(window: ArticleWindow, logits: ArticleLogits, max_answer_tokens: int) -> Choice:
    """The best passage of a window and the minimal answer in it."""
    for name, some in (("passage", logits.passages), ("kind", logits.kinds)):
        if not np.isfinite(some).all():
            raise DataError(
                f"the reader gave a logit of a {name} that is not a finite number; its weights are "
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
    """The best span in a passage of a window, found by the one decoder."""
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
