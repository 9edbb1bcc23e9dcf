"""What a training process asks of its machine before torch is loaded."""

from __future__ import annotations

import ctypes
import os
import sys

from reader_app.ai.worker_process import THREADS_SLEEP

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_KEEP = 1 << 30


def settle() -> None:
    """Let waiting threads sleep, and keep freed memory for the next step.

    Threads that spin at barriers take the cores from each other as soon as anything else runs.  And by
    default glibc returns every large tensor to the system and asks for it again a moment later, page by
    page.  Both together made the difference between 2 and 22 joints a second on two busy cores.
    """
    os.environ.setdefault(THREADS_SLEEP, "PASSIVE")  # read when torch's threads start
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another C library, with its own ways
    mallopt(_M_MMAP_THRESHOLD, _KEEP)
    mallopt(_M_TRIM_THRESHOLD, _KEEP)
    mallopt(_M_TOP_PAD, 1 << 28)
