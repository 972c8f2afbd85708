"""Freed memory that lies between blocks in use goes back to the system."""

import ctypes
import platform
import sys
from pathlib import Path

import pytest

from babelspan.jobs.freed import return_freed_memory

BLOCK = 64_000
"""Smaller than the blocks that glibc returns on its own."""


def resident():
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="takes glibc"
)
def test_gaps_of_freed_memory_are_returned():
    libc = ctypes.CDLL("libc.so.6")
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    blocks = [libc.malloc(ctypes.c_size_t(BLOCK)) for _ in range(2000)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK)
    try:
        for block in blocks[:-1]:
            libc.free(block)
        full = resident()
        assert return_freed_memory()
        assert resident() < full - 1000 * BLOCK
    finally:
        libc.free(blocks[-1])


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not return_freed_memory()
