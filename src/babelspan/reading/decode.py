"""Decoding of start and last logits to answers, for training, evaluation and answering alike.

The score of an answer is its softmax probability: the softmax of (start logit + last logit) over
every span of at most `max_answer_tokens` tokens in all windows of all contexts of the question, and
"no answer" if that is allowed. Normalising over all contexts makes scores comparable between
contexts (Clark and Gardner 2018, arXiv:1710.10723).

Shapes: B windows, L tokens, T tokens of the context, D lengths of answers, K candidates.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from babelspan.seams import FloatArray, Window
from babelspan.text import borders, graphemes
from babelspan.types import DataError, Example, Prediction, Span

MAX_ANSWER_TOKENS = 30

_SPARE = 20
"""Number of spans kept per window beyond the answers asked for, at least."""


class Candidates(NamedTuple):
    """The best spans of one window.

    Attributes:
        spans: characters [start, end) of the context, (K, 2), best first.
        logits: start logit + last logit, (K,).
        log_mass: log of the sum of exp(start logit + last logit) over all spans of the window.
        no_answer_logit: start logit + last logit at the first token, the place of "no answer".
    """

    spans: NDArray[np.int64]
    logits: NDArray[np.float64]
    log_mass: float
    no_answer_logit: float

    def against_no_answer(self) -> "Candidates":
        """Convert all logits to log-odds against "no answer in this window"."""
        null = self.no_answer_logit
        return Candidates(self.spans, self.logits - null, self.log_mass - null, 0.0)

    def weighted(self, log_weight: float) -> "Candidates":
        """Add `log_weight` to the logits of all spans, but not to "no answer"."""
        return self._replace(logits=self.logits + log_weight, log_mass=self.log_mass + log_weight)


def candidates(
    windows: Sequence[Window],
    start_logits: Iterable[FloatArray],
    last_logits: Iterable[FloatArray],
    *,
    top_k: int = 1,
    allows_overlap: bool = True,
    max_answer_tokens: int = MAX_ANSWER_TOKENS,
    whole_words: bool = False,
) -> list[Candidates]:
    """The best spans of each window; no span ends before it starts.

    Args:
        windows: B windows.
        start_logits: start logits of each window, (L,), with L at least its length; or (B, L).
        last_logits: last logits, likewise.
        top_k: number of answers that will be asked for; enough spans are kept for that many
            answers, if the window has them.
        allows_overlap: whether answers may share characters.
        max_answer_tokens: maximum length of an answer in tokens.
        whole_words: whether answers will be extended to whole words.

    Raises:
        DataError: if a logit of a window's own tokens is not a finite number.
    """
    found = []
    for window, start_L, last_L in zip(windows, start_logits, last_logits, strict=True):
        inside = slice(window.context_at, window.context_at + len(window.offsets))
        _refuse_infinite(inside, start_L, last_L)
        sums = _sums(start_L[inside], last_L[inside], max_answer_tokens)
        spans, logits = _best(
            window, sums, top_k=top_k, allows_overlap=allows_overlap, whole_words=whole_words
        )
        peak = sums.max()
        log_mass = peak + np.log(np.exp(sums - peak).sum())
        found.append(
            Candidates(spans, logits, float(log_mass), float(start_L[0]) + float(last_L[0]))
        )
    return found


def predictions(
    example: Example,
    found: Sequence[Candidates],
    *,
    top_k: int = 1,
    allows_no_answer: bool = False,
    allows_overlap: bool = True,
    log_mass: float | None = None,
    whole_words: bool = False,
) -> list[Prediction]:
    """The best answers of an example from the candidates of its windows, best first.

    Spans are stripped of white space and extended to whole grapheme clusters, and to whole words if
    asked for; spans that are then equal count once, with the best logit. If all candidates are
    white space, the only prediction is "no answer" with a score of 0.

    Args:
        example: the example.
        found: candidates of all its windows; may be empty.
        top_k: the maximum number of answers.
        allows_no_answer: whether "no answer" (no span, empty text) may be predicted; its logit is
            the smallest over the windows (Devlin et al. 2019, arXiv:1810.04805, Section 4.3).
        allows_overlap: whether an answer may share characters with a better one.
        log_mass: logarithm of the normaliser of the scores, the sum of exp(logit); None to
            normalise over this example alone.
        whole_words: whether an answer that starts or ends inside a word is extended to the word
            (`text.borders`).
    """
    null = min((c.no_answer_logit for c in found), default=0.0)
    if not found:
        return [_prediction(example, None, null, null, log_mass=np.inf)]
    if log_mass is None:
        log_mass = total_log_mass(found, allows_no_answer=allows_no_answer)
    spans = np.concatenate([c.spans for c in found])
    logits = np.concatenate([c.logits for c in found])
    order = np.lexsort((spans[:, 1], spans[:, 0], -logits))
    chosen: list[tuple[Span | None, float]] = [
        (span, float(logits[order[i]]))
        for span, i in _answers(
            example.context,
            spans[order],
            top_k,
            allows_overlap=allows_overlap,
            whole_words=whole_words,
        )
    ]
    if allows_no_answer:
        chosen = sorted([(None, null), *chosen], key=lambda item: -item[1])[:top_k]
    if not chosen:
        return [_prediction(example, None, null, null, log_mass=np.inf)]
    return [_prediction(example, span, logit, null, log_mass=log_mass) for span, logit in chosen]


def total_log_mass(found: Sequence[Candidates], *, allows_no_answer: bool) -> float:
    """Log of the sum of exp(logit) over all spans of windows, and "no answer" if allowed."""
    masses = [c.log_mass for c in found]
    if allows_no_answer:
        masses.append(min(c.no_answer_logit for c in found))
    return float(np.logaddexp.reduce(masses))


def _refuse_infinite(inside: slice, start_L: FloatArray, last_L: FloatArray) -> None:
    """Check that the logits of context tokens and of "no answer" are finite."""
    for logits in (start_L[:1], last_L[:1], start_L[inside], last_L[inside]):
        finite = np.isfinite(logits)
        if not finite.all():
            raise DataError(
                f"the reader gave a logit of {logits[~finite][0]}, expected finite numbers; its "
                "weights are broken: train or export it again"
            )


def _sums(
    start_logits: FloatArray, last_logits: FloatArray, max_answer_tokens: int
) -> NDArray[np.float64]:
    """Start logit + last logit of each span, by first token and length - 1, (T, D).

    Only the window's own tokens are used, so the result does not depend on the batch at all.
    """
    lengths = min(max_answer_tokens, len(start_logits))
    last = np.full(len(last_logits) + lengths - 1, -np.inf)
    last[: len(last_logits)] = last_logits
    sums: NDArray[np.float64] = start_logits.astype(np.float64)[:, None] + sliding_window_view(
        last, lengths
    )
    return sums


def _best(
    window: Window,
    sums: NDArray[np.float64],
    *,
    top_k: int,
    allows_overlap: bool,
    whole_words: bool,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Characters (K, 2) and logits (K,) of the best spans, from the sums (T, D) of a window."""
    flat = sums.reshape(-1)
    kept = top_k + _SPARE
    while True:
        kept = min(kept, len(flat))
        best = np.argpartition(flat, -kept)[-kept:]
        best = best[np.lexsort((best, -flat[best]))]
        best = best[np.isfinite(flat[best])]
        first, more = np.divmod(best, sums.shape[1])
        offsets = window.offsets
        spans = np.stack([offsets[first, 0], offsets[first + more, 1]], axis=1).astype(np.int64)
        answers = _answers(
            window.example.context,
            spans,
            top_k,
            allows_overlap=allows_overlap,
            whole_words=whole_words,
        )
        if len(answers) == top_k or len(best) < kept or kept == len(flat):
            return spans, flat[best]
        kept *= 4


def _answers(
    context: str,
    spans: NDArray[np.int64],
    top_k: int,
    *,
    allows_overlap: bool,
    whole_words: bool,
) -> list[tuple[Span, int]]:
    """The first `top_k` distinct cleaned spans, each with the index of the span it came from."""
    answers: dict[Span, int] = {}
    for i, (start, end) in enumerate(spans.tolist()):
        if len(answers) == top_k:
            break
        span = _tidy(context, start, end, whole_words=whole_words)
        if span is not None and (allows_overlap or not any(map(span.overlaps, answers))):
            answers.setdefault(span, i)
    return list(answers.items())


def _prediction(
    example: Example, span: Span | None, logit: float, null: float, *, log_mass: float
) -> Prediction:
    return Prediction(
        id=example.id,
        span=span,
        text="" if span is None else span.of(example.context),
        score=float(np.exp(min(logit - log_mass, 0.0))),
        logit=logit,
        no_answer_logit=null,
    )


def _tidy(context: str, start: int, end: int, *, whole_words: bool) -> Span | None:
    if not start < end:
        return None
    span = graphemes.strip(context, Span(start, end))
    if span is not None and whole_words:
        span = borders.whole_words(context, span)
    return None if span is None else graphemes.snap(context, span)
