"""The log of a training run: JSON lines and TensorBoard events."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOG = "log.jsonl"


class Journal:
    """The log of a run; without a folder nothing is written.

    Args:
        folder: where `log.jsonl` and `tensorboard/` go; None for a process that writes nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._events: Any = None

    @property
    def length(self) -> int:
        """Size of the log in bytes."""
        log = None if self._folder is None else self._folder / LOG
        return log.stat().st_size if log is not None and log.exists() else 0

    def shorten(self, length: int) -> None:
        """Truncate the log to its first bytes; a resumed run writes the rest again."""
        if self._folder is not None and self.length > length:
            os.truncate(self._folder / LOG, length)

    def open(self, *, stage: int, update: int) -> None:
        """Open the TensorBoard folder of the stage, and purge updates that will be repeated.

        Each stage has its own folder, because updates are purged from the whole folder.
        """
        if self._folder is None:
            return
        from torch.utils.tensorboard import SummaryWriter

        self.close()
        self._events = SummaryWriter(
            str(self._folder / "tensorboard" / f"stage{stage}"), purge_step=update + 1
        )

    def record(self, line: Mapping[str, float], *, stage: int, update: int) -> None:
        """Append a line to the log and to TensorBoard."""
        if self._folder is None:
            return
        with (self._folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps({"stage": stage, "update": update, **line}) + "\n")
        if self._events is not None:
            for name, value in line.items():
                self._events.add_scalar(name, value, global_step=update)
            self._events.flush()

    def close(self) -> None:
        """Write what TensorBoard still buffers."""
        if self._events is not None:
            self._events.close()
        self._events = None
