"""Language arbitration combined with language-adversarial training.

Paper      Bornea et al. (2021), arXiv:2012.05958, Algorithms 1 and 2; the paper does not combine
           them.
Needs      examples and their T(Q), as for `language_arbitration`.
Departs    1. The combination is ours: the divergence of Algorithm 1, computed on the first token's
              vector, is added to the loss of the first update of Algorithm 2; the second update
              minimises PSA.
           2. Otherwise as `language_arbitration` and `language_adversarial`; without QS.

Algorithm, for each batch x of pairs (question, translation) over one context
    1  read           span logits, first token's vectors h of both  <-  reader(x)
    2  reader         minimise span loss of both + adversary * KL(uniform || D(h)), D fixed
    3  reader         minimise PSA: the translation's logits against the question's own best span
    4  discriminator  minimise cross-entropy of the question's language given h, reader fixed
"""

from dataclasses import dataclass

from pydantic import NonNegativeFloat

from babelspan.losses.span import span_loss
from babelspan.networks.reader import Reader
from babelspan.training.fit import Losses, fit
from babelspan.training.games import LanguageGame
from babelspan.training.pairs import Pairs, paired
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater

NEEDS = {"labelled"}
READS_IN_PAIRS = True
"""Half of the windows hold original questions, half one translation each (for equal exposure)."""

_HALF = 0.5
"""The span loss is half of the paper's sum over both questions; PSA is halved to match."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=3e-5)
    """Optimiser of the reader (Bornea et al. 2021, Section 4.2: learning rate 3e-5)."""
    discriminator: Optim = Optim(lr=3e-5)
    """Optimiser of the discriminator."""
    agreement: NonNegativeFloat = 1.0
    """Weight of PSA; 0 turns it off."""
    adversary: NonNegativeFloat = 1.0
    """Weight of the divergence; at 0 the discriminator learns without affecting the reader."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader; see the algorithm above.

    Raises:
        ConfigError: if the run asks questions about the wrong text (`negatives`).
        DataError: if the original of a translation is missing, or there are no pairs.
    """
    stream = paired(reader, corpora.labelled, run)
    update_reader = Updater(reader, config.reader, run)
    learnt = (window for row in stream.items for window in row)
    game = LanguageGame(reader.width, learnt, config.discriminator, run)

    def step(pairs: Pairs) -> Losses:
        reading = reader(pairs.windows)

        span = span_loss(reading.start_logits, reading.last_logits, pairs.windows.answers)
        confusion = game.confusion(reading.summary)
        first = span + config.adversary * confusion

        agreement = span_loss(
            pairs.translated(reading.start_logits),
            pairs.translated(reading.last_logits),
            pairs.best_spans(reading),
        )
        second = [_HALF * config.agreement * agreement] if config.agreement else []
        update_reader(first, *second)

        named = game.play(reading.summary, pairs.windows)

        return {"span": span, "agreement": agreement, "confusion": confusion, **named}

    fit(step, stream, run)
    return reader
