"""The other end of `reader_app.ai.worker`: its process, and the messages between the two."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from reader_app.ai.bundle import load_bundle
from reader_app.ai.film_image import PreparedFilm
from reader_app.ai.located import Located
from reader_app.ai.pipeline import JointPreGrade, Pipeline, PreparedJoint
from reader_app.errors import ImageError, PreGradeError, ReaderError

NICENESS = 5
"""The window comes first: on a busy machine the worker yields."""

THREADS_SLEEP = "OMP_WAIT_POLICY"
"""Set to PASSIVE, torch's threads sleep at barriers.  Spinning, they keep a core from the window and, on a
busy machine, from each other: a tenth of the speed was seen."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setup:
    """What a process loads, and how it computes.

    Parameters
    ----------
    device
        "auto", "cpu", "cuda", "mps".
    threads
        On the CPU; None takes what the process may use.
    deterministic
        The same bits every time, where the device can; slower.
    backend
        "auto", "eager", "channels-last", "openvino", "openvino-int8".
    memory_bytes
        Of address space on top of what the loaded networks have, kept by the system on Linux; None for no
        limit.
    """

    bundle_folder: Path
    device: str = "auto"
    threads: int | None = None
    deterministic: bool = False
    backend: str = "auto"
    memory_bytes: int | None = None


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
    """Pre-grade these joints; `urgent` ones are on a screen, or will be soon."""

    joints: tuple[PreparedJoint, ...]
    urgent: bool = False


@dataclass(frozen=True, eq=False)
class Locate:
    """Find the joints on these films, by the quicker localizer if `light`; None where there is no GPU."""

    films: tuple[PreparedFilm, ...]
    light: bool | None
    urgent: bool = False


@dataclass(frozen=True, eq=False)
class Graded:
    """The answer to `Grade`, in its order; `notes` is what went otherwise than asked for so far."""

    results: tuple[JointPreGrade, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class LocatedFilms:
    """The answer to `Locate`, in its order; `notes` likewise."""

    results: tuple[Located, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """No answer to a request; the process goes on if it says so."""

    what: str
    next_step: str
    goes_on: bool


Question = Grade | Locate
Answer = Ready | StartFailed | Graded | LocatedFilms | Refused


def serve(connection: Connection, setup: Setup) -> None:
    """Load a bundle, then answer questions until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes the pipe
    os.environ.setdefault(THREADS_SLEEP, "PASSIVE")  # read when torch is loaded, later in this process
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
    with connection, contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        pipeline = _load(connection, setup)
        while pipeline is not None:
            answer = _answer(pipeline, connection.recv())
            connection.send(answer)
            if isinstance(answer, Refused) and not answer.goes_on:
                return


def _load(connection: Connection, setup: Setup) -> Pipeline | None:
    try:
        pipeline = load_pipeline(setup)
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


def load_pipeline(setup: Setup) -> Pipeline:
    """Load what a process is to compute with, in this process, and limit its memory if asked to."""
    pipeline = Pipeline(
        load_bundle(setup.bundle_folder),
        device=setup.device,
        threads=setup.threads,
        deterministic=setup.deterministic,
        backend=setup.backend,
    )
    if setup.memory_bytes is not None:
        limit_memory(setup.memory_bytes)
    return pipeline


def limit_memory(extra_bytes: int) -> None:
    """Refuse this process more address space than it has and so much more; Linux only."""
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + extra_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _answer(pipeline: Pipeline, question: Question) -> Answer:
    try:
        if isinstance(question, Locate):
            light = pipeline.device == "cpu" if question.light is None else question.light
            found = tuple(pipeline.locate(question.films, light=light, urgent=question.urgent))
            return LocatedFilms(found, pipeline.notes)
        return Graded(
            tuple(pipeline.pregrade_prepared(question.joints, urgent=question.urgent)), pipeline.notes
        )
    except (PreGradeError, ImageError) as fault:
        return Refused(fault.what, fault.next_step, goes_on=True)
    except (MemoryError, RuntimeError) as fault:
        # After these the state of the libraries is unknown: answer, then end; a fresh process takes over.
        _log.exception("a question to the networks failed")
        return Refused(f"The AI could not grade this joint: {fault}.", "Grade it by hand.", goes_on=False)
