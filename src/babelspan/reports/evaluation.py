"""The content of a report: examples, answers and figures of every pair of languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babelspan.scoring.matrix import Matrix, Pair
from babelspan.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A reader's answers to the questions of each pair of languages, and their figures.

    Attributes:
        reader: its name, to be shown.
        scorer: the scorer's name.
        signature: what the figures depend on.
        cells: examples by pair, in the order of the figures.
        predictions: answer by question id, by pair; a question without one is wrong.
        matrix: figures of the same pairs.

    Raises:
        ValueError: if cells, predictions and figures do not have the same pairs and questions.
    """

    reader: str
    scorer: str
    signature: str
    cells: Mapping[Pair, Sequence[Example]]
    predictions: Mapping[Pair, Mapping[str, str]]
    matrix: Matrix

    def __post_init__(self) -> None:
        if not self.cells.keys() == self.predictions.keys() == self.matrix.cells.keys():
            raise ValueError(
                f"expected the same pairs of languages everywhere, got {sorted(self.cells)}, "
                f"predictions of {sorted(self.predictions)}, figures of {sorted(self.matrix.cells)}"
            )
        for pair, examples in self.cells.items():
            if len(examples) != self.matrix.cells[pair].questions:
                raise ValueError(
                    f"{pair}: expected a figure for each of {len(examples)} questions, "
                    f"got {self.matrix.cells[pair].questions}"
                )

    def to_json(self) -> dict[str, Any]:
        """Scorer, figures and signature as plain values."""
        return {"scorer": self.scorer, **self.matrix.to_json(), "signature": self.signature}
