"""Evaluation of a reader from files to figures: the q/c matrix, kept cell by cell.

With a folder to keep them in, predictions are written after each pair of languages, and a run
that was stopped goes on with the next one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from babelspan.data.files import checksum, read_json, write_json
from babelspan.data.folder import DataFile, chosen, cross
from babelspan.data.predictions import RECORD, load_predictions, save_predictions
from babelspan.data.squad import refuse_repeated_ids
from babelspan.reading.answerer import Answerer
from babelspan.scoring.figures import Scorer, figures, signature
from babelspan.scoring.matrix import Matrix, Pair
from babelspan.types import ConfigError, DataError, Example
from babelspan.version import VERSION

if TYPE_CHECKING:
    from babelspan.reading.pivot import Pivot

Watch = Callable[[Iterable[Any], str, int], Iterable[Any]]
"""Shows progress over items, such as predictions: what they are, how many there will be."""


class Measured(NamedTuple):
    """What was answered to each question, by pair of languages and id, and the figures."""

    matrix: Matrix
    predictions: dict[Pair, dict[str, str]]


def load_cells(
    files: Sequence[DataFile],
    *,
    crossed: bool = False,
    sample: int | None = None,
    keep_misplaced: bool = False,
) -> dict[Pair, list[Example]]:
    """The examples of each pair of languages.

    Args:
        files: one for each pair or, crossed, one for each language.
        crossed: whether to pair questions of every language with contexts of every language.
        sample: keep that many questions of each pair, the same ids in all; None for all.
        keep_misplaced: as in `load_squad`.

    Raises:
        DataError: if two files hold the same pair, an id comes twice in a file, or sets that are
            not parallel are crossed.
    """
    whole: dict[Pair, Path] = {}
    read: dict[Pair, list[Example]] = {}
    for file in files:
        pair = file.question_language, file.context_language
        if whole.setdefault(pair, file.whole) != file.whole:
            raise DataError(
                f"{file.path}: a second file with questions in {pair[0]!r} and contexts in "
                f"{pair[1]!r}; evaluate one data set and one split at a time"
            )
        read.setdefault(pair, []).extend(file.load(keep_misplaced=keep_misplaced))
        refuse_repeated_ids(read[pair], file.path)
    cells = {pair: sampled(examples, sample) for pair, examples in read.items()}
    if not crossed:
        return cells
    for question, context in cells:
        if question != context:
            raise DataError(
                f"only files of one language can be crossed, found {question!r} over {context!r}"
            )
    return cross({context: examples for (_, context), examples in cells.items()})


def sampled(examples: Sequence[Example], count: int | None) -> list[Example]:
    """`count` of the examples, in their order; all of them for None.

    They are chosen as `data.folder.chosen` does.
    """
    if count is None:
        return list(examples)
    kept = chosen([e.id for e in examples], count)
    return [e for e in examples if e.id in kept]


def measure(
    answerer: "Answerer | Pivot",
    cells: Mapping[Pair, Sequence[Example]],
    scorer: Scorer,
    *,
    keep: Path | None = None,
    depends_on: Mapping[str, Any] | None = None,
    watch: Watch = lambda predictions, _, __: predictions,
) -> Measured:
    """Answer the questions of every pair of languages and score the answers.

    Args:
        answerer: the reader to measure.
        cells: examples by pair.
        scorer: a module of `babelspan.scoring`.
        keep: folder for the predictions, one file for each pair; those that are there are not
            made again. None to keep nothing.
        depends_on: what the kept predictions depend on (reader, data).
        watch: shows progress.

    Raises:
        ConfigError: if `keep` holds predictions that depend on something else.
    """
    if keep is not None:
        _claim(keep, {**(depends_on or {}), "babelspan": VERSION})
    for examples in cells.values():
        empty = dict.fromkeys((e.id for e in examples), "")
        figures(examples, empty, scorer)  # what cannot be scored is told before anything is read
    found, predictions = {}, {}
    for (question, context), examples in cells.items():
        path = None if keep is None else keep / f"{question}-{context}.json"
        if path is not None and path.exists():
            texts = load_predictions(path)
        else:
            predicted = answerer.predict(examples, allows_no_answer=_some_have_none(examples))
            shown = watch(predicted, f"{question}-{context}", len(examples))
            texts = {p.id: p.text for p in shown}
            if path is not None:
                save_predictions(path, texts)
        predictions[question, context] = texts
        found[question, context] = figures(examples, texts, scorer)
    return Measured(Matrix(found), predictions)


def identity_of(
    reader: str, files: Sequence[DataFile], *, sample: int | None = None
) -> dict[str, Any]:
    """What predictions that are kept depend on: the reader's checksum, the data."""
    return {
        "reader": reader,
        "data": sorted(f"{f.path.name}:{checksum(f.path)}" for f in files),
        "sample": sample,
    }


def signature_of(
    matrix: Matrix, files: Sequence[DataFile], scorer: Scorer, *, sample: int | None = None
) -> str:
    """The signature of a matrix measured on files."""
    line = signature(
        scorer,
        questions=sum(f.questions for f in matrix.cells.values()),
        data=[f"{f.question_language}-{f.context_language}:{checksum(f.path)}" for f in files],
        version=VERSION,
    )
    return line if sample is None else f"{line}|sample:{sample}"


def _some_have_none(examples: Sequence[Example]) -> bool:
    """Whether some question has no answer, so that a reader must be let to say so."""
    return any(e.answers == () for e in examples)


def _claim(keep: Path, depends_on: dict[str, Any]) -> None:
    """Make the folder ours, or see that it is."""
    path = keep / RECORD
    if not path.exists():
        if keep.exists() and any(keep.iterdir()):
            raise ConfigError(f"{keep}: expected an empty or a new folder, found other files")
        write_json(path, depends_on)
    elif read_json(path) != depends_on:
        raise ConfigError(
            f"{keep}: holds predictions of another reader, other data or other settings; "
            "choose another folder"
        )
