"""The wheel carries everything: what works in the checkout works where only the wheel is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the content of a freshly built wheel, and nothing of the checkout."""
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("*.whl")
    folder = out / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(unpacked: Path, home: Path, *words: str) -> str:
    """Run a command of the unpacked wheel in an empty folder; it must succeed."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(unpacked),
        "READER_APP_HOME": str(home),
        "READER_APP_USER": "carol",
        "READER_APP_PASSWORD": "a long password",
    }
    code = "import sys, reader_app; from reader_app.__main__ import main; "
    code += f"assert reader_app.__file__.startswith({str(unpacked)!r}), reader_app.__file__; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_study_is_made_and_reported_from_the_wheel_alone(unpacked: Path, tmp_path: Path) -> None:
    assert "hip-oarsi" in run(unpacked, tmp_path, "protocols", "list")
    assert "mrmc-crossover" in run(unpacked, tmp_path, "designs")
    study = str(tmp_path / "study")
    run(unpacked, tmp_path, "init", study, "--protocol", "knee-kl", "--title", "T", "--coordinator", "carol")
    run(unpacked, tmp_path, "freeze", study, "--reason", "Nothing is to be read.")
    run(unpacked, tmp_path, "report", study, "--out", str(tmp_path / "report"))
    assert (tmp_path / "report" / "report.html").stat().st_size > 1_000
    run(unpacked, tmp_path, "verify", study)
