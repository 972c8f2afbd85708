"""The interface between readers and the methods that train them.

Shapes: B windows of a batch, L tokens, H width.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from babelspan.reading.windows import Featurizer, Window
from babelspan.types import Example, Limits

NO_ANSWER = (0, 0)
"""First and last token that mean "not in this window": the first token of the window."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A batch of windows, as tensors and as `Window` objects.

    Attributes:
        input_ids: (B, L).
        attention_mask: (B, L), 1 for tokens and 0 for padding.
        token_type_ids: (B, L).
        answers: first and last token of the gold answer, (B, 2); `NO_ANSWER` if the window does not
            contain it.
        windows: the B windows.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor
    answers: Tensor
    windows: tuple[Window, ...]

    @property
    def examples(self) -> list[Example]:
        """The example of each window, B of them."""
        return [window.example for window in self.windows]

    @property
    def tokens(self) -> int:
        """Number of tokens of the windows, without padding."""
        return sum(window.length for window in self.windows)

    @property
    def context_at(self) -> Tensor:
        """Index of each window's first context token, (B,)."""
        return torch.tensor([w.context_at for w in self.windows], device=self.input_ids.device)

    @property
    def answer_mask(self) -> Tensor:
        """Whether a token may start or end an answer, (B, L): context tokens and the first one."""
        ends = torch.tensor([w.context_at + w.size for w in self.windows])
        tokens = torch.arange(self.input_ids.shape[1], device=self.input_ids.device)
        is_context = (self.context_at[:, None] <= tokens) & (
            tokens < ends.to(self.input_ids.device)[:, None]
        )
        return is_context | (tokens == 0)

    @property
    def question_mask(self) -> Tensor:
        """Whether a token belongs to the question, (B, L)."""
        places = [(w.question_at, w.question_at + len(w.question_ids)) for w in self.windows]
        limits = torch.tensor(places, device=self.input_ids.device)
        tokens = torch.arange(self.input_ids.shape[1], device=self.input_ids.device)
        return (limits[:, :1] <= tokens) & (tokens < limits[:, 1:])

    def alone(self, number: int) -> "Batch":
        """A batch of a single window, without padding."""
        window = self.windows[number]
        tensors: dict[str, Any] = {
            name: getattr(self, name)[number : number + 1, : window.length]
            for name in ("input_ids", "attention_mask", "token_type_ids")
        }
        answers = self.answers[number : number + 1]
        return replace(self, **tensors, answers=answers, windows=(window,))

    def to(self, device: torch.device) -> "Batch":
        """A copy of the batch on a device."""
        moved: dict[str, Any] = {
            field.name: moved_to(device, getattr(self, field.name))
            for field in fields(self)
            if field.name != "windows"
        }
        return replace(self, **moved)


def moved_to(device: torch.device, tensor: Tensor) -> Tensor:
    """Move a tensor to a device; to a GPU through pinned memory, asynchronously."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


class Reading(NamedTuple):
    """The output of a reader for a batch.

    Attributes:
        start_logits: (B, L).
        last_logits: (B, L).
        summary: vector of the first token, (B, H).
        hidden: vectors of all tokens after the last layer, (B, L, H).
    """

    start_logits: Tensor
    last_logits: Tensor
    summary: Tensor
    hidden: Tensor


class Player(Protocol):
    """A network of a training run: the members of `nn.Module` that an updater needs."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """All trainable parameters."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors by name."""

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any:
        """Load saved tensors."""

    def to(self, device: torch.device | str) -> Any:
        """Move to a device, in place."""

    def train(self, mode: bool = True) -> Any:
        """Training mode: dropout on."""

    def eval(self) -> Any:
        """Evaluation mode: dropout off."""


class Reader(Player, Protocol):
    """A network that predicts answer spans, and makes its own windows.

    Attributes:
        kind: "pretrained", or the module of `babelspan.networks` that loads it.
        training: whether dropout is on.
    """

    kind: str
    training: bool

    @property
    def width(self) -> int:
        """Width of the vectors, H."""

    @property
    def limits(self) -> Limits:
        """Default limits for cutting contexts into windows."""

    def windows(self, examples: Iterable[Example], limits: Limits | None = None) -> Iterator[Any]:
        """The windows of examples, in the form that this reader takes."""

    def together(self, group: Sequence[Example]) -> Iterator[tuple[Any, ...]]:
        """Windows of examples over one context, cut at the same context tokens for all of them."""

    def collate(self, windows: Sequence[Any]) -> Any:
        """Collate windows into a batch: a `Batch`, or another type that this reader takes."""

    def __call__(self, batch: Any) -> Reading:
        """Read a batch."""

    def save(self, folder: Path) -> None:
        """Write the reader's files; `store.save` adds its kind."""


def collate(featurizer: Featurizer, windows: Sequence[Window]) -> Batch:
    """Collate windows into a batch, padded to the longest, with their gold answers."""
    padded = featurizer.pad(windows)
    return Batch(
        input_ids=torch.from_numpy(padded.input_ids),
        attention_mask=torch.from_numpy(padded.attention_mask),
        token_type_ids=torch.from_numpy(padded.token_type_ids),
        answers=torch.tensor([gold_tokens(w) or NO_ANSWER for w in windows]),
        windows=tuple(windows),
    )


def gold_tokens(window: Window) -> tuple[int, int] | None:
    """First and last token of the first gold answer with an offset; None if not in the window."""
    for answer in window.example.answers or ():
        if answer.span is not None:
            return window.tokens_of(answer.span)
    return None
