"""The execution environment of a run: device, threads, precision, processes, random states."""

import ctypes
import os
import platform
import sys
from typing import Any

import torch
from accelerate import Accelerator

ALL_CORES = torch.get_num_threads()
"""PyTorch's default number of threads; a run may change the current number."""


class Place:
    """The device and the processes of a run.

    Args:
        seed: seed of new weights and of dropout.
        threads: CPU threads per process; 0 for PyTorch's default.
        precision: "fp32" or "bf16", for matrix products.
        is_repeatable: whether to use deterministic operations on a GPU; an operation that has no
            deterministic form raises an error with its name.

    Attributes:
        accelerator: the `Accelerator` of accelerate, for process groups.
        device: device of networks and batches.
        process: index of this process.
        processes: number of processes.
    """

    def __init__(self, *, seed: int, threads: int, precision: str, is_repeatable: bool) -> None:
        _keep_freed_memory()
        torch.set_num_threads(threads or ALL_CORES)
        self.accelerator = Accelerator(mixed_precision="no")  # see `autocast`; it is per process
        self.device: torch.device = self.accelerator.device
        self.processes: int = self.accelerator.num_processes
        self.process: int = self.accelerator.process_index
        self._seed = seed
        self._precision = precision
        if self.device.type == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(is_repeatable)
        torch.manual_seed(seed)

    @property
    def leads(self) -> bool:
        """Whether this is the main process, which writes files and shows progress."""
        return bool(self.accelerator.is_main_process)

    def autocast(self) -> torch.autocast:
        """A context manager for mixed precision as the run's settings say."""
        is_bf16 = self._precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=is_bf16)

    def gathered(self, value: Any) -> list[Any]:
        """Gather a picklable value from all processes, in order."""
        if self.processes == 1:
            return [value]
        values: list[Any] = [None] * self.processes
        torch.distributed.all_gather_object(values, value)
        return values

    def random_state(self) -> dict[str, Any]:
        """The random state of this process."""
        state = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.device)
        return state

    def set_random_state(self, state: dict[str, Any]) -> None:
        """Restore a random state of this process; a GPU's only if there is a GPU."""
        torch.set_rng_state(state["cpu"])
        if "cuda" in state and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self.device)

    def part_random_states(self, stage: int) -> None:
        """Give each process except the first its own random state in a stage, for dropout."""
        if self.process:
            torch.manual_seed(hash((self._seed, stage, self.process)) % 2**63)

    def join_random_states(self) -> None:
        """Give all processes the random state of the first, so that new weights are the same."""
        if self.processes > 1:
            self.set_random_state(self.gathered(self.random_state())[0])


def _keep_freed_memory() -> None:
    """Have glibc keep large freed blocks instead of returning them to the system.

    Activations of the same sizes are freed and allocated at every step; mapping them again cost
    38 % of the CPU time of a step at 384 tokens (docs/decisions/0010).
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        trim_threshold, mmap_threshold = -1, -3
        libc.mallopt(mmap_threshold, 1 << 30) or libc.mallopt(mmap_threshold, 32 << 20)
        libc.mallopt(trim_threshold, (1 << 31) - 1)
