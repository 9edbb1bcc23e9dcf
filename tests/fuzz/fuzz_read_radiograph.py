"""Feed damaged files to the imaging room for as long as one likes, guided by what code they reach.

Not part of the test run: pytest does not collect it, and its fuzzer (atheris, for Linux and macOS) is not
among our packages.  In an environment of its own::

    python -m venv fuzz
    fuzz/bin/pip install atheris numpy pydicom pillow python-gdcm pyjpegls pylibjpeg pylibjpeg-openjpeg \
        pylibjpeg-rle
    mkdir found
    PYTHONPATH=. fuzz/bin/python tests/fuzz/fuzz_read_radiograph.py found ../shared/data/dicom/corpus \
        -max_total_time=600 -max_len=65536 -timeout=20 -rss_limit_mb=2048 -detect_leaks=0

The first folder takes what reaches new code, the others are read for a start; the flags are libFuzzer's.
A file that breaks the promise, a film or one sentence, is left in the working folder as `crash-...`,
`timeout-...` or `oom-...`; given as the only argument it is read once more.
"""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["reader_app", "pydicom", "PIL", "libjpeg", "openjpeg", "rle", "jpeg_ls"]
):
    from reader_app.imaging import dicom, rasters  # noqa: F401 - loaded late otherwise, and so not seen
    from tests.imaging.verdicts import film_or_sentence

_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
_FILE = Path(_FOLDER.name) / f"{os.getpid()}"
atexit.register(_FOLDER.cleanup)


def read_bytes(data: bytes) -> None:
    """Read bytes as a file: anything but a film or one sentence is raised."""
    _FILE.write_bytes(data)
    film_or_sentence(_FILE)


if __name__ == "__main__":
    atheris.Setup(sys.argv, read_bytes)
    atheris.Fuzz()
