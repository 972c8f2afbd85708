"""AWESOME-align: links from the similarity of contextual vectors, with any reader's encoder.

Dou and Neubig (2021), "Word alignment by fine-tuning embeddings on parallel corpora",
arXiv:2101.08231, Section 2.1 with softmax: tokens x and y are linked if the softmax of the product
of their vectors is above the threshold both over all y and over all x; words are linked if any of
their tokens are. Fine-tuning on the bitext, the other half of the paper, is left to training
methods.

Each sentence is encoded separately. A sentence longer than the reader's window gets no links beyond
it. Memory depends on the batch size only.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from babelspan.aligners import Options
from babelspan.readers import checksum_of, device, load_checkpoint
from babelspan.seams import Aligner
from babelspan.types import Alignment, ConfigError, SegmentedPair

if TYPE_CHECKING:
    from torch import Tensor

    from babelspan.networks.texts import TextEncoder

Ids = NDArray[np.int64]

THRESHOLD = 1e-3
"""Dou and Neubig (2021), Section 3."""
BATCH_TOKENS = 4_096
"""Maximum number of tokens on one side of a batch, padding included."""

_SHARE = 2 / 3
"""Relative depth of the default layer: the paper takes the 8th of 12."""


def aligner(argument: str, options: Options) -> Aligner:
    """Create the aligner `awesome:READER`.

    Raises:
        ConfigError: if no reader is named, it lacks the layer, or PyTorch is not installed.
        DataError: if there is no such checkpoint.
    """
    if not argument:
        raise ConfigError(
            "the aligner awesome needs a reader or an encoder: awesome:default, or awesome:READER, "
            "where READER is a folder or a hub name"
        )
    reader = load_checkpoint(argument, gives_new_head=True)
    reader.to(device()).eval()
    from babelspan.networks.texts import encoder_of

    encoder = encoder_of(reader, options.layer)
    layer = round(_SHARE * encoder.layers) if options.layer is None else options.layer
    threshold = THRESHOLD if options.threshold is None else options.threshold
    identity = f"awesome,{checksum_of(argument)},layer={layer},threshold={threshold!r}"
    return VectorAligner(encoder, layer=layer, threshold=threshold, identity=identity)


class VectorAligner:
    """An `Aligner` with an encoder.

    Args:
        encoder: an encoder in evaluation mode.
        layer: layer whose vectors are compared; 0 for the embeddings.
        threshold: threshold of both softmaxes, in [0, 1).
        identity: identifies the encoder and these settings.
    """

    def __init__(
        self, encoder: "TextEncoder", *, layer: int, threshold: float, identity: str
    ) -> None:
        self.identity = identity
        self._encoder = encoder
        self._layer = layer
        self._threshold = threshold

    def align(self, pairs: Sequence[SegmentedPair]) -> list[Alignment]:
        """The links of each pair; empty if a side has no words."""
        found: dict[int, Alignment] = {}
        for batch in self._batches(pairs):
            links = self._of_batch([pairs[i] for i in batch])
            found.update(zip(batch, links, strict=True))
        return [found[i] for i in range(len(pairs))]

    def _batches(self, pairs: Sequence[SegmentedPair]) -> Iterator[list[int]]:
        """Indices of pairs in batches of similar length, the longest first."""
        featurizer = self._encoder.featurizer
        around = featurizer.around_a_text
        longest = (
            max(len(featurizer.tokens(text).ids) for text in (p.pair.source, p.pair.target))
            for p in pairs
        )
        lengths = [min(featurizer.limits.max_length, around + length) for length in longest]
        batch: list[int] = []
        for i in sorted(range(len(pairs)), key=lambda i: -lengths[i]):
            if batch and lengths[batch[0]] * (len(batch) + 1) > BATCH_TOKENS:
                yield batch
                batch = []
            batch.append(i)
        if batch:
            yield batch

    def _of_batch(self, pairs: Sequence[SegmentedPair]) -> list[Alignment]:
        import torch

        from babelspan.networks.words import shown

        sides = [self._encoder.texts([p.pair.source for p in pairs])]
        sides.append(self._encoder.texts([p.pair.target for p in pairs]))
        where = torch.device(device())
        with torch.inference_mode():
            source, target = (self._encoder(side.to(where), self._layer).float() for side in sides)
            tokens = _mutual(
                source @ target.transpose(1, 2),
                sides[0].text_mask.to(where),
                sides[1].text_mask.to(where),
                self._threshold,
            )
        rows, sources, targets = tokens.cpu().numpy().T
        bounds = np.searchsorted(rows, np.arange(len(pairs) + 1))
        found = []
        for row, pair in enumerate(pairs):
            at = slice(bounds[row], bounds[row + 1])
            linked = _words_linked(
                sources[at] - sides[0].first,
                targets[at] - sides[1].first,
                shown(sides[0].parts[row], pair.source_words),
                shown(sides[1].parts[row], pair.target_words),
            )
            found.append(Alignment(frozenset(linked)))
        return found


def _mutual(similarity: "Tensor", source: "Tensor", target: "Tensor", threshold: float) -> "Tensor":
    """Linked tokens as rows (pair, source token, target token), (K, 3).

    Args:
        similarity: dot products of vectors, (B, L, M).
        source: true for tokens of the source text, (B, L).
        target: true for tokens of the target text, (B, M).
        threshold: threshold of both softmaxes.
    """
    import torch

    both = source[:, :, None] & target[:, None, :]
    least = torch.finfo(similarity.dtype).min
    masked = similarity.masked_fill(~both, least)
    over_targets, over_sources = masked.softmax(dim=2), masked.softmax(dim=1)
    return ((over_targets > threshold) & (over_sources > threshold) & both).nonzero()


def _words_linked(source: Ids, target: Ids, of_source: Ids, of_target: Ids) -> set[tuple[int, int]]:
    """Word links from token links.

    Args:
        source: source token of each of K links, (K,).
        target: target token of each link, (K,).
        of_source: pairs (token, word) of the source, sorted by token, (I, 2).
        of_target: pairs (token, word) of the target, (J, 2).
    """
    left, right = _words_by_token(of_source), _words_by_token(of_target)
    return {
        (i, j)
        for a, b in zip(source.tolist(), target.tolist(), strict=True)
        for i in left.get(a, ())
        for j in right.get(b, ())
    }


def _words_by_token(showings: Ids) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for token, word in showings.tolist():
        found.setdefault(token, []).append(word)
    return found
