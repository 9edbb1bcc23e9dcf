from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from reader_app.errors import ImageError
from reader_app.interop.whole_files import write_whole

_KILLED_WHILE_IT_WRITES = """
import os, sys
from pathlib import Path
from reader_app.interop.whole_files import write_whole

def write(file):
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), 9)

write_whole(Path(sys.argv[1]), write)
"""


def killed_writer(target: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED_WHILE_IT_WRITES, str(target)], check=False)
    assert done.returncode != 0


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself SIGKILL there")
def test_what_a_killed_process_left_of_a_file_goes_when_the_file_is_written_again(tmp_path: Path) -> None:
    target, other = tmp_path / "[film] 1.png", tmp_path / "film 2.png"
    killed_writer(target)
    killed_writer(other)
    assert len(list(tmp_path.iterdir())) == 2
    write_whole(target, lambda file: file.write(b"whole"))
    assert target.read_bytes() == b"whole"
    left = [path.name for path in tmp_path.iterdir() if path != target]
    assert len(left) == 1  # what is left of another file is not ours to judge
    assert left[0].startswith(".film 2-")


def test_a_file_that_somebody_else_writes_now_is_let_be(tmp_path: Path) -> None:
    target = tmp_path / "film.png"

    def write(file: BinaryIO) -> None:
        write_whole(target, lambda inner: inner.write(b"the other"))
        file.write(b"mine")

    write_whole(target, write)
    assert [path.name for path in tmp_path.iterdir()] == ["film.png"]
    assert target.read_bytes() == b"mine"


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "film.png"
    target.write_bytes(b"old")

    def write(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ImageError, match="No space left"):
        write_whole(target, write)
    assert [path.name for path in tmp_path.iterdir()] == ["film.png"]
    assert target.read_bytes() == b"old"
