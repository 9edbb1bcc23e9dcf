from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from reader_app.errors import ImageError
from reader_app.interop.whole_files import sweep_folder, write_whole, written_aside

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


def test_a_file_that_is_written_aside_is_there_once_it_is_put(tmp_path: Path) -> None:
    target = tmp_path / "copy.bin"
    with written_aside(target, lambda file: file.write(b"whole")) as put:
        assert not target.exists()
        put()
        assert target.read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["copy.bin"]


def test_a_file_that_is_never_put_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "copy.bin"
    target.write_bytes(b"older")
    with written_aside(target, lambda file: file.write(b"newer")):
        pass
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("copy.bin", b"older")]


def test_a_folder_is_swept_of_what_killed_writers_left_but_not_of_what_is_being_written(
    tmp_path: Path,
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    killed_writer(inner / "killed.bin")
    assert len(list(inner.iterdir())) == 1
    with written_aside(inner / "busy.bin", lambda file: file.write(b"whole")) as put:
        assert sweep_folder(tmp_path) == 1
        put()
    assert [path.name for path in inner.iterdir()] == ["busy.bin"]
    assert sweep_folder(tmp_path / "not here") == 0
