"""A first stage of training: fine-tuning on other examples before the method starts."""

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field, PositiveInt

from babelspan.training.run import RunConfig
from babelspan.training.update import Optim


@dataclass(frozen=True, kw_only=True)
class First:
    """Table [first] of a recipe; all other settings are those of [method] and [run]."""

    reader: Optim = Optim()
    """Optimiser of the reader in the first stage."""
    epochs: PositiveInt = 2
    """Passes over the examples of the first stage."""
    updates: PositiveInt | None = None
    """Number of updates of the first stage; replaces `epochs`."""
    batch_size: PositiveInt = 32
    """Windows per update, over all processes."""
    negatives: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of questions that are also asked about a text other than their own."""

    def run_config(self, config: RunConfig) -> RunConfig:
        """The settings of the first stage, from those of the run."""
        return replace(
            config,
            epochs=self.epochs,
            updates=self.updates,
            batch_size=self.batch_size,
            negatives=self.negatives,
        )
