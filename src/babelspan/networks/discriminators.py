"""Networks that classify the origin of a representation, for adversarial training.

Shape letters: B items, L tokens, H width, C classes, F filters.
"""

import torch
from torch import Tensor, nn

_WIDER = 4
_RESIDUAL = 0.3
"""Scale of residual branches: Gulrajani et al. (2017), code of their language model."""


class LanguageDiscriminator(nn.Module):
    """Predicts the language of a question from its vector.

    Two hidden layers of width 4 H: Bornea et al. (2021), arXiv:2012.05958, Section 4.2. Weights are
    drawn from a separate random state, so they do not affect other random numbers.

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
        """Logits of the languages, (B, C), from vectors (B, H); always in fp32."""
        logits: Tensor = self.layers(vectors.float())
        return logits.float()


class SequenceDiscriminator(nn.Module):
    """Predicts the side of a text from its token vectors, independently of its length.

    Lee and Lee (2019), arXiv:1907.06042, Section 5.4: residual blocks of convolutions over tokens,
    96 filters of size 5, then one linear layer. Theirs reads texts of a fixed length. Here the mean
    over tokens is scored, and convolutions use circular padding: with zero padding, a convolution
    detects the ends of a text and hence its length (such a network always told 20 from 40 tokens of
    noise). Weights are drawn from a separate random state.

    Args:
        width: width of the vectors, H.
        filters: number of filters, F.
        reach: kernel size of a convolution in tokens; odd.
        blocks: number of residual blocks of two convolutions each.
        seed: seed of the weights.
    """

    def __init__(
        self, width: int, *, filters: int = 96, reach: int = 5, blocks: int = 5, seed: int
    ) -> None:
        super().__init__()
        self.around = reach // 2
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.enter = nn.Linear(width, filters)
            self.layers = nn.ModuleList(
                nn.Conv1d(filters, filters, reach) for _ in range(2 * blocks)
            )
            self.leave = nn.Linear(filters, 1)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Logits of "source", (B,), in fp32.

        Args:
            vectors: (B, L, H).
            mask: (B, L), true for the tokens of the text, which are contiguous.
        """
        size = mask.sum(dim=1)
        first = mask.int().argmax(dim=1)
        longest = max(1, int(size.max()))  # a question is much shorter than its window
        places = torch.arange(-self.around, longest + self.around, device=mask.device)
        ring = places % size.clamp(min=1)[:, None]  # (B, longest + 2 around)
        is_text = torch.arange(longest, device=mask.device) < size[:, None]
        moved = (first[:, None] + ring[:, self.around : -self.around]).clamp(max=mask.shape[1] - 1)
        own = vectors.float().gather(1, moved[..., None].expand(-1, -1, vectors.shape[-1]))
        x = self.enter(own).transpose(1, 2)  # (B, F, L), the text moved to the start
        ring = ring[:, None].expand(-1, x.shape[1], -1)
        for one, other in zip(self.layers[::2], self.layers[1::2], strict=True):
            inner = one(x.relu().gather(2, ring))
            x = x + _RESIDUAL * other(inner.relu().gather(2, ring))
        mean = (x * is_text[:, None]).sum(-1) / size.clamp(min=1)[:, None]
        scores: Tensor = self.leave(mean).squeeze(-1)
        return scores.float()
