"""The other end of `reader_app.imaging.workers`: a process that reads one file after the other.

Nothing heavy is imported here: the task brings what it needs, after this process has set its limits.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from reader_app.errors import ImageError, ReaderError

READY, VALUE, FAULT, MEMORY, REFUSED, BROKEN = b"R", b"V", b"F", b"M", b"E", b"X"
"""First byte of an answer: the process is ready; a file's value; a file's own fault; a file that needs too
much memory, after which the process ends; an error that is not about the file; a fault of ours, likewise."""

DURATION = struct.Struct("<f")
"""Follows the letter except the first: seconds that the file took."""

NICENESS = 5
"""The window comes first: on a busy machine the workers yield."""

_GRACE_SECONDS = 2.0  # the parent kills first; this is for a parent that is gone or does not look
_ONE_THREAD = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPJ_NUM_THREADS",
)


@dataclass(frozen=True)
class Limits:
    """What one file may take.

    Parameters
    ----------
    seconds
        Of wall-clock time.
    memory_bytes
        On top of what the empty process has.
    """

    seconds: float
    memory_bytes: int


def serve(connection: Connection, pickled_task: bytes, limits: Limits) -> None:
    """Answer lists of paths, file by file, until the other end closes.

    Parameters
    ----------
    connection
        Brings pickled lists of paths as text; takes answers, each beginning with one of the letters above.
    pickled_task
        What is called with each path.
    limits
        Of each file.
    """
    _settle()
    with connection, contextlib.suppress(EOFError, OSError):
        try:
            task = pickle.loads(pickled_task)
        except Exception:  # noqa: BLE001 - whatever our own module raises is told to the parent, as our fault
            connection.send_bytes(BROKEN + DURATION.pack(0.0) + _traceback())
            return
        _limit_memory(limits.memory_bytes)
        connection.send_bytes(READY)
        while True:
            for name in connection.recv():
                start = time.perf_counter()
                with _alarm(limits.seconds + _GRACE_SECONDS):
                    letter, payload = _answer(task, Path(name))
                connection.send_bytes(letter + DURATION.pack(time.perf_counter() - start) + payload)
                if letter in (MEMORY, BROKEN):
                    return


def _answer(task: Callable[[Path], Any], path: Path) -> tuple[bytes, bytes]:
    """Carry the task out on one file and wrap up what comes of it."""
    try:
        return VALUE, pickle.dumps(task(path), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return MEMORY, b""
    except ImageError as error:
        if _lacked_memory(error):
            return MEMORY, b""
        return FAULT, pickle.dumps((error.what, error.next_step))
    except ReaderError as error:
        return REFUSED, pickle.dumps((type(error), error.what, error.next_step))
    except Exception:  # noqa: BLE001 - goes to the parent, which raises it as the fault of ours that it is
        return BROKEN, _traceback()


def _traceback() -> bytes:
    return traceback.format_exc().encode("utf-8", "replace")


def _lacked_memory(error: BaseException | None) -> bool:
    """Whether an error comes from a lack of memory: here the limit is meant, not the machine."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


class _alarm:  # noqa: N801 - reads as a statement
    """Ends this process if the block takes too long, even while a C library keeps the interpreter waiting.

    The signal has its default action, so that the system carries it out; where there are no such timers the
    parent's watch is alone.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)


def _settle() -> None:
    """Make this process a quiet, patient one that does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes the pipe
    for variable in _ONE_THREAD:  # read when libraries are loaded, later in this process
        os.environ[variable] = "1"
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
    _silence()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    if sys.platform == "win32":
        import msvcrt

        # A crash must not wait for somebody to click a box away.
        msvcrt.SetErrorMode(msvcrt.SEM_FAILCRITICALERRORS | msvcrt.SEM_NOGPFAULTERRORBOX)
    else:
        import resource

        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold a patient's film


def _silence() -> None:
    """Send what C libraries print to nowhere: it is about files and means nothing to the user."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    if nowhere > 2:
        os.close(nowhere)


def _end_with(sentinel: int) -> None:
    """End this process when its parent is gone."""
    wait([sentinel])
    os._exit(1)


def _limit_memory(memory_bytes: int) -> None:
    """Let allocations fail that go beyond the limit, where the system tells and limits address space."""
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    limit = pages * resource.getpagesize() + memory_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
