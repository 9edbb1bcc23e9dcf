"""The command line as a script sees it: arguments in, exit code and two streams out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.__main__ import main

COORDINATOR = "Ada Moreno"
PASSWORD = "a long sentence"


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line that a fault may print."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("reader-app: ")
        assert "Traceback" not in self.err
        return lines[0]


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Run a command in this process as the coordinator, with a home folder of its own."""
    monkeypatch.setenv("READER_APP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("READER_APP_USER", COORDINATOR)
    monkeypatch.setenv("READER_APP_PASSWORD", PASSWORD)
    monkeypatch.setenv("READER_APP_NEW_PASSWORD", "another sentence")

    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    yield run
    assert not (tmp_path / "home" / "log").exists(), "a command wrote a log of a fault of ours"


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder with three different single joints as PNG files."""
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(3):
        write_film(folder / f"knee{number}.png", seed=number)
    return folder


def write_film(path: Path, *, seed: int) -> None:
    """Write a square picture with one bright leg in its middle; the same seed gives the same file."""
    random = np.random.default_rng(seed)
    across = np.exp(-(((np.arange(96) - 48) / 24) ** 2))
    picture = 200 * across[None, :] * np.ones((96, 1)) + random.integers(0, 40, (96, 96))
    Image.fromarray(picture.astype(np.uint8)).save(path)


@pytest.fixture
def study(cli: Cli, tmp_path: Path) -> Path:
    """A new study of the protocol knee-kl."""
    folder = tmp_path / "study"
    made = cli(
        "init",
        folder,
        "--protocol",
        "knee-kl",
        "--title",
        "Knees",
        "--coordinator",
        COORDINATOR,
        "--seed",
        "7",
    )
    assert made.code == 0, made.err
    return folder
