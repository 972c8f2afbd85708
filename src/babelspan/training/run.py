"""What a method may learn from, and where, with which seed and for how long it learns."""

import ctypes
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
from accelerate import Accelerator
from pydantic import Field, NonNegativeInt, PositiveInt

from babelspan.data.files import replacing
from babelspan.reading.windows import Limits
from babelspan.types import ConfigError, Example

if TYPE_CHECKING:
    from babelspan.training.update import Updater

LOG = "log.jsonl"
CHECKPOINT = "checkpoint.pt"

Monitor = Callable[[], Mapping[str, float]]
"""Evaluates the reader under training: figures by name."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Table [run] of a recipe: everything that is not the method's own."""

    seed: NonNegativeInt = 1
    """Of the new weights, of dropout and of the order of the examples."""
    epochs: PositiveInt = 2
    """Passes over the training data."""
    updates: PositiveInt | None = None
    """How many updates; takes the place of `epochs`."""
    negatives: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Questions that are also asked of a text that is not theirs, as a fraction; 0 for none."""
    batch_size: PositiveInt = 32
    """Windows of an update, over all processes."""
    batch_tokens: PositiveInt | None = None
    """Tokens of an update, padding included; an update ends at whichever limit comes first."""
    accumulation: PositiveInt = 1
    """Micro-batches of an update: the same gradient in less memory."""
    max_length: PositiveInt = 384
    """Tokens of a window, at most."""
    overlap: NonNegativeInt | None = None
    """Context tokens that neighbouring windows share; by default 128, or half of the room that a
    long question leaves."""
    step: PositiveInt | None = None
    """Context tokens from one window to the next, the "doc stride" of papers; takes the place of
    `overlap`."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of the matrix products; weights and optimiser are fp32."""
    threads: NonNegativeInt = 0
    """CPU threads of a process; 0 for all cores. A resumed run needs as many for the same bits."""
    log_every: NonNegativeInt = 10
    """Updates between two lines of the log; 0 for only at the end."""
    save_every: NonNegativeInt = 200
    """Updates between two checkpoints; 0 for only at the end."""
    evaluate_every: NonNegativeInt = 0
    """Updates between two evaluations on the development data; 0 for only at the end."""

    @property
    def limits(self) -> Limits:
        """How long contexts are cut into windows; errors as in `Limits`."""
        return Limits(max_length=self.max_length, overlap=self.overlap, step=self.step)


@dataclass(frozen=True, kw_only=True)
class Corpora:
    """What a method may learn from."""

    labelled: Sequence[Example]
    """Examples with answers."""

    @property
    def question_languages(self) -> list[str]:
        """Languages of the labelled questions, sorted."""
        return sorted({e.question_language for e in self.labelled})


