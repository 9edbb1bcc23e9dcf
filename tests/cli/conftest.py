"""The command line as a script sees it: arguments in, exit code and two streams out."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from reader_app.__main__ import main

if TYPE_CHECKING:
    from reader_app.ai.nets.grader import Grader

COORDINATOR = "Ada Moreno"
PASSWORD = "a long sentence"
GRADES = (0, 1, 2, 3, 4, 2, 0, 3)
"""Of the eight readable joints."""


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
    """Write a square picture of one joint; the same seed gives the same file."""
    Image.fromarray(leg(seed)).save(path)


def leg(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return a square picture with one bright leg in its middle, coarser with some seeds than with others."""
    random = np.random.default_rng(seed)
    across = np.exp(-(((np.arange(96) - 48) / 24) ** 2))
    cell = 2 ** random.integers(0, 4)
    noise = np.kron(random.integers(0, 60, (96 // cell, 96 // cell)), np.ones((cell, cell)))
    return np.asarray(180 * across[None, :] * np.ones((96, 1)) + noise, dtype=np.uint8)


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


@pytest.fixture
def joints(tmp_path: Path) -> Path:
    """Eight joints of four participants, one that is unreadable, and two rows of another split."""
    folder = tmp_path / "joints"
    folder.mkdir()
    rows = [("Image", "Split", "Participant", "Side", "KL")]
    for number, grade in enumerate(GRADES):
        write_film(folder / f"{number}.png", seed=number)
        rows.append((f"{number}.png", "test", f"p{number // 2}", "LR"[number % 2], str(grade)))
    (folder / "cut.png").write_bytes((folder / "0.png").read_bytes()[:200])
    rows.append(("cut.png", "Test", "p9", "L", "1"))
    rows += [("gone.png", "train", "p8", "L", "1"), ("gone.png", "train", "p8", "L", "9")]
    with (folder / "labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return folder


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real, small bundle for the protocol knee-kl that knows nothing, yet grades films differently."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # its threads must not spin on a busy machine
    import torch
    from safetensors.torch import save_file

    from reader_app.ai.bundle import Member, write_bundle
    from reader_app.ai.nets.distance import fit_gaussian
    from reader_app.ai.nets.grader import HeadSpec, build_grader
    from tests.small_bundles import small_spec

    folder = tmp_path_factory.mktemp("bundles") / "random-knees"
    folder.mkdir()
    torch.manual_seed(0)
    architecture = "tf_efficientnet_lite0"
    grader = build_grader(architecture, [HeadSpec("KL", 5)])
    _spread_grades(grader)
    save_file(grader.state_dict(), folder / "model.safetensors")
    features = np.random.default_rng(0).normal(size=(64, grader.width)).astype(np.float32)
    fit_gaussian(features, 8).save(folder / "statistics.safetensors")
    spec = small_spec(
        id="random-knees",
        version="0.0.1",
        title="Random weights",
        members=(Member(architecture, "model.safetensors", ""),),
    )
    return write_bundle(folder, spec).folder


def _spread_grades(grader: Grader) -> None:
    """Set the head so that the grade follows what random features differ most in, over the whole scale."""
    import torch

    from reader_app.ai.crop import Preprocessing, crop_joint, network_input

    with torch.no_grad():
        crops = [crop_joint(leg(seed), Preprocessing(size=64), side="R").pixels for seed in range(16)]
        features = grader.eval().pooled(grader.features(torch.from_numpy(network_input(crops))))
        mean = features.mean(dim=0)
        direction = torch.linalg.svd(features - mean, full_matrices=False).Vh[0]
        direction /= ((features - mean) @ direction).std()
        # Logits s^2 - (s - k)^2 of a severity s, 2 in the mean: linear in s, highest at the nearest k.
        codes = torch.arange(5.0)
        head: Any = grader.heads[0]
        head.weight.copy_(2 * codes[:, None] * direction[None, :] * 1.4)
        head.bias.copy_(2 * codes * (2 - 1.4 * mean @ direction) - codes**2)
