"""What the processes of the tests do with files: modules of tests are not imported by them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.errors import ImageError, MissingPart

if TYPE_CHECKING:
    from reader_app.operations.inspect import Inspection


def size(path: Path) -> int:
    return path.stat().st_size


def name(path: Path) -> str:
    return path.name


def as_named(path: Path) -> object:
    """What a file's name asks for; most of it is what decoders do to damaged files."""
    if path.stem.startswith("abort"):
        os.abort()
    if path.stem.startswith("segfault"):
        ctypes.string_at(0)
    if path.stem.startswith("exit"):
        os._exit(3)
    if path.stem.startswith("hang"):
        hang(path)
    if path.stem.startswith("greedy"):
        return len(bytearray(4 << 30))
    if path.stem.startswith("damaged"):
        raise ImageError(f"{path} is damaged.", "Export it again.")
    if path.stem.startswith("wrapped"):
        try:
            bytearray(4 << 30)
        except MemoryError as error:
            raise ImageError(f"{path} does not fit.") from error
    if path.stem.startswith("disk"):
        raise MissingPart("The disk is full.", "Make room.")
    if path.stem.startswith("bug"):
        raise KeyError("a bug of ours")
    if path.stem.startswith("unpicklable"):
        return lambda: None
    return path.name


def hang(path: Path) -> None:
    """Keep the interpreter busy in C without ever giving it back, as a stuck decoder does."""
    ctypes.PyDLL(None).sleep(600)


def hang_in_python(path: Path) -> None:
    while True:
        pass


def tell_and_hang(path: Path) -> None:
    """Write this process's number into the pipe of that name, then hang in C."""
    path.write_text(f"{os.getpid()}\n")
    hang(path)


def tell_and_hang_in_python(path: Path) -> None:
    path.write_text(f"{os.getpid()}\n")
    hang_in_python(path)


def tell_and_return(path: Path) -> None:
    path.write_text(f"{os.getpid()}\n")


@dataclass(frozen=True)
class CrashesOnce:
    """Dies on the file if it is the second or a later one of its process: damage that another file left."""

    def __call__(self, path: Path) -> int:
        if path.stem == "victim" and _seen:
            os.abort()
        _seen.append(path)
        return os.getpid()


_seen: list[Path] = []


@dataclass(frozen=True)
class Large:
    """Returns that many bytes for each file."""

    count: int

    def __call__(self, path: Path) -> bytes:
        return bytes(self.count if path.name else 0)


def surroundings(path: Path) -> dict[str, object]:
    """What the process is like."""
    import numpy as np

    os.write(1, b"noise on the output\n")
    os.write(2, b"noise on the error stream\n")
    print("more noise", file=sys.stderr)
    found: dict[str, object] = {
        "threads": os.environ["OPENBLAS_NUM_THREADS"],
        "modules": sorted({module.partition(".")[0] for module in sys.modules}),
        "numpy": np.__version__,
    }
    with contextlib.suppress(ImportError):
        import resource

        found["core"] = resource.getrlimit(resource.RLIMIT_CORE)[0]
        found["interrupt"] = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return found


def inspected_with_peak(path: Path) -> tuple[Inspection, int]:
    """Inspect a file; with it the most memory in bytes that this process has ever had resident."""
    from reader_app.operations.inspect import inspect_file

    found = inspect_file(path)
    # Not getrusage: its maximum is inherited from the parent, however large that is (Linux, across exec).
    status = Path("/proc/self/status").read_text("ascii", "replace")
    return found, int(status.partition("VmHWM:")[2].split()[0]) << 10


def decoded_by_gdcm(path: Path) -> tuple[int, ...]:
    """Decode a file with GDCM and nobody's care: on some damaged files it ends the process."""
    import pydicom
    from pydicom.pixels.decoders.base import get_decoder

    dataset = pydicom.dcmread(path)
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    return decoder.as_array(dataset, decoding_plugin="gdcm")[0].shape


def verdict_on(path: Path) -> str:
    """What comes of a file, which must be a film or one sentence."""
    from tests.imaging.verdicts import film_or_sentence

    return type(film_or_sentence(path)).__name__
