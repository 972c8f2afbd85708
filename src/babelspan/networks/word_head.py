"""A head that names the token at a place.

Shape letters: K places, H width, E width of word vectors, V tokens of the vocabulary.
"""

import torch
from torch import Tensor, nn


class WordHead(nn.Module):
    """Logits of all tokens: a layer with GELU and norm, then products with the word vectors.

    Devlin et al. (2019), arXiv:1810.04805, Section 3.1, and its code for the layer; the word
    vectors are the encoder's own (Press and Wolf 2017, arXiv:1608.05859). New weights come from a
    random state of their own.

    Args:
        width: of the vectors, H.
        vectors: E and V, the shape of the word vectors turned round.
        seed: of the weights.
    """

    def __init__(self, width: int, vectors: tuple[int, int], *, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.layer = nn.Sequential(
                nn.Linear(width, vectors[0]), nn.GELU(), nn.LayerNorm(vectors[0])
            )
        self.bias = nn.Parameter(torch.zeros(vectors[1]))

    def forward(self, hidden: Tensor, word_vectors: Tensor) -> Tensor:
        """Logits (K, V) of places with vectors (K, H), in fp32, by word vectors (V, E)."""
        logits: Tensor = self.layer(hidden) @ word_vectors.T + self.bias
        return logits.float()
