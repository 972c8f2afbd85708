"""The training data of a method, and a run in progress: its settings, state and networks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from babelspan.data.files import checksum, replacing
from babelspan.networks.reader import Player
from babelspan.training.journal import Journal
from babelspan.training.place import Place
from babelspan.types import Article, ConfigError, Example, Limits, Passage, SentencePair

if TYPE_CHECKING:
    from babelspan.training.update import Updater

CHECKPOINT = "checkpoint.pt"
SAMPLE = r"^([A-Za-z-]+=)?[1-9][0-9]*(,[A-Za-z-]+=[1-9][0-9]*)*$"

Monitor = Callable[[], Mapping[str, float]]
"""Evaluates the reader during training; returns metrics by name. It sets evaluation mode itself."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Table [run] of a recipe: the settings that do not depend on the method."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """Seed of new weights, dropout and the order of the examples."""
    epochs: PositiveInt = 2
    """Passes over the training data."""
    updates: PositiveInt | None = None
    """Number of updates; replaces `epochs`."""
    negatives: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of questions that are also asked about a text other than their own."""
    sample: Annotated[str, Field(pattern=SAMPLE)] | None = None
    """Number of labelled examples to train on, per context language (`500`) or for some languages
    (`zh=500,ja=200`), chosen by a hash of the id; translated and generated ones do not count."""
    batch_size: PositiveInt = 32
    """Windows per update, over all processes."""
    batch_tokens: PositiveInt | None = None
    """Maximum tokens per update, padding included; whichever limit is reached first applies."""
    accumulation: PositiveInt = 1
    """Micro-batches per update (gradient accumulation): the same gradient in less memory."""
    max_length: PositiveInt = 384
    """Maximum number of tokens in a window."""
    overlap: NonNegativeInt | None = None
    """Context tokens that neighbouring windows share; by default 128, or half of the room that a
    long question leaves."""
    step: PositiveInt | None = None
    """Context tokens from one window to the next, the "doc stride" of papers; replaces
    `overlap`."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of matrix products; weights and optimiser state are fp32."""
    threads: Annotated[int, Field(ge=0, le=4096)] = 0
    """CPU threads per process; 0 for all cores. A resumed run needs the same number for the same
    bits."""
    repeatable: bool = True
    """Whether to use deterministic operations on a GPU; an operation without one is an error."""
    log_every: NonNegativeInt = 10
    """Number of updates between lines of the log; 0 for only at the end."""
    save_every: NonNegativeInt = 200
    """Number of updates between checkpoints; 0 for only at the end."""
    evaluate_every: NonNegativeInt = 0
    """Number of updates between evaluations on development data; 0 for only at the end."""

    @property
    def limits(self) -> Limits:
        """Limits for cutting contexts into windows; errors are those of `Limits`."""
        return Limits(max_length=self.max_length, overlap=self.overlap, step=self.step)


@dataclass(frozen=True, kw_only=True)
class Corpora:
    """Training data by kind.

    A method declares the kinds that it needs in `NEEDS`, such as `{"labelled"}`.

    Attributes:
        labelled: examples with answers.
        sets: name and number of labelled examples of each file, in their order.
        target: examples whose questions represent the target task; their answers are not used.
        bitext: sentences with their translations.
        passages: texts without questions.
        articles: questions about whole articles.
    """

    labelled: Sequence[Example] = ()
    sets: Sequence[tuple[str, int]] = ()
    target: Sequence[Example] = ()
    bitext: Sequence[SentencePair] = ()
    passages: Sequence[Passage] = ()
    articles: Sequence[Article] = ()


@dataclass(slots=True)
class Clock:
    """The progress of a run; `fit` advances it, updaters read it.

    Attributes:
        stage: number of the current call of `fit`, from 0.
        update: number of the current update, from 0.
        updates: number of updates in the stage.
        weight: weight of the current micro-batch in the mean over its update.
        micro_batch: number of the current micro-batch in its update, from 0.
        completes_update: whether it is the last micro-batch of its update.
    """

    stage: int = 0
    update: int = 0
    updates: int = 0
    weight: float = 1.0
    micro_batch: int = 0
    completes_update: bool = True


