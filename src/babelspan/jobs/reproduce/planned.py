"""What a reproduction would do, without doing it; neither data nor translations are needed."""

from pathlib import Path
from typing import NamedTuple

from babelspan.data.files import read_record
from babelspan.jobs.reproduce import synthetic
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.jobs.reproduce.units import Unit, in_order
from babelspan.jobs.train import RECORD


class Planned(NamedTuple):
    """A unit of work.

    Attributes:
        key: key of its row, or of the first stage or the questions that rows need.
        seed: its seed.
        does: the method and its settings, or whose reader is measured.
        is_done: whether its training is finished.
    """

    key: str
    seed: int
    does: str
    is_done: bool

    def __str__(self) -> str:
        state = "done" if self.is_done else "to do"
        return f"{self.key}, seed {self.seed}: {state}; {self.does}"


def planned(job: Reproduction) -> list[Planned]:
    """Return all units of work, in order."""
    return [_planned(unit) for stage in in_order(job) for unit in stage]


def _planned(unit: Unit) -> Planned:
    job, row, synthesis = unit.job, unit.row, unit.job.scale.synthesis
    folder, method, settings = unit.trained.run, row.method, unit.settings
    if synthesis is not None and unit.key.startswith(synthetic.QUESTIONS):
        kind = unit.key.removeprefix(synthetic.QUESTIONS)
        folder = synthetic.generator_folder(job, kind, unit.seed)
        method, settings = "question_generation", synthetic.generator_settings(synthesis, kind)
    elif synthesis is not None and unit.key.startswith(synthetic.FIRST):
        chosen = synthetic.firsts_of(job)[unit.key.removeprefix(synthetic.FIRST)]
        folder = synthetic.first_folder(job, chosen, unit.seed)
        settings = synthesis.first
    does = f"{method}, {', '.join(settings)}" if settings else method
    if row.pivot:
        does = f"measures the reader of {row.pivot} with a pivot"
    return Planned(unit.key, unit.seed, does, _is_finished(folder))


def _is_finished(run: Path) -> bool:
    record = run / RECORD
    return record.exists() and read_record(record).get("state") == "finished"
