"""The content of a report: examples, answers and figures of every language pair."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from babelspan.scoring.calibration import Bin, bins, expected_calibration_error
from babelspan.scoring.matrix import Matrix, Pair
from babelspan.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A reader's answers to the questions of each language pair, and their figures.

    Attributes:
        reader: its display name.
        scorer: name of the scorer.
        signature: everything that the figures depend on.
        cells: examples by pair, in the order of the figures.
        predictions: answers by pair and question id; a question without an answer is wrong.
        matrix: figures of the same pairs.
        probabilities: probabilities of answers by pair and question id, if calibrated.

    Raises:
        ValueError: if cells, predictions and figures differ in their pairs or questions.
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
        """Return, for each pair with probabilities, how often answers are right, in bins.

        An answer is right if it is an exact match for the scorer.
        """
        found = {}
        for pair, said in self.probabilities.items():
            exact = zip(self.cells[pair], self.matrix.cells[pair].exact_matches, strict=True)
            judged = [(said[e.id], match == 1) for e, match in exact if e.id in said]
            if judged:
                found[pair] = bins(*zip(*judged, strict=True))
        return found

    def to_json(self) -> dict[str, Any]:
        """Return scorer, figures, signature, and reliability of probabilities, as plain values."""
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
