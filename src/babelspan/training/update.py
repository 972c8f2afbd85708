"""The optimiser of one network ("player"): it changes that network's parameters and no others."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor, nn

from babelspan.networks.reader import Player
from babelspan.training.run import Run
from babelspan.types import ConfigError

Decay = Annotated[float, Field(ge=0, lt=1)]
"""Decay of an exponential moving average (EMA): the weight of the old value at every update."""


@dataclass(frozen=True, kw_only=True)
class Optim:
    """Settings of the optimiser, AdamW with PyTorch's epsilon.

    The defaults are common for fine-tuning encoders like BERT; they are ours, not from a paper.
    """

    lr: Annotated[PositiveFloat, Field(allow_inf_nan=False)] = 3e-5
    """Peak learning rate."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """Learning rate schedule after the warm-up: decay to zero, or constant."""
    warmup: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Fraction of the updates over which the learning rate rises from zero (warm-up)."""
    weight_decay: Annotated[NonNegativeFloat, Field(allow_inf_nan=False)] = 0.01
    """Decoupled weight decay; not applied to biases and normalisation weights."""
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    """Decay rates of Adam's first and second moments."""
    clip_norm: NonNegativeFloat = 1.0
    """Maximum norm of the gradient (gradient clipping); 0 for no limit."""
    average: Decay = 0.0
    """Decay of the exponential moving average (EMA) of the weights, which replaces the weights at
    the end; 0 for none. The decay of update n is (1 + n) / (10 + n) while that is smaller, so that
    the average quickly forgets the weights before training."""


