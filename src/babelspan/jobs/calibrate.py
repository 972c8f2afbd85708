"""Calibration of a reader's scores: fit it on questions with known answers, or measure it.

An answer is right if it equals a gold answer after the normalisation of the scorer `unicode`,
which suits all languages; an answer to a question that has none is wrong.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from babelspan.data.calibrations import CALIBRATION, Curve, save_curve
from babelspan.data.files import checksum
from babelspan.data.folder import DataFile
from babelspan.data.places import refuse_unwritable
from babelspan.readers import calibration_of, checksum_of, folder_of, load_calibrated
from babelspan.reading.answerer import Answerer
from babelspan.scoring.calibration import (
    SHARES,
    Bin,
    Calibration,
    bins,
    expected_calibration_error,
    fit,
)
from babelspan.scoring.matrix import Pair
from babelspan.scoring.scorers import unicode
from babelspan.types import ConfigError, DataError, Example, Prediction
from babelspan.version import VERSION

Tracked = Callable[[Iterable[Prediction], str, int], Iterable[Prediction]]
"""Shows progress over items; takes the items, a label and their number."""


class Answered(NamedTuple):
    """An answer: its share among all spans and "no answer", and whether it is right."""

    id: str
    share: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class Reliability:
    """Shares and probabilities of answers in bins, with how many were right."""

    shares: list[Bin]
    probabilities: list[Bin]

    @property
    def questions(self) -> int:
        """Number of questions that were answered."""
        return sum(b.answers for b in self.shares)

    @property
    def right(self) -> float:
        """Fraction of answers that were right."""
        return sum(b.answers * b.right for b in self.shares if b.answers) / self.questions

    @property
    def by_kind(self) -> dict[str, list[Bin]]:
        """The bins by their quantity: "score" or "probability"."""
        return {"score": self.shares, "probability": self.probabilities}

    def to_json(self) -> dict[str, Any]:
        """Return counts, errors and bins as plain values."""
        return {
            "questions": self.questions,
            "right": self.right,
            "error_of_shares": expected_calibration_error(self.shares),
            "error_of_probabilities": expected_calibration_error(self.probabilities),
            "shares": [asdict(b) for b in self.shares if b.answers],
            "probabilities": [asdict(b) for b in self.probabilities if b.answers],
        }


@dataclass(frozen=True, slots=True)
class Trust:
    """A calibration, and its reliability, overall and for each language pair."""

    calibration: Calibration
    whole: Reliability
    cells: dict[Pair, Reliability]

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            **asdict(self.calibration),
            **self.whole.to_json(),
            "cells": {"-".join(pair): found.to_json() for pair, found in self.cells.items()},
        }


def calibrate(
    reader: str,
    files: Sequence[DataFile],
    cells: Mapping[Pair, Sequence[Example]],
    *,
    tracked: Tracked = lambda items, _, __: items,
) -> Trust:
    """Fit a reader's calibration, with equal weight for each language pair, and save it.

    The reported error is cross-fitted: the questions are split into halves by a hash of their ids,
    and each half is judged by a fit to the other half. The saved curve is fitted to all questions.

    Args:
        reader: "default" or a folder.
        files: the files of the questions.
        cells: questions with known answers, by language pair; not test data.
        tracked: shows progress.

    Raises:
        ConfigError: if the reader is not in a folder, or the folder cannot be written to.
        DataError: if a question has no known answers, or as `scoring.calibration.fit`.
    """
    folder = folder_of(reader)
    if not folder.is_dir():
        raise ConfigError(
            f"reader {reader!r}: expected a folder, because the calibration is saved in it; "
            "download the reader first (`hf download NAME --local-dir FOLDER`)"
        )
    refuse_unwritable(folder / CALIBRATION)
    found = _answered(load_calibrated(reader, SHARES), cells, tracked)
    whole = _fitted(found)
    halves = [_fitted(_half(found, other=True)), _fitted(_half(found, other=False))]
    trust = _trust(whole, found, lambda one: halves[_is_second(one.id)])
    save_curve(
        folder / CALIBRATION,
        Curve(whole.slope, whole.offset, checksum_of(reader)),
        questions=trust.whole.questions,
        error_of_shares=expected_calibration_error(trust.whole.shares),
        error_of_probabilities=expected_calibration_error(trust.whole.probabilities),
        data=sorted(f"{f.path.name}:{checksum(f.path)}" for f in files),
        babelspan=VERSION,
    )
    return trust


def check(
    reader: str,
    cells: Mapping[Pair, Sequence[Example]],
    *,
    tracked: Tracked = lambda items, _, __: items,
) -> Trust:
    """Measure the existing calibration of a reader; arguments as in `calibrate`.

    Raises:
        ConfigError: if the reader is not calibrated.
        DataError: if a question has no known answers.
    """
    calibration = calibration_of(reader)
    if calibration is None:
        raise ConfigError(
            f"reader {reader!r} is not calibrated; run `babelspan calibrate` with development data"
        )
    found = _answered(load_calibrated(reader, SHARES), cells, tracked)
    return _trust(calibration, found, lambda _: calibration)


def _answered(
    answerer: Answerer, cells: Mapping[Pair, Sequence[Example]], tracked: Tracked
) -> dict[Pair, list[Answered]]:
    """Return the best answer to each question; questions on texts without tokens are skipped."""
    everything = [example for examples in cells.values() for example in examples]
    unknown = next((e.id for e in everything if e.answers is None), None)
    if unknown is not None:
        raise DataError(f"question {unknown!r}: expected known answers, found none")
    answers = iter(tracked(answerer.predict(everything), "questions", len(everything)))
    return {
        pair: [
            Answered(example.id, answer.probability, _is_right(example, answer))
            for example, answer in zip(examples, answers, strict=False)
            if answer.probability is not None
        ]
        for pair, examples in cells.items()
    }


def _is_right(example: Example, answer: Prediction) -> bool:
    language = example.context_language
    golds = example.answers or ()
    return any(unicode.exact_match(answer.text, gold.text, language) for gold in golds)


def _fitted(found: Mapping[Pair, Sequence[Answered]]) -> Calibration:
    answers = [one for of_pair in found.values() for one in of_pair]
    weights = [1 / len(of_pair) for of_pair in found.values() for _ in of_pair]
    return fit([a.share for a in answers], [a.is_right for a in answers], weights)


def _trust(
    calibration: Calibration,
    found: Mapping[Pair, Sequence[Answered]],
    judge: Callable[[Answered], Calibration],
) -> Trust:
    def reliability(answers: Sequence[Answered]) -> Reliability:
        is_right = [a.is_right for a in answers]
        said = [judge(a).probability(a.share) for a in answers]
        return Reliability(bins([a.share for a in answers], is_right), bins(said, is_right))

    whole = reliability([one for of_pair in found.values() for one in of_pair])
    cells = {pair: reliability(of_pair) for pair, of_pair in found.items() if of_pair}
    return Trust(calibration, whole, cells)


def _half(found: Mapping[Pair, list[Answered]], *, other: bool) -> dict[Pair, list[Answered]]:
    return {
        pair: [a for a in of_pair if _is_second(a.id) == other] for pair, of_pair in found.items()
    }


def _is_second(identity: str) -> bool:
    """Return whether a question is in the second half; parallel questions are in the same half."""
    return bool(zlib.crc32(identity.encode(errors="replace")) & 1)
