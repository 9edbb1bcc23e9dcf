"""Which way of computing is fastest on this machine: measured once, remembered in the user's data folder.

No torch here: what is measured, and how, lies in `reader_app.ai.nets.backends`.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from reader_app.errors import MissingPart
from reader_app.settings import data_folder

FAST_FOLDER = "fast"
CHOICES_FILE = "choices.json"
TRIES = 2
"""So often a process may end while it measures or compiles, before torch is taken for good."""

BUSY = 1.5
"""Load for each thread, from which on a measurement is made anew when the machine is quiet again."""
_FORMAT = 1
_LARGEST_FILE = 1_000_000
_VERSIONED = ("torch", "openvino", "nncf")


class Backend(StrEnum):
    """A way of computing the bodies of networks."""

    AUTO = "auto"
    """The fastest of those that give the same answers, as measured on this machine."""
    EAGER = "eager"
    CHANNELS_LAST = "channels-last"
    OPENVINO = "openvino"
    """Compiled for the CPU, in single precision."""
    OPENVINO_BF16 = "openvino-bf16"
    """Compiled, with products of 8 significant bits; for CPUs that have them.  Never chosen by itself."""
    OPENVINO_INT8 = "openvino-int8"
    """Compiled, with eight-bit weights and activations.  Never chosen by itself."""

    @property
    def is_compiled(self) -> bool:
        """Whether it needs the optional part ``fast``."""
        return self in (Backend.OPENVINO, Backend.OPENVINO_BF16, Backend.OPENVINO_INT8)


def find_backend(name: str) -> Backend:
    """Return the backend of this name.

    Raises
    ------
    MissingPart
        There is none of that name.
    """
    try:
        return Backend(name)
    except ValueError:
        raise MissingPart(
            f"There is no backend “{name}” for the networks.", f"Choose one of: {', '.join(Backend)}."
        ) from None


@dataclass(frozen=True)
class Situation:
    """All that decides which backend is fastest.

    Parameters
    ----------
    cpu
        The processor's name.
    threads
        That the networks may use.
    bundle_sha256
        Which networks.
    versions
        Of the libraries that compute.
    """

    cpu: str
    threads: int
    bundle_sha256: str
    versions: tuple[str, ...]

    @property
    def key(self) -> str:
        """One line that stands for it in the file."""
        return " | ".join((self.cpu, f"{self.threads} threads", *self.versions, self.bundle_sha256))


@dataclass(frozen=True)
class Choice:
    """The fastest backend, and what each of them took for one batch, in milliseconds."""

    backend: Backend
    milliseconds: Mapping[Backend, float]


def situation(bundle_sha256: str, threads: int) -> Situation:
    """Return the situation of this process."""
    versions = tuple(f"{name} {version}" for name in _VERSIONED if (version := _version(name)))
    return Situation(cpu_name(), threads, bundle_sha256, versions)


def usable_threads() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def compiled_backend_installed() -> bool:
    """Whether the optional part ``fast`` is there."""
    return importlib.util.find_spec("openvino") is not None


def machine_is_busy(threads: int) -> bool:
    """Whether clearly more waits for the cores than these threads; False where the system cannot tell."""
    try:
        return os.getloadavg()[0] > BUSY * threads
    except (AttributeError, OSError):
        return False


@cache
def cpu_name() -> str:
    """Return the processor's name as far as the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown"


def fast_folder() -> Path | None:
    """Return the folder of compiled networks and remembered choices; None where none can be made."""
    try:
        folder = data_folder() / FAST_FOLDER
        folder.mkdir(exist_ok=True)
    except (MissingPart, OSError):
        return None
    return folder


def recall(where: Situation, folder: Path | None) -> Choice | None:
    """Return what was measured before in this situation.

    None where nothing was, where it cannot be read, and where the machine was busy then and is quiet now.
    """
    found = _read(folder).get(where.key)
    if not isinstance(found, dict):
        return None
    if found.get("busy") and not machine_is_busy(where.threads):
        return None  # measured while something else took the cores: that says little of the backends
    if _unfinished(found) >= TRIES:
        return Choice(Backend.CHANNELS_LAST, {Backend.CHANNELS_LAST: 0.0})
    times = found.get("milliseconds")
    try:
        backend = Backend(found.get("backend", ""))
        milliseconds = {Backend(name): float(value) for name, value in dict(times or {}).items()}
    except (TypeError, ValueError):
        return None
    if backend not in milliseconds:
        return None
    return Choice(backend, milliseconds)


def begin(where: Situation, folder: Path | None) -> None:
    """Note that this process is about to measure or compile; `remember` takes the note back.

    A process that a compiler crashes, or that takes longer for it than it is given, would else be followed by
    one that tries the same again.
    """
    known = _read(folder)
    entry = known.get(where.key)
    before = entry if isinstance(entry, dict) else {}
    _write(folder, {**known, where.key: {**before, "unfinished": _unfinished(before) + 1}})


def remember(where: Situation, choice: Choice, folder: Path | None) -> None:
    """Keep what was measured; where it cannot be written, it is measured again another time."""
    entry = {
        "backend": choice.backend.value,
        "milliseconds": {name.value: round(value, 3) for name, value in choice.milliseconds.items()},
        "busy": machine_is_busy(where.threads),
    }
    _write(folder, {**_read(folder), where.key: entry})


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, even if two processes write it at once.

    Raises
    ------
    OSError
        It cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _unfinished(entry: Mapping[str, object]) -> int:
    count = entry.get("unfinished", 0)
    return count if isinstance(count, int) else 0


def _write(folder: Path | None, choices: Mapping[str, object]) -> None:
    if folder is None:
        return
    content = json.dumps({"format": _FORMAT, "choices": choices}, indent=1)
    with contextlib.suppress(OSError):
        write_whole(folder / CHOICES_FILE, content.encode("utf-8"))


def _read(folder: Path | None) -> dict[str, object]:
    """Return the file's choices; a damaged file holds none."""
    if folder is None:
        return {}
    file = folder / CHOICES_FILE
    try:
        if file.stat().st_size > _LARGEST_FILE:
            return {}
        table = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(table, dict) or table.get("format") != _FORMAT:
        return {}
    choices = table.get("choices")
    return choices if isinstance(choices, dict) else {}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