class Updater:
    """Takes gradient steps on one network's parameters.

    Called with a loss, it accumulates the gradient of the loss; the step is taken after the last
    micro-batch of an update. Called with several losses, it keeps their gradients separate, all
    computed at the same weights, and then takes one step for each, in order. Gradients are averaged
    over processes by weight, so any number of processes and micro-batches gives the gradient of the
    joint batch.

    Args:
        player: network to train; parameters that require no gradient are not changed.
        optim: settings of the optimiser.
        run: the run, to which the network is added.
        name: name of the network in logs and checkpoints.
        new: parameters of the network that have a learning rate of their own.
        new_rate: factor of the learning rate for these.

    Attributes:
        learning_rate: learning rate of the last update.

    Raises:
        ConfigError: if the stage already has an updater with that name. A call also raises it if
            the updater belongs to an earlier stage, is called twice for one of several
            micro-batches, or a gradient of the update is not finite.
    """

    def __init__(
        self,
        player: Player,
        optim: Optim,
        run: Run,
        *,
        name: str = "reader",
        new: Iterable[nn.Parameter] = (),
        new_rate: float = 1.0,
    ) -> None:
        if name in {updater.name for updater in run.updaters}:
            raise ConfigError(f"expected one updater named {name!r} in a stage, got a second one")
        run.player(name, player)
        self.player = player
        self.name: str = name
        self.parameters = [p for p in player.parameters() if p.requires_grad]
        self.learning_rate = 0.0
        self._optim = optim
        apart = set() if new_rate == 1 else set(new)
        rates = {1.0: [p for p in self.parameters if p not in apart]}
        if apart:
            rates[new_rate] = [p for p in self.parameters if p in apart]
        self._run = run
        self._optimizer = torch.optim.AdamW(
            _groups(rates, optim.weight_decay),
            lr=optim.lr,
            betas=optim.betas,
            fused=run.place.device.type in ("cpu", "cuda"),
        )
        self._average = [p.detach().clone() for p in self.parameters] if optim.average else []
        self._gradients: list[list[Tensor | None]] = []
        self._norms: list[Tensor] = []
        self._seen: tuple[int, int] | None = None
        self._taken = 0
        run.updaters.append(self)

    def __call__(self, *losses: Tensor) -> None:
        """Accumulate the gradients of losses (scalars, means over the micro-batch); step when due.

        Raises:
            ConfigError: if a gradient of the update is not finite.
        """
        if self not in self._run.updaters:
            raise ConfigError(
                f"the updater of {self.name!r} belongs to an earlier stage; make a new one before "
                "`fit`"
            )
        moment = self._run.clock.update, self._run.clock.micro_batch
        if self._run.config.accumulation > 1 and self._seen == moment:
            raise ConfigError(
                f"the updater of {self.name!r} is called twice for one micro-batch, which needs "
                "accumulation = 1"
            )
        self._seen = moment
        if not self._gradients:
            self._gradients = [[None] * len(self.parameters) for _ in losses]
        with torch.autocast(self._run.place.device.type, enabled=False):
            for number, (loss, so_far) in enumerate(zip(losses, self._gradients, strict=True), 1):
                self._put(so_far)
                (loss * self._run.clock.weight).backward(  # type: ignore[no-untyped-call]
                    inputs=self.parameters, retain_graph=number < len(losses)
                )
                so_far[:] = [p.grad for p in self.parameters]
            if self._run.clock.completes_update:
                self._update()

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimiser and the averaged weights, for a checkpoint.

        Raises:
            ConfigError: if the last gradient or a weight is not finite.
        """
        self.check()
        if not all(torch.isfinite(p).all() for p in self.parameters):
            raise ConfigError(
                f"update {self._taken + 1}: expected finite weights of {self.name!r}, found NaN or "
                "infinity; lower the learning rate"
            )
        return {
            "optimizer": self._optimizer.state_dict(),
            "average": self._average,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load a saved state."""
        self._optimizer.load_state_dict(state["optimizer"])
        self._average = [tensor.to(self._run.place.device) for tensor in state["average"]]

    @property
    def gradient_norms(self) -> list[float]:
        """Gradient norms of the last update before clipping, one for each loss."""
        return [float(norm) for norm in self._norms]

    def check(self) -> None:
        """Check that the gradients of the last update were finite.

        On a CPU this is done before the step. On a GPU, to avoid a synchronisation, it is done
        before the next step, and before anything is logged or saved.

        Raises:
            ConfigError: if one was not finite.
        """
        for norm in self.gradient_norms:
            if not math.isfinite(norm):
                raise ConfigError(
                    f"update {self._taken + 1}: expected a finite gradient of "
                    f"{self.name!r}, its norm is {norm}; lower the learning rate or check the data"
                )

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within the block, use the EMA of the network's weights, if there is one."""
        own = [p.detach().clone() for p in self.parameters] if self._average else []
        self.take_average()
        try:
            yield
        finally:
            _assign(self.parameters, own)

    def take_average(self) -> None:
        """Replace the network's weights by their EMA, if there is one."""
        _assign(self.parameters, self._average)

    @torch.no_grad()
    def _update(self) -> None:
        """Take one step for each loss."""
        fraction = schedule(self._optim, self._run.clock.update, self._run.clock.updates)
        self.learning_rate = self._optim.lr * fraction
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate * group.get("rate", 1.0)
        self.check()
        self._norms, self._taken = [], self._run.clock.update
        for gradients in self._gradients:
            self._put(gradients)
            self._step()
        self._gradients = []
        if self._average:
            number = self._run.clock.update + 1
            decay = min(self._optim.average, (1 + number) / (10 + number))
            torch._foreach_lerp_(self._average, list[Tensor](self.parameters), 1 - decay)
        torch.clear_autocast_cache()  # so that another forward pass in the block uses new weights

    def _step(self) -> None:
        """Take one step with the current gradients."""
        self._mean_over_processes()
        limit = self._optim.clip_norm or math.inf
        self._norms.append(nn.utils.clip_grad_norm_(self.parameters, limit))
        if self._run.place.device.type == "cpu":
            self.check()
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    def _put(self, gradients: list[Tensor | None]) -> None:
        """Set the gradients of the parameters."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient

    def _mean_over_processes(self) -> None:
        """Average gradients over processes; a parameter without a gradient anywhere keeps none."""
        place = self._run.place
        if place.processes == 1:
            return
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
        has_one = torch.tensor([float(p.grad is not None) for p in self.parameters])
        flat = torch.cat([*(g.reshape(-1) for g in gradients), has_one.to(place.device)])
        flat = place.accelerator.reduce(flat, reduction="mean")
        *means, has_one = flat.split([*(g.numel() for g in gradients), len(gradients)])
        for parameter, mean, has in zip(self.parameters, means, has_one.tolist(), strict=True):
            parameter.grad = mean.view_as(parameter) if has else None


def schedule(optim: Optim, update: int, updates: int) -> float:
    """The learning rate of an update as a fraction of the peak, in (0, 1].

    It rises linearly over the warm-up; then it falls to zero linearly or as half a cosine
    (Loshchilov and Hutter 2017, arXiv:1608.03983, Eq. 5, one period), or stays constant.

    Args:
        optim: schedule and warm-up.
        update: number of the update, from 0.
        updates: total number of updates.
    """
    warm = math.ceil(optim.warmup * updates)
    if update < warm:
        return (update + 1) / warm
    done = (update - warm) / max(1, updates - warm)
    match optim.schedule:
        case "linear":
            return 1 - done
        case "cosine":
            return (1 + math.cos(math.pi * done)) / 2
        case "constant":
            return 1.0


def _groups(
    rates: Mapping[float, Sequence[nn.Parameter]], weight_decay: float
) -> list[dict[str, Any]]:
    """The optimiser's groups; `rate` is the factor of the learning rate."""
    return [
        {"params": chosen, "weight_decay": decay, "rate": rate}
        for rate, learnt in rates.items()
        for chosen, decay in (
            ([p for p in learnt if p.ndim > 1], weight_decay),
            ([p for p in learnt if p.ndim <= 1], 0.0),
        )
    ]


@torch.no_grad()
def _assign(parameters: list[nn.Parameter], values: list[Tensor]) -> None:
    for parameter, value in zip(parameters, values, strict=False):
        parameter.copy_(value)
