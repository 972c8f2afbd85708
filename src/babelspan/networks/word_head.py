"""The masked language modelling head.

Shape letters: K positions, H width, E width of embeddings, V tokens of the vocabulary.
"""

import torch
from torch import Tensor, nn


class WordHead(nn.Module):
    """Predicts tokens: a linear layer with GELU and layer norm, then the tied output embeddings.

    Devlin et al. (2019), arXiv:1810.04805, Section 3.1, and its code for the layer; the output
    embeddings are the encoder's token embeddings (Press and Wolf 2017, arXiv:1608.05859). New
    weights are drawn from a separate random state.

    Args:
        width: width of the vectors, H.
        vectors: E and V, the transposed shape of the embeddings.
        seed: seed of the weights.
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
        """Logits (K, V), in fp32, from vectors (K, H) and token embeddings (V, E)."""
        logits: Tensor = self.layer(hidden) @ word_vectors.T + self.bias
        return logits.float()
