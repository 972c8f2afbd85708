"""Comparison of two systems: loads their predictions, and saves the table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from babelspan.data.files import read_json, write_csv
from babelspan.data.predictions import RECORD, load_predictions
from babelspan.scoring.comparison import Answers, Cells, Comparison
from babelspan.types import ConfigError, DataError, Example


@dataclass(frozen=True, slots=True)
class System:
    """The predictions of one system, one set per seed."""

    path: Path
    seeds: tuple[Answers, ...]
    scorers: frozenset[str] = frozenset()
    """Names of the scorers it was evaluated with; empty if unknown."""


def load_system(path: Path, cells: Cells, data: Mapping[Path, str]) -> System:
    """Load the predictions of a system, with an answer to every question.

    Args:
        path: a file of predictions, a folder made by `evaluate --out`, or a folder of such
            folders, one per seed.
        cells: examples by language pair.
        data: the files of these examples, with their checksums.

    Raises:
        DataError: if it is none of these, is on other data, or lacks an answer; or if two seeds
            are from the same reader.
    """
    if not path.is_dir():
        if len(cells) > 1:
            found = "a file, which has the answers of one pair only" if path.exists() else "nothing"
            raise DataError(
                f"{path}: expected a folder made by evaluate --out, for {len(cells)} pairs of "
                f"languages, found {found}"
            )
        ((pair, examples),) = cells.items()
        return System(path, ({pair: _answers(path, examples)},))
    folders = _folders(path)
    readers: dict[str, Path] = {}
    for folder in folders:
        reader = _reader(folder, data)
        if reader in readers:
            raise DataError(
                f"{folder}: expected a reader trained with another seed than "
                f"{readers[reader].name}, found the same reader; leave out one of the two folders"
            )
        readers[reader] = folder
    seeds = (
        {(q, c): _answers(folder / f"{q}-{c}.json", of) for (q, c), of in cells.items()}
        for folder in folders
    )
    scored = (p.name.split(".")[1] for folder in folders for p in folder.glob("matrix.*.json"))
    return System(path, tuple(seeds), frozenset(scored))


def refuse_different_scorers(a: System, b: System) -> None:
    """Check that two systems were evaluated with the same scorer, as far as known.

    Raises:
        ConfigError: if they were not; the scorer decides whether empty answers are allowed.
    """
    if a.scorers and b.scorers and not a.scorers & b.scorers:
        of_a, of_b = (", ".join(sorted(system.scorers)) for system in (a, b))
        raise ConfigError(
            f"{a.path} was evaluated with the scorer {of_a} and {b.path} with {of_b}; evaluate "
            "both with the same scorer"
        )


def save_csv(path: Path, comparison: Comparison) -> None:
    """Write one line per metric for each cell and each mean, as fractions."""
    rows = [
        {"metric": metric, "question": question, "context": context, **asdict(found), **cell.counts}
        for (question, context), cell in comparison.cells.items()
        for metric, found in cell.differences.items()
    ]
    rows += [
        {"metric": metric, "question": name, "context": name, **asdict(found)}
        for name, of_mean in comparison.means.items()
        for metric, found in of_mean.items()
    ]
    write_csv(path, rows)


def _folders(path: Path) -> list[Path]:
    """Return the folders of predictions: the path itself, or those in it."""
    if (path / RECORD).exists():
        return [path]
    inside = sorted(p for p in path.iterdir() if p.is_dir())
    without = next((p for p in inside if not (p / RECORD).exists()), path)
    if not inside or without != path:
        raise DataError(
            f"{without}: expected {RECORD}, as in a folder made by evaluate --out, found none; "
            "give such a folder, or a folder that holds one per seed and no others"
        )
    return inside


def _reader(folder: Path, data: Mapping[Path, str]) -> str:
    """Return the reader whose predictions are in a folder; check that they are on this data."""
    path = folder / RECORD
    record = read_json(path)
    if not isinstance(record, dict) or not {"reader", "data"} <= record.keys():
        raise DataError(f"{path}: expected the record of evaluate --out, found something else")
    over = [str(name) for name in record["data"]]
    for file, digest in data.items():
        if not any(name.endswith(f":{digest}") for name in over):
            raise DataError(
                f"{folder}: expected predictions for {file}, found those for other data: "
                f"{', '.join(name.partition(':')[0] for name in over)}; evaluate the reader on it"
            )
    return str(record["reader"])


def _answers(path: Path, examples: Sequence[Example]) -> dict[str, str]:
    """Load the predictions of a file; check that there is one for every example."""
    found = load_predictions(path)
    missing = [e.id for e in examples if e.id not in found]
    if missing:
        ids = f" with ids such as {next(iter(found))!r}" if found else ""
        raise DataError(
            f"{path}: expected an answer to each of {len(examples)} questions, found none for "
            f"{len(missing)} of them, such as {missing[0]!r}; the file has {len(found)} answers"
            f"{ids}; predict the same questions, and write an empty answer where a system has none"
        )
    return found