@dataclass(kw_only=True)
class Run:
    """A run under way: its folder, its device, its clock. `fit` moves the clock.

    Attributes:
        config: the [run] table.
        folder: where logs and checkpoints go; None to keep nothing.
        monitor: figures on development data, by name; None for no evaluation.
        updaters: the players of the present stage.
        stage: number of the present call of `fit`, from 0.
        update: number of the present update, from 0.
        updates: how many updates the stage has.
        weight: part of the present micro-batch in the mean over its update.
        completes_update: whether the present micro-batch is the last of its update.
    """

    config: RunConfig
    folder: Path | None = None
    monitor: Monitor | None = None
    updaters: list["Updater"] = field(default_factory=list)
    stage: int = 0
    update: int = 0
    updates: int = 0
    weight: float = 1.0
    completes_update: bool = True

    def __post_init__(self) -> None:
        """Set seed, threads and device; drawing new weights comes after this."""
        _keep_freed_memory()
        if self.config.threads:
            torch.set_num_threads(self.config.threads)
        self.accelerator = Accelerator(
            mixed_precision="no",  # see `autocast`; Accelerator takes one for a whole process
            log_with="tensorboard" if self.folder else None,
            project_dir=str(self.folder) if self.folder else None,
        )
        self.device: torch.device = self.accelerator.device
        self.processes: int = self.accelerator.num_processes
        self.process: int = self.accelerator.process_index
        if self.device.type == "cuda":
            _make_cuda_repeatable()
        torch.manual_seed(self.config.seed)

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows progress."""
        return bool(self.accelerator.is_main_process)

    def autocast(self) -> torch.autocast:
        """A block whose matrix products have the run's precision."""
        is_bf16 = self.config.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=is_bf16)

    def save(self) -> None:
        """Write a checkpoint that replaces the last one; all processes hold the same weights."""
        random = self._random_states()
        if self.folder is None or not self.leads:
            return
        state = {
            "stage": self.stage,
            "update": self.update,
            "players": {u.name: u.state_dict() for u in self.updaters},
            "random": random,
            "threads": torch.get_num_threads(),
            "log_bytes": self._log_bytes(),
        }
        with replacing(self.folder / CHECKPOINT) as beside:
            torch.save(state, beside)

    def restore(self) -> bool:
        """Take up the checkpoint, if any; False if it is of a later stage: this one is done.

        The log becomes what it was then: a resumed run writes the rest of its lines again.

        Raises:
            ConfigError: if the checkpoint is of a run with more processes or fewer.
        """
        path = None if self.folder is None else self.folder / CHECKPOINT
        if path is None or not path.exists():
            if self.stage == 0:
                self._shorten_log(0)
            return True
        state = torch.load(path, map_location="cpu", weights_only=True)
        if len(state["random"]) != self.processes:
            raise ConfigError(
                f"{path}: of a run with {len(state['random'])} processes, which cannot go on with "
                f"{self.processes}; start as many, or remove the folder to begin anew"
            )
        if state["stage"] > self.stage:
            return False
        if state["stage"] == self.stage:
            self.update = state["update"]
            for updater in self.updaters:
                updater.load_state_dict(state["players"][updater.name])
            self.set_random_state(state["random"][self.process])
            self._shorten_log(state["log_bytes"])
            self._tell_of_threads(state["threads"])
        return True

    def record(self, line: Mapping[str, float]) -> None:
        """Append a line to the log and to TensorBoard."""
        if self.folder is None or not self.leads:
            return
        at = {"stage": self.stage, "update": self.update}
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps({**at, **line}) + "\n")
        self.accelerator.log(dict(line), step=self.update)

    def start_tensorboard(self) -> None:
        """Open the stage's folder of TensorBoard, which drops the updates that are still to come.

        A folder for each stage: what is dropped is dropped from the whole folder.
        """
        if self.folder is None or not self.leads:
            return
        for earlier in self.accelerator.trackers:
            earlier.finish()
        self.accelerator.trackers = []
        self.accelerator.init_trackers(
            f"tensorboard/stage{self.stage}",
            init_kwargs={"tensorboard": {"purge_step": self.update + 1}},
        )

    def random_state(self) -> dict[str, Any]:
        """The random state of this process."""
        state = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.device)
        return state

    def set_random_state(self, state: dict[str, Any]) -> None:
        """Go back to a random state of this process."""
        torch.set_rng_state(state["cpu"])
        if "cuda" in state:
            torch.cuda.set_rng_state(state["cuda"], self.device)

    def _log_bytes(self) -> int:
        """Length of the log so far."""
        log = None if self.folder is None else self.folder / LOG
        return log.stat().st_size if log is not None and log.exists() else 0

    def _shorten_log(self, length: int) -> None:
        """Drop what stands in the log after its first bytes."""
        if self.folder is not None and self.leads and self._log_bytes() > length:
            os.truncate(self.folder / LOG, length)

    def _tell_of_threads(self, before: int) -> None:
        """Say so if the run goes on with more CPU threads or fewer."""
        now = torch.get_num_threads()
        if now != before and self.device.type == "cpu" and self.leads:
            print(
                f"begun with {before} threads, going on with {now}: the bits may differ from those "
                "of a run that was not stopped",
                file=sys.stderr,
            )

    def _random_states(self) -> list[Any]:
        """The random state of every process."""
        if self.processes == 1:
            return [self.random_state()]
        states: list[Any] = [None] * self.processes
        torch.distributed.all_gather_object(states, self.random_state())
        return states


def _make_cuda_repeatable() -> None:
    """Have the same operations give the same bits; one that cannot says so in a warning."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)


def _keep_freed_memory() -> None:
    """Have glibc keep large freed blocks for the next step instead of giving them back.

    Activations of the same sizes come and go at every step; mapping them anew cost 38 % of the
    processor time of a step at 384 tokens (docs/decisions/0010).
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        trim_threshold, mmap_threshold = -1, -3
        libc.mallopt(mmap_threshold, 1 << 30) or libc.mallopt(mmap_threshold, 32 << 20)
        libc.mallopt(trim_threshold, (1 << 31) - 1)
