"""What all tests share: where the real data are, and the embedded defaults."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import reader_app.ui  # noqa: F401 - guards the interpreter before any test touches Qt
from reader_app.settings import resources_folder
from tests.postgres_server import PostgresServer, ServerMissing, running_server

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# No test asserts on time, so neither do properties; the same examples come every time.
hypothesis.settings.register_profile("reader-app", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("reader-app")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real radiographs and golden figures beside the checkout; skips where it is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"real data are not here: {SHARED} is missing")
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of these tests' own; skips, in words, where none can be started."""
    try:
        with running_server() as server:
            yield server
    except ServerMissing as reason:
        pytest.skip(str(reason))


@pytest.fixture
def shipped_bundle() -> Path:
    """The folder of the bundle that comes with the software; skips where a checkout has none."""
    folder = resources_folder() / "models" / "knee-kl"
    if not (folder / "bundle.toml").is_file():
        pytest.skip(f"this checkout carries no bundle: {folder} is missing")
    return folder
