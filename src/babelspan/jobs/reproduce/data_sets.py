"""Statistics of the rows' training data, as in Table 1 of bornea2021 (arXiv:2012.05958)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babelspan.augment.statistics import TYPES, Counts, question_type
from babelspan.data.folder import describe
from babelspan.jobs.reproduce.papers import DataSet, Row, languages_of
from babelspan.jobs.reproduce.reproduction import Reproduction

_NAMES = {(): "original", ("q",): "T(Q)", ("c",): "T(C)", ("qc",): "T(Q+C)"}
_NAME_OF_ALL = "T(ALL)"


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """The source examples and their translations for some rows.

    Attributes:
        name: as in the paper, with the languages if there is only one other language.
        figures: figures over all languages, including the source.
        published: figures of the paper; None if it has none.
    """

    name: str
    figures: DataSet
    published: DataSet | None


def training_sets(job: Reproduction) -> list[TrainingSet]:
    """Return the training sets of the rows, without repeats, in the order of the rows.

    Raises:
        DataError: if a translation is missing.
    """
    types = {e.id: question_type(e.question) for e in describe(job.train).examples()}

    @cache
    def counts_of(path: Path) -> Counts:
        return _counts(path, types)

    sets: dict[str, TrainingSet] = {}
    for row in (row for row in job.rows.values() if not row.pivot):
        name = _name(row, job)
        if name not in sets:
            counts = Counts()
            for path in job.learns_from(row):
                counts.merge(counts_of(path))
            published = job.paper.data_sets.get(name)
            sets[name] = TrainingSet(name=name, figures=_figures(counts), published=published)
    return list(sets.values())


def _name(row: Row, job: Reproduction) -> str:
    everything = not row.train and set(row.strategies) == {"q", "c", "qc"}
    parts = [_NAMES[strategy,] for strategy in row.strategies]
    parts = [*row.train, *parts] or [_NAMES[()]]
    name = _NAME_OF_ALL if everything else " and ".join(parts)
    if not row.strategies or row.languages == "all":
        return name
    return f"{name} ({'-'.join((job.scale.source, *languages_of(row, job.scale)))})"


def _counts(path: Path, types: Mapping[str, str]) -> Counts:
    """Return the counts of a file; a translated question has the type of its original."""
    counts = Counts()
    counts.add((e, types.get(e.origin or e.id, "other")) for e in describe(path).examples())
    return counts


def _figures(counts: Counts) -> DataSet:
    return DataSet(
        pairs=counts.pairs,
        question_words=counts.question_words / max(1, counts.pairs),
        answer_words=counts.answer_words / max(1, counts.answers),
        types={name: counts.types[name] for name in TYPES},
    )
