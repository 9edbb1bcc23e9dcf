"""What the plays of the whole job share: a window and a home of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from reader_app.settings import HOME_VARIABLE
from reader_app.ui.background import finish_all
from reader_app.ui.main_window import MainWindow
from reader_app.ui.theme import apply_theme


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, so that nobody's recent studies change."""
    folder = tmp_path / "home"
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    return folder


@pytest.fixture
def window(qapp: QApplication, home: Path) -> Iterator[MainWindow]:
    """The real window, on a small laptop's screen."""
    apply_theme(qapp)
    found = MainWindow()
    found.resize(1280, 720)
    found.show()
    yield found
    found.close()
    found.deleteLater()
    finish_all(qapp)
    qapp.processEvents()
