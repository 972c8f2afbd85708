"""Adversarial games between networks, used by several methods.

Shape letters: B windows, H width, C languages.
"""

from collections.abc import Iterable

from torch import Tensor

from babelspan.losses.adversarial import confusion_loss
from babelspan.networks.discriminators import LanguageDiscriminator
from babelspan.networks.reader import Batch
from babelspan.reading.windows import Window
from babelspan.training.languages import language_weights, naming
from babelspan.training.run import Run
from babelspan.training.update import Optim, Updater
from babelspan.types import DataError


class LanguageGame:
    """A discriminator predicts the language of questions; another network learns to hide it.

    Bornea et al. (2021), arXiv:2012.05958, Section 3.2, Equations 3 and 4.

    Args:
        width: width of the vectors, H.
        windows: the training data; it determines the languages and their frequencies.
        optim: optimiser of the discriminator.
        run: the run, to which the discriminator is added.

    Raises:
        DataError: if all questions are in one language.
    """

    def __init__(self, width: int, windows: Iterable[Window], optim: Optim, run: Run) -> None:
        self._weights = language_weights(windows)
        if len(self._weights) < 2:
            raise DataError(
                "expected questions in two languages or more, found "
                f"{', '.join(self._weights) or 'none'} only; "
                "add their translations (babelspan translate --strategy q)"
            )
        self.discriminator = LanguageDiscriminator(width, len(self._weights), seed=run.config.seed)
        self._update = Updater(self.discriminator, optim, run, name="discriminator")

    def confusion(self, vectors: Tensor) -> Tensor:
        """Loss of the hiding network on vectors (B, H): divergence of the guesses from uniform."""
        return confusion_loss(self.discriminator(vectors))

    def play(self, vectors: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Update the discriminator on vectors (B, H) of a batch; returns values to log by name."""
        named = naming(self.discriminator(vectors.detach()), batch, self._weights)
        self._update(named["discriminator"])
        return named
