"""Readers run by PyTorch: any network, on any device that PyTorch supports."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from babelspan.networks.reader import Reader
from babelspan.reading.glossed import Glossed
from babelspan.seams import Knowing, Logits, Window
from babelspan.types import DataError, Example, Limits

GPU_BATCH_TOKENS = 32_768
"""Maximum number of tokens of a batch on a GPU, padding included."""


class TorchEngine:
    """Runs a reader for an answerer.

    On the CPU windows are read one at a time (see `engines.onnx`), on a GPU in large batches of
    similar length.

    Args:
        reader: a reader in evaluation mode (`reader.eval()`); callers ensure this.
        glossed: appends translations to questions; None for a reader without dictionaries.
    """

    workers = 1
    """One window at a time: PyTorch parallelises each window with its own threads."""

    def __init__(self, reader: Reader, glossed: Glossed | None = None) -> None:
        self._reader = reader
        self._glossed = glossed

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the translations that the reader takes with a text; usually empty."""
        found: tuple[str, ...] = getattr(self._reader, "languages", ())
        return found

    @property
    def limits(self) -> Limits:
        """Default limits for cutting contexts into windows."""
        return self._reader.limits

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of each example, cut by the reader; see `reading.glossed`."""
        if self._glossed is None:
            return self._reader.windows(examples, limits)
        return self._glossed.windows(examples, limits, self._reader.windows)

    def read_as(self, example: Example) -> Example:
        """The example with its question as the reader sees it; see `reading.glossed`."""
        return example if self._glossed is None else self._glossed.glossed(example)

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters of the known tokens of a text; the whole text if the reader cannot tell."""
        if isinstance(self._reader, Knowing):
            return self._reader.known(text)
        return np.array([[0, len(text)]], np.int32)

    def read(self, windows: Sequence[Any]) -> Generator[Logits, None, None]:
        """Logits of windows, computed lazily."""
        device = next(iter(self._reader.parameters())).device  # training may have moved it
        tokens = 1 if device.type == "cpu" else GPU_BATCH_TOKENS
        found: dict[int, Logits] = {}
        for batch in batches([window.length for window in windows], tokens):
            read = self._batch([windows[i] for i in batch], device)
            found |= dict(zip(batch, read, strict=True))
            if tokens == 1:
                yield found.pop(batch[0])
        yield from (found[i] for i in sorted(found))

    @torch.inference_mode()
    def _batch(self, windows: Sequence[Any], device: torch.device) -> list[Logits]:
        try:
            reading = self._reader(self._reader.collate(windows).to(device))
        except IndexError as error:  # raised by an embedding
            raise DataError(
                f"the reader cannot read a window of {windows[0].length} tokens ({error}); its "
                "tokenizer has more tokens than its network, or is another reader's"
            ) from None
        start_logits = reading.start_logits.cpu().numpy()
        last_logits = reading.last_logits.cpu().numpy()
        return [
            Logits(start[: window.length], last[: window.length])
            for window, start, last in zip(windows, start_logits, last_logits, strict=True)
        ]


def batches(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Indices of windows in batches of at most `tokens` tokens with padding, or single windows.

    Single windows keep their order; batches start with the longest windows.
    """
    if tokens == 1:
        yield from ([i] for i in range(len(lengths)))
        return
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
