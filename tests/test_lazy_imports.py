"""Starting the window loads nothing heavy: a reader is at work before the networks are needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "timm", "pandas", "matplotlib", "scipy", "statsmodels", "skimage", "sklearn")
_PROBE = """
import importlib, sys
importlib.import_module({module!r})
print(" ".join(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def loaded_by(module: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(module=module)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "reader_app.app",
        "reader_app.ui.main_window",
        # What a reader and an adjudicator come to after log-in.
        "reader_app.ui.role_pages",
        "reader_app.ui.reading.page",
    ],
)
def test_the_window_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(module).isdisjoint(HEAVY)


def test_the_first_page_needs_no_database() -> None:
    assert loaded_by("reader_app.app").isdisjoint({"sqlalchemy", "alembic", "pydicom"})


def test_the_probe_would_see_a_heavy_module() -> None:
    assert "scipy" in loaded_by("scipy.special")
