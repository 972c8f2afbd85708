"""Questions with their translations, over one context: the batches of language arbitration.

Shape letters: P pairs, B = 2 P windows, L tokens, H width.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from babelspan.networks.reader import Batch, Reader, Reading
from babelspan.training.examples import Row, grouped
from babelspan.training.run import Run
from babelspan.training.stream import Stream
from babelspan.types import ConfigError, DataError, Example

_NAMED = 5


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Windows of questions and of their translations, alternating, over the same context tokens.

    They are one batch, `windows`; `own` and `translated` split the output of the reader.
    """

    windows: Batch

    @property
    def tokens(self) -> int:
        """Number of tokens of the windows, without padding."""
        return self.windows.tokens

    def to(self, device: torch.device) -> "Pairs":
        """A copy on a device."""
        return Pairs(self.windows.to(device))

    @staticmethod
    def own(read: Tensor) -> Tensor:
        """The rows for the original questions, (P, …), of a tensor over all windows, (B, …)."""
        return read[0::2]

    @staticmethod
    def translated(read: Tensor) -> Tensor:
        """The rows for the translations, (P, …), of a tensor over all windows, (B, …)."""
        return read[1::2]

    @torch.no_grad()
    def best_spans(self, reading: Reading) -> Tensor:
        """Best first and last token of each original question, as indices in the other window.

        Shape (P, 2). Both windows contain the same context tokens, so an index is shifted by the
        difference of the questions' lengths; the first token, "not in this window", is not shifted.
        """
        unfit = ~self.own(self.windows.answer_mask)
        best = torch.stack(
            [
                self.own(logits).masked_fill(unfit, -torch.inf).argmax(dim=-1)
                for logits in (reading.start_logits, reading.last_logits)
            ],
            dim=1,
        )
        at = self.windows.context_at
        shift = (self.translated(at) - self.own(at))[:, None]
        return torch.where(best == 0, best, best + shift)


def question_pairs(examples: Sequence[Example]) -> list[tuple[Example, Example]]:
    """Pair each translated question with its original question over the same context.

    Two examples form a pair if they have the same origin and the same context: T(Q) is paired with
    the originals, T(Q+C) with T(C).

    Raises:
        DataError: if translations have no original (the message names their ids), or there are no
            translations.
    """
    asked = {(e.id, e.question_language, e.question) for e in examples if e.origin is None}
    related: defaultdict[tuple[str, str], list[Example]] = defaultdict(list)
    for example in examples:
        related[example.origin or example.id, example.context].append(example)
    pairs: list[tuple[Example, Example]] = []
    alone: list[str] = []
    for (origin, _), members in related.items():
        own = next((e for e in members if (origin, e.question_language, e.question) in asked), None)
        others = [e for e in members if e.origin is not None]
        if own is None:
            alone += [e.id for e in others]
            continue
        pairs += [(own, e) for e in others if e.question_language != own.question_language]
    if alone:
        raise DataError(
            f"{len(alone)} translations have no original question over the same context among the "
            f"training data: {', '.join(alone[:_NAMED])}{', …' if len(alone) > _NAMED else ''}; "
            "add what they were made from (T(Q) goes with the originals, T(Q+C) with T(C))"
        )
    if not pairs:
        raise DataError(
            "expected questions with their translations, found no translation of a question; add "
            "T(Q) data (babelspan translate --strategy q)"
        )
    return pairs


def paired(reader: Reader, examples: Sequence[Example], run: Run) -> Stream[Row, Pairs]:
    """A stream of pairs of windows over the same context tokens: a question, then its translation.

    Examples without a translation are skipped; the count is printed.

    Raises:
        ConfigError: if the run asks questions about the wrong text (`negatives`); those have no
            translation.
        DataError: as `question_pairs` and `grouped` do.
    """
    if run.config.negatives:
        raise ConfigError(
            f"expected negatives = 0, got {run.config.negatives}: questions over the wrong text "
            "are not paired with translations"
        )
    pairs = question_pairs(examples)
    unpaired = len(examples) - len({id(member) for pair in pairs for member in pair})
    if unpaired and run.place.leads:
        print(f"skipped {unpaired} examples: they have no translation", file=sys.stderr)
    return grouped(
        reader,
        pairs,
        run,
        collate=lambda rows: Pairs(reader.collate([window for row in rows for window in row])),
        together=2,
    )
