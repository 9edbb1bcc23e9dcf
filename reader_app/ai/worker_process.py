"""The other end of `reader_app.ai.worker`: its process, and the messages between the two."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from reader_app.ai.bundle import load_bundle
from reader_app.ai.pipeline import JointPreGrade, Pipeline, PreparedJoint
from reader_app.errors import PreGradeError, ReaderError

NICENESS = 5
"""The window comes first: on a busy machine the worker yields."""

THREADS_SLEEP = "OMP_WAIT_POLICY"
"""Set to PASSIVE, torch's threads sleep at barriers.  Spinning, they keep a core from the window and, on a
busy machine, from each other: a tenth of the speed was seen."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ready:
    """The networks are loaded."""


@dataclass(frozen=True)
class StartFailed:
    """The networks cannot be loaded; the process ends."""

    what: str
    next_step: str


@dataclass(frozen=True, eq=False)
class Grade:
    """Pre-grade these joints."""

    joints: tuple[PreparedJoint, ...]


@dataclass(frozen=True, eq=False)
class Graded:
    """The answer to `Grade`, in its order."""

    results: tuple[JointPreGrade, ...]


@dataclass(frozen=True)
class Refused:
    """No answer to `Grade`; the process goes on if it says so."""

    what: str
    next_step: str
    goes_on: bool


Answer = Ready | StartFailed | Graded | Refused


def serve(connection: Connection, bundle_folder: Path, device: str, threads: int | None) -> None:
    """Load a bundle, then answer `Grade` messages until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes the pipe
    os.environ.setdefault(THREADS_SLEEP, "PASSIVE")  # read when torch is loaded, later in this process
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
    with connection, contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        pipeline = _load(connection, bundle_folder, device, threads)
        while pipeline is not None:
            answer = _answer(pipeline, connection.recv())
            connection.send(answer)
            if isinstance(answer, Refused) and not answer.goes_on:
                return


def _load(connection: Connection, bundle_folder: Path, device: str, threads: int | None) -> Pipeline | None:
    try:
        pipeline = Pipeline(load_bundle(bundle_folder), device=device, threads=threads)
    except ReaderError as fault:
        connection.send(StartFailed(fault.what, fault.next_step))
    except ImportError as fault:
        connection.send(
            StartFailed(f"The networks need {fault.name}, which is missing.", "Install reader-app again.")
        )
    except ValueError as fault:
        connection.send(StartFailed(f"The networks cannot run here: {fault}.", "Choose the device “cpu”."))
    except (MemoryError, RuntimeError) as fault:
        _log.exception("the networks could not be loaded")
        connection.send(
            StartFailed(f"The networks could not be loaded: {fault}.", "Close other programs, or try “cpu”.")
        )
    else:
        connection.send(Ready())
        return pipeline
    return None


def _answer(pipeline: Pipeline, request: Grade) -> Graded | Refused:
    try:
        return Graded(tuple(pipeline.pregrade_prepared(request.joints)))
    except PreGradeError as fault:
        return Refused(fault.what, fault.next_step, goes_on=True)
    except (MemoryError, RuntimeError) as fault:
        # After these the state of the libraries is unknown: answer, then end; a fresh process takes over.
        _log.exception("a pre-grade failed")
        return Refused(f"The AI could not grade this joint: {fault}.", "Grade it by hand.", goes_on=False)
