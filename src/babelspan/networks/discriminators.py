"""Networks that classify where a representation comes from.

Shape letters: B items, H width, C classes.
"""

import torch
from torch import Tensor, nn

_WIDER = 4


class LanguageDiscriminator(nn.Module):
    """Names the language of a question vector.

    Two hidden layers of 4 H: Bornea et al. (2021), arXiv:2012.05958, Section 4.2. Its weights have
    their own random state, so other random numbers do not depend on it.

    Args:
        width: width of the vectors, H.
        languages: number of languages, C.
        seed: seed of the weights.
    """

    def __init__(self, width: int, languages: int, *, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.layers = nn.Sequential(
                nn.Linear(width, _WIDER * width),
                nn.ReLU(),
                nn.Linear(_WIDER * width, _WIDER * width),
                nn.ReLU(),
                nn.Linear(_WIDER * width, languages),
            )

    def forward(self, vectors: Tensor) -> Tensor:
        """Logits of the languages, (B, C), of vectors (B, H); in fp32 whatever their precision."""
        logits: Tensor = self.layers(vectors.float())
        return logits.float()
