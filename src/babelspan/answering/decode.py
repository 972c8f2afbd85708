"""From start and last logits to answers: the one decoder of training, evaluation and answering.

The score of an answer is its share of the probability of all spans that were read for the question:
a softmax of (start logit + last logit) over every span of at most `max_answer_tokens` tokens in all
windows of all its contexts, joined by "no answer" where that is allowed. Normalising over
contexts together makes scores comparable between them (Clark and Gardner 2018, arXiv:1710.10723).

Shapes: B windows, L tokens, D lengths of answers, K candidates.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from babelspan.answering.windows import Window
from babelspan.seams import FloatArray
from babelspan.text import graphemes
from babelspan.types import Example, Prediction, Span

MAX_ANSWER_TOKENS = 30

_SPARE = 20
"""Candidates kept of a window beyond those asked for: white space and clusters merge some."""


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


def candidates(
    windows: Sequence[Window],
    start_logits: FloatArray,
    last_logits: FloatArray,
    *,
    top_k: int = 1,
    max_answer_tokens: int = MAX_ANSWER_TOKENS,
) -> list[Candidates]:
    """The best spans of each window, none of them ending before it starts.

    Args:
        windows: B windows.
        start_logits: (B, L), L at least the longest window.
        last_logits: (B, L).
        top_k: how many answers will be wanted; some more are kept.
        max_answer_tokens: longest answer, in tokens.
    """
    shape = start_logits.shape
    first = np.array([w.context_at for w in windows])
    sizes = np.array([w.size for w in windows])
    places = np.arange(shape[1])
    outside_BL = (places < first[:, None]) | (places >= (first + sizes)[:, None])
    start_BL = np.where(outside_BL, -np.inf, start_logits.astype(np.float64))
    last_BL = np.where(outside_BL, -np.inf, last_logits.astype(np.float64))

    lengths = min(max_answer_tokens, int(sizes.max()))
    sums_BLD = np.full((*shape, lengths), -np.inf)
    for more in range(lengths):
        sums_BLD[:, : shape[1] - more, more] = start_BL[:, : shape[1] - more] + last_BL[:, more:]
    sums_BN = sums_BLD.reshape(len(windows), -1)

    kept = min(top_k + _SPARE, sums_BN.shape[1])
    best_BK = np.argpartition(sums_BN, -kept, axis=1)[:, -kept:]
    logits_BK = np.take_along_axis(sums_BN, best_BK, axis=1)
    peak_B = logits_BK.max(axis=1)
    log_mass_B = peak_B + np.log(np.exp(sums_BN - peak_B[:, None]).sum(axis=1))
    null_B = start_logits[:, 0].astype(np.float64) + last_logits[:, 0]

    found = []
    for row, window in enumerate(windows):
        order = np.lexsort((best_BK[row], -logits_BK[row]))
        order = order[np.isfinite(logits_BK[row][order])]
        token, more = np.divmod(best_BK[row][order], lengths)
        token -= window.context_at
        offsets = window.offsets
        spans = np.stack([offsets[token, 0], offsets[token + more, 1]], axis=1).astype(np.int64)
        found.append(
            Candidates(spans, logits_BK[row][order], float(log_mass_B[row]), float(null_B[row]))
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
) -> list[Prediction]:
    """The best answers of an example from the candidates of its windows, best first.

    Spans are stripped of white space and widened to whole grapheme clusters; a span found in
    two windows counts once, with its better logit.

    Args:
        example: the example.
        found: candidates of all its windows; may be empty.
        top_k: how many answers to give, at most.
        allows_no_answer: whether "no answer" (no span, empty text) competes; its logit is the
            smallest of the windows' (Devlin et al. 2019, arXiv:1810.04805, Section 4.3).
        allows_overlap: whether an answer may share characters with a better one.
        log_mass: log of the sum of exp(logit) over everything the scores are a share of; None
            for this example alone.
    """
    null = min((c.no_answer_logit for c in found), default=0.0)
    if not found:
        return [_prediction(example, None, null, null, log_mass=np.inf)]
    if log_mass is None:
        log_mass = total_log_mass(found, allows_no_answer=allows_no_answer)
    chosen: list[tuple[Span | None, float]] = []
    for span, logit in _ranked(example, found):
        if len(chosen) == top_k:
            break
        if allows_overlap or not any(_overlap(span, better) for better, _ in chosen):
            chosen.append((span, logit))
    if allows_no_answer:
        chosen = sorted([(None, null), *chosen], key=lambda item: -item[1])[:top_k]
    return [_prediction(example, span, logit, null, log_mass=log_mass) for span, logit in chosen]


def total_log_mass(found: Sequence[Candidates], *, allows_no_answer: bool) -> float:
    """Log of the sum of exp(logit) over all spans of windows, and "no answer" if allowed."""
    masses = [c.log_mass for c in found]
    if allows_no_answer:
        masses.append(min(c.no_answer_logit for c in found))
    return float(np.logaddexp.reduce(masses))


def _ranked(example: Example, found: Sequence[Candidates]) -> Iterator[tuple[Span, float]]:
    """Distinct tidy spans of all windows with their logits, best first."""
    spans = np.concatenate([c.spans for c in found])
    logits = np.concatenate([c.logits for c in found])
    seen = set()
    for i in np.lexsort((spans[:, 1], spans[:, 0], -logits)):
        span = _tidy(example.context, int(spans[i, 0]), int(spans[i, 1]))
        if span is not None and span not in seen:
            seen.add(span)
            yield span, float(logits[i])


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


def _overlap(one: Span, other: Span | None) -> bool:
    return other is not None and one.start < other.end and other.start < one.end


def _tidy(context: str, start: int, end: int) -> Span | None:
    if not start < end:
        return None
    span = graphemes.strip(context, Span(start, end))
    return None if span is None else graphemes.snap(context, span)
