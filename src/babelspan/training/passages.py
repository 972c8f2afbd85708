"""Plain text as a stream, and masking for masked language modelling.

Shape letters: B texts of a batch, L tokens, K masked tokens.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from babelspan.networks.texts import TextEncoder, Texts
from babelspan.training.balance import Balance, balanced
from babelspan.training.run import Run
from babelspan.training.spool import Chosen, Spool
from babelspan.training.stream import Stream
from babelspan.types import DataError, Passage

_HIDDEN, _REPLACED = 0.8, 0.9
"""Of the chosen tokens 80 % become the mask, 10 % any token, and 10 % are unchanged."""


def passages(
    encoder: TextEncoder, texts: Iterable[Passage], run: Run, balance: Balance = Balance()
) -> Stream[Passage, Texts]:
    """A stream of passages, split into parts that fit a window; empty ones are skipped.

    Args:
        encoder: its tokenizer encodes the passages.
        texts: the passages.
        run: provides the folder to store them in, and the seed.
        balance: share of each language in an epoch.

    Raises:
        ConfigError: if a window has no room for a text.
        DataError: if there are no passages.
    """
    kept: Spool[Passage] = Spool(folder=run.folder)
    lengths = array("q")
    room = encoder.featurizer.room_of_a_text
    for passage in texts:
        offsets = encoder.featurizer.tokens(passage.text).offsets
        for first in range(0, len(offsets), room):
            part = offsets[first : first + room]
            kept.append(replace(passage, text=passage.text[part[0, 0] : part[-1, 1]]))
            lengths.append(len(part) + encoder.featurizer.around_a_text)
    if not kept:
        raise DataError("expected texts to learn from, found none with tokens in it")
    chosen = balanced([passage.language for passage in kept], balance, seed=run.config.seed)
    return Stream(
        items=Chosen(kept, chosen),
        lengths=np.array(lengths, dtype=np.int64)[chosen],
        collate=lambda some: encoder.texts([passage.text for passage in some]),
        unit="text",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """Texts with some tokens masked.

    Attributes:
        texts: the texts with the masked tokens replaced.
        places: indices of the masked tokens among all B * L tokens, (K,).
        hidden: their original ids, (K,).
    """

    texts: Texts
    places: Tensor
    hidden: Tensor


class Masking:
    """Masks tokens at random, drawn from PyTorch's random state.

    Devlin et al. (2019), arXiv:1810.04805, Section 3.1 and Appendix A.1: of the chosen tokens 80 %
    become the mask, 10 % any token of the vocabulary and 10 % are unchanged.

    Args:
        encoder: its tokenizer provides the mask token.
        share: fraction of the tokens that are chosen, in (0, 1].

    Raises:
        DataError: if the encoder's tokenizer has no mask token, or several.
    """

    def __init__(self, encoder: TextEncoder, share: float) -> None:
        tokenizer = encoder.featurizer.tokenizer
        special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
        masks = [i for i in special if "mask" in str(tokenizer.id_to_token(i)).lower()]
        if len(masks) != 1:
            raise DataError(
                f"expected an encoder whose tokenizer has one mask token, found {len(masks)}"
            )
        self._mask = masks[0]
        self._share = share
        self._any = torch.tensor(
            [i for i in range(len(encoder.word_vectors)) if i not in special], dtype=torch.long
        )

    def __call__(self, texts: Texts) -> Masked:
        """Mask tokens of texts, on the device of the texts."""
        ids = texts.input_ids
        chance = torch.rand(ids.shape, device=ids.device)
        chosen = texts.text_mask & (chance < self._share)
        places = chosen.flatten().nonzero().squeeze(1)
        hidden = ids.flatten()[places]
        fate = torch.rand(places.shape, device=ids.device)
        drawn = torch.randint(len(self._any), places.shape, device=ids.device)
        shown = torch.where(fate < _REPLACED, self._any.to(ids.device)[drawn], hidden)
        shown = shown.masked_fill(fate < _HIDDEN, self._mask)
        replaced = ids.flatten().index_put((places,), shown).view_as(ids)
        return Masked(replace(texts, input_ids=replaced), places, hidden)
