"""Memory that a job has freed."""

import ctypes
import platform
import sys


def return_freed_memory() -> bool:
    """Have glibc return freed memory to the system; return whether it returned any.

    Tensors of many sizes leave gaps of freed memory between those in use, so a process that writes
    batches of ever different shapes grows slowly. Does nothing on systems without glibc.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL("libc.so.6").malloc_trim(0))