class Run:
    """A run in progress. Creating it sets seed, threads and device: draw new weights afterwards.

    Args:
        config: the [run] table.
        folder: folder of log and checkpoint; None to write nothing.
        monitor: evaluates on development data; None for no evaluation.

    Attributes:
        config, folder, monitor: as given.
        place: device, threads and processes.
        clock: progress of the run.
        journal: the log.
        players: all networks of the run, by name; every checkpoint contains them all.
        updaters: the updaters of the current stage.
    """

    def __init__(
        self, *, config: RunConfig, folder: Path | None = None, monitor: Monitor | None = None
    ) -> None:
        self.config = config
        self.folder = folder
        self.monitor = monitor
        self.place = Place(
            seed=config.seed,
            threads=config.threads,
            precision=config.precision,
            is_repeatable=config.repeatable,
        )
        self.clock = Clock()
        self.journal = Journal(folder if self.place.leads else None)
        self.players: dict[str, Player] = {}
        self.updaters: list[Updater] = []
        self._saved: dict[str, Any] | None = None
        self._is_looked_up = False

    def player(self, name: str, network: Player, *, learns: bool = True) -> None:
        """Add a network to the run: move it to the device and include it in every checkpoint.

        In a resumed run, the saved weights are loaded into the network here, and again when the
        stage of the checkpoint begins, whatever was done to it in between. Other values computed
        between stages from a trained network, such as labels, are not saved: compute them from a
        player that no later stage changes.

        Args:
            name: name of the player in checkpoints.
            network: its parameters may be shared with other players.
            learns: whether it is put into training mode (with dropout) or evaluation mode.

        Raises:
            ConfigError: if the name is taken, or the network in the checkpoint has other shapes.
        """
        known = self.players.setdefault(name, network)
        if known is not network:
            raise ConfigError(f"expected one player named {name!r} in a run, got a second one")
        network.to(self.place.device)
        network.train(learns)
        saved = self._checkpoint()
        if saved is not None and name in saved["players"]:
            try:
                network.load_state_dict(saved["players"][name])
            except RuntimeError as error:
                if saved["stage"] <= self.clock.stage:
                    raise ConfigError(
                        f"the checkpoint of {self.folder} has a player {name!r} of another shape "
                        "than this run; remove it to start the run anew"
                    ) from error
                # it still grows before the stage of the checkpoint; `restore` loads it then

    def save(self, meter: Mapping[str, float]) -> None:
        """Write a checkpoint, replacing the last one; all processes have the same weights.

        Args:
            meter: sums of the progress meter since the last line of the log.
        """
        random = self.place.gathered(self.place.random_state())
        if self.folder is None or not self.place.leads:
            return
        state = {
            "stage": self.clock.stage,
            "update": self.clock.update,
            "players": {name: player.state_dict() for name, player in self.players.items()},
            "updaters": {updater.name: updater.state_dict() for updater in self.updaters},
            "random": random,
            "threads": torch.get_num_threads(),
            "log_bytes": self.journal.length,
            "meter": dict(meter),
        }
        with replacing(self.folder / CHECKPOINT) as beside:
            torch.save(state, beside)

    def restore(self) -> tuple[int, dict[str, float]] | None:
        """Load the checkpoint of this stage; None if there is none.

        Restores players, updaters, random state, clock and log.

        Returns:
            The number of threads of the interrupted run, and the sums of its meter.
        """
        saved = self._checkpoint()
        if saved is None:
            if self.clock.stage == 0:
                self.journal.shorten(0)
            return None
        if saved["stage"] != self.clock.stage:
            return None
        self._refuse_other_players(saved)
        self.clock.update = saved["update"]
        for name, player in self.players.items():
            player.load_state_dict(saved["players"][name])
        for updater in self.updaters:
            updater.load_state_dict(saved["updaters"][updater.name])
        self.place.set_random_state(saved["random"][self.place.process])
        self.journal.shorten(saved["log_bytes"])
        self._saved = None  # loaded; players added later are new
        return saved["threads"], saved["meter"]

    def _refuse_other_players(self, saved: dict[str, Any]) -> None:
        """Raise ConfigError for a checkpoint without a player or an updater of this run."""
        for what, expected in (
            ("players", list(self.players)),
            ("updaters", [updater.name for updater in self.updaters]),
        ):
            if not saved[what].keys() >= set(expected):
                raise ConfigError(
                    f"the checkpoint of {self.folder}: expected the {what} "
                    f"{', '.join(expected)}, found {', '.join(saved[what]) or 'none'}; it is from "
                    "another method or version: remove it to start the run anew"
                )

    @contextmanager
    def stage_of_its_own(self, config: RunConfig) -> Iterator[None]:
        """Within the block, the run has other settings; its players are removed after the block.

        A network trained in the block may be added again, under any name.

        Args:
            config: settings with the seed, threads and precision of the run.
        """
        own, self.config = self.config, config
        try:
            yield
        finally:
            self.config = own
            self.players = {}

    def is_past(self, stage: int) -> bool:
        """Whether the run is resumed from a checkpoint of a later stage."""
        saved = self._checkpoint()
        return saved is not None and saved["stage"] > stage

    def _checkpoint(self) -> dict[str, Any] | None:
        """The checkpoint, read once; None after it has been loaded."""
        if not self._is_looked_up:
            self._is_looked_up = True
            self._saved = _read_checkpoint(self.folder, self.place)
        return self._saved


def _read_checkpoint(folder: Path | None, place: Place) -> dict[str, Any] | None:
    """Read the checkpoint in a run's folder; it must be the same for all processes.

    Raises:
        ConfigError: if it is broken, if the run had another number of processes, or if the
            processes see different checkpoints.
    """
    if folder is None:
        return None
    path = folder / CHECKPOINT
    is_there = path.exists()
    seen = place.gathered(checksum(path) if is_there and place.processes > 1 else is_there)
    other = next((number for number, one in enumerate(seen) if one != seen[0]), None)
    if other is not None:
        raise ConfigError(
            f"{path}: expected the same checkpoint for all {place.processes} processes, found that "
            f"process {other} sees another one or none; choose a folder on a disk that all "
            "machines "
            "share"
        )
    if not is_there:
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        count = len(state["random"])
        _ = state["stage"], state["players"], state["updaters"], state["meter"]
    except Exception as error:  # broken files raise errors of many classes
        cause = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConfigError(
            f"{path}: expected a checkpoint of this version, found something else ({cause}); "
            "remove it to start the run anew"
        ) from error
    if count != place.processes:
        raise ConfigError(
            f"{path}: from a run with {count} processes, which cannot resume with "
            f"{place.processes}; start as many, or remove the folder to start anew"
        )
    return state
