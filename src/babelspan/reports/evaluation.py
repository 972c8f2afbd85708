"""The content of a report: examples, answers and figures of every pair of languages."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from babelspan.scoring.calibration import Bin, bins, expected_calibration_error
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
        probabilities: of answers, by pair and question id, where the reader is calibrated.

    Raises:
        ValueError: if cells, predictions and figures do not have the same pairs and questions.
    """

    reader: str
    scorer: str
    signature: str
    cells: Mapping[Pair, Sequence[Example]]
    predictions: Mapping[Pair, Mapping[str, str]]
    matrix: Matrix
    probabilities: Mapping[Pair, Mapping[str, float]] = field(default_factory=dict)

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

    def reliability(self) -> dict[Pair, list[Bin]]:
        """For each pair whose answers have probabilities, how often they are right, in bins.

        An answer is right if it is an exact match by the scorer.
        """
        found = {}
        for pair, said in self.probabilities.items():
            exact = zip(self.cells[pair], self.matrix.cells[pair].exact_matches, strict=True)
            judged = [(said[e.id], match == 1) for e, match in exact if e.id in said]
            if judged:
                found[pair] = bins(*zip(*judged, strict=True))
        return found

    def to_json(self) -> dict[str, Any]:
        """Scorer, figures, signature, and how reliable probabilities are, as plain values."""
        reliability = {
            "-".join(pair): {
                "expected_calibration_error": expected_calibration_error(of_pair),
                "bins": [asdict(one) for one in of_pair if one.answers],
            }
            for pair, of_pair in self.reliability().items()
        }
        return {
            "scorer": self.scorer,
            **self.matrix.to_json(),
            "signature": self.signature,
            **({"reliability": reliability} if reliability else {}),
        }
