"""Decoding of questions: greedy, beam search, or nucleus sampling.

Finished rows are removed from the batch. Ties between pieces (subwords) go to the smaller id.

Shape letters: B unfinished questions, C candidates for the next piece, K beams.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from babelspan.networks.asked import Asked
from babelspan.networks.question_generator import QuestionGenerator
from babelspan.reading.sources import LONGEST_QUESTION
from babelspan.types import ConfigError

_FORMS = re.compile(r"(?P<greedy>greedy)|beam:(?P<beams>[1-9]\d{0,2})|sample:(?P<mass>[01]?\.?\d+)")


@dataclass(frozen=True, kw_only=True)
class Decode:
    """Decoding settings.

    Attributes:
        beams: beam size; 1 for greedy decoding.
        mass: probability mass of nucleus sampling (Holtzman et al. 2020, arXiv:1904.09751); None
            for no sampling.
        no_repeat: size of the n-grams of pieces that a question may not repeat; 0 for no limit.
        seed: seed of the samples.
        longest: maximum number of pieces of a question, its end included.
    """

    beams: int = 1
    mass: float | None = None
    no_repeat: int = 0
    seed: int = 1
    longest: int = LONGEST_QUESTION

    @classmethod
    def of(cls, words: str, *, no_repeat: int = 0, seed: int = 1) -> "Decode":
        """Parse "greedy", "beam:K" or "sample:P".

        Raises:
            ConfigError: if it is none of these, or P is not in (0, 1].
        """
        found = _FORMS.fullmatch(words)
        mass = float(found["mass"]) if found and found["mass"] else None
        if found is None or (mass is not None and not 0 < mass <= 1):
            raise ConfigError(
                f"expected greedy, beam:K (such as beam:4) or sample:P with P in (0, 1], got "
                f"{words!r}"
            )
        return cls(beams=int(found["beams"] or 1), mass=mass, no_repeat=no_repeat, seed=seed)


class Written(NamedTuple):
    """A generated question.

    Attributes:
        pieces: piece ids, without the end.
        log_prob: log-probability of the pieces, and of the end if it was reached, in nats.
        has_ended: whether the end was reached within the maximum length.
    """

    pieces: list[int]
    log_prob: float
    has_ended: bool

    @property
    def per_piece(self) -> float:
        """Mean log-probability per piece, the end included."""
        return self.log_prob / max(1, len(self.pieces) + self.has_ended)


@torch.inference_mode()
def write(
    generator: QuestionGenerator, asked: Asked, decode: Decode, *, allowed: Tensor | None = None
) -> list[Written]:
    """Generate the questions of a batch, in order.

    Args:
        generator: a generator in evaluation mode.
        asked: sources on the generator's device.
        decode: decoding settings.
        allowed: as in `QuestionGenerator.candidates`.
    """
    if decode.beams > 1:
        return _by_beams(generator, asked, decode, allowed)
    if decode.mass is None:
        return _one_by_one(generator, asked, decode, allowed, _likeliest)
    mass = decode.mass

    def draw(log_probs: Tensor, identities: Sequence[str], step: int) -> Tensor:
        drawn = [
            _drawn(row, mass, noise(decode.seed, identity, step))
            for row, identity in zip(log_probs.cpu(), identities, strict=True)
        ]
        return torch.tensor(drawn, device=log_probs.device)

    return _one_by_one(generator, asked, decode, allowed, draw)


def noise(seed: int, identity: str, step: int) -> float:
    """A pseudo-random number in [0, 1) that depends only on the arguments."""
    digest = hashlib.sha256(f"{seed}\0{identity}\0{step}".encode(errors="replace")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _one_by_one(
    generator: QuestionGenerator,
    asked: Asked,
    decode: Decode,
    allowed: Tensor | None,
    choose: Callable[[Tensor, Sequence[str], int], Tensor],
) -> list[Written]:
    state = generator.start(asked, allowed)
    ids = state.candidates.ids
    listed = state.candidates.listed()
    pieces: list[list[int]] = [[] for _ in asked.sources]
    log_probs = [0.0] * len(pieces)
    ended = [False] * len(pieces)
    rows = list(range(len(pieces)))
    for step in range(decode.longest):
        scores = generator.next_pieces(state)
        _refuse_repeats(scores, listed, [pieces[row] for row in rows], decode.no_repeat)
        columns = choose(scores, [source.id for source in state.asked.sources], step)
        gained = scores.gather(1, columns[:, None])[:, 0].tolist()
        chosen = ids[columns]
        for row, piece, gain in zip(rows, chosen.tolist(), gained, strict=True):
            log_probs[row] += gain
            ended[row] = piece == generator.end
            if not ended[row]:
                pieces[row].append(piece)
        going = [i for i, row in enumerate(rows) if not ended[row]]
        if not going or step == decode.longest - 1:
            break
        if len(going) < len(rows):
            rows, state, chosen = [rows[i] for i in going], state.rows(going), chosen[going]
        state = generator.step(state, chosen)
    return [Written(*one) for one in zip(pieces, log_probs, ended, strict=True)]


def _by_beams(
    generator: QuestionGenerator, asked: Asked, decode: Decode, allowed: Tensor | None
) -> list[Written]:
    """Beam search: the best hypothesis of each question by mean log-probability per piece."""
    width = decode.beams
    items = [_Beams(width) for _ in asked.sources]
    going = list(range(len(items)))
    state = generator.start(asked, allowed).rows([row for row in going for _ in range(width)])
    listed = state.candidates.listed()
    for step in range(decode.longest):
        scores = generator.next_pieces(state)
        so_far = [p for i in going for p in items[i].pieces]
        _refuse_repeats(scores, listed, so_far, decode.no_repeat)
        parents, chosen = [], []
        for number, item in enumerate(going):
            own = scores[number * width : (number + 1) * width]
            for parent, piece in items[item].grow(own, listed, generator.end):
                parents.append(number * width + parent)
                chosen.append(piece)
        kept = [n for n, item in enumerate(going) if not items[item].is_done]
        if not kept or step == decode.longest - 1:
            break
        lines = [n * width + beam for n in kept for beam in range(width)]
        going = [going[n] for n in kept]
        state = state.rows([parents[line] for line in lines])
        pieces = torch.tensor([chosen[line] for line in lines], device=state.hidden.device)
        state = generator.step(state, pieces)
    return [item.best() for item in items]


class _Beams:
    """The beam of one question: `width` unfinished hypotheses, and the finished ones."""

    def __init__(self, width: int) -> None:
        self.pieces: list[list[int]] = [[] for _ in range(width)]
        self.log_probs = [0.0] + [-float("inf")] * (width - 1)
        self.ended: list[Written] = []

    @property
    def is_done(self) -> bool:
        """Whether enough hypotheses are finished, or none is left."""
        width = len(self.pieces)
        return len(self.ended) >= width or self.log_probs[0] == -float("inf")

    def grow(self, scores: Tensor, ids: Sequence[int], end: int) -> list[tuple[int, int]]:
        """Extend the hypotheses by scores (K, C) of the pieces `ids`.

        Returns:
            (parent, last piece) of each new hypothesis.
        """
        width, candidates = scores.shape
        sums = torch.tensor(self.log_probs, device=scores.device)[:, None] + scores
        grown: list[tuple[int, int, float]] = []
        for total, at in _largest(sums.flatten(), 2 * width):
            parent, column = divmod(at, candidates)
            piece = ids[column]
            if total == -float("inf") or len(grown) == width:
                break
            if piece == end:
                self.ended.append(Written(self.pieces[parent], total, True))
            else:
                grown.append((parent, piece, total))
        grown += [(0, end, -float("inf"))] * (width - len(grown))
        self.pieces = [[*self.pieces[parent], piece] for parent, piece, _ in grown]
        self.log_probs = [total for *_, total in grown]
        return [(parent, piece) for parent, piece, _ in grown]

    def best(self) -> Written:
        """The finished hypothesis with the best mean; an unfinished one if none is finished."""
        found = self.ended or [Written(self.pieces[0], self.log_probs[0], False)]
        return max(found, key=lambda written: written.per_piece)


def _likeliest(log_probs: Tensor, identities: Sequence[str], step: int) -> Tensor:
    return log_probs.argmax(dim=-1)


def _largest(values: Tensor, count: int) -> list[tuple[float, int]]:
    """The largest values with their indices, largest first; ties in order of their indices.

    `topk` alone guarantees neither the order of ties nor which of them it returns.
    """
    least = values.topk(min(count, len(values))).values[-1]
    places = (values >= least).nonzero().squeeze(1)
    order = values[places].argsort(descending=True, stable=True)[:count]
    chosen = places[order]
    return list(zip(values[chosen].tolist(), chosen.tolist(), strict=True))


def _drawn(log_probs: Tensor, mass: float, at: float) -> int:
    """Sample from the nucleus of probability `mass`, with a random number `at` in [0, 1)."""
    probabilities = log_probs.double().softmax(dim=-1)
    ordered, ids = probabilities.sort(descending=True, stable=True)
    sums = ordered.cumsum(dim=0)
    kept = int((sums < mass).sum()) + 1
    sums = sums[:kept]
    number = int(torch.searchsorted(sums, at * sums[-1], right=True))
    return int(ids[min(number, kept - 1)])


def _refuse_repeats(
    log_probs: Tensor, ids: Sequence[int], pieces: Sequence[Sequence[int]], size: int
) -> None:
    """Exclude pieces that would repeat an n-gram of `size` pieces; columns are those of `ids`."""
    if not size:
        return
    for row, so_far in enumerate(pieces):
        tail = so_far[len(so_far) - size + 1 :]
        for at in range(len(so_far) - size + 1):
            if so_far[at : at + size - 1] == tail:
                log_probs[row, bisect_left(ids, so_far[at + size - 1])] = -torch.inf
