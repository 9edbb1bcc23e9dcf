"""The window's composition root: it wires log, theme, window and fault reports, and computes nothing."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from reader_app.errors import MissingPart, ReaderError
from reader_app.settings import APP_NAME, log_folder
from reader_app.ui.background import finish_all
from reader_app.ui.error_dialog import BugReporter
from reader_app.ui.main_window import MainWindow
from reader_app.ui.theme import apply_theme

LOG_BYTES = 2_000_000
LOG_FILES = 3
_NO_DISPLAY = (
    "There is no display here, so the window cannot open.",
    "Start it on a desktop, work with the commands that “reader-app --help” lists, or set the environment "
    "variable QT_QPA_PLATFORM=offscreen to run the window where nobody sees it.",
)


def run_app(argv: Sequence[str]) -> int:
    """Open the window and stay until it is closed.

    Parameters
    ----------
    argv
        At most one argument: the folder of a study to open.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    MissingPart
        If there is no display.
    ReaderError
        If the arguments are not understood.
    """
    folder = study_argument(argv)
    application = make_application()
    log_file = open_log()
    # Ctrl+C in a terminal ends the app as it ends any program; every grade shown is stored by then.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    window = MainWindow()
    reporter = BugReporter(window, log_file=log_file)
    reporter.install()
    window.show()
    if folder is not None:
        # After the first paint: the window is there before the disk answers.
        QTimer.singleShot(0, window, lambda: window.open_study(folder))
    try:
        return int(application.exec())
    finally:
        reporter.uninstall()
        finish_all(application)


def study_argument(argv: Sequence[str]) -> Path | None:
    """Return the study folder among the arguments, None where there is none.

    Raises
    ------
    ReaderError
        If there is more than one argument, or an option.
    """
    options = [argument for argument in argv if argument.startswith("-")]
    if options:
        raise ReaderError(
            f"The window knows no option {options[0]}.", "Give it a study folder, or nothing at all."
        )
    if len(argv) > 1:
        raise ReaderError(
            f"The window opens one study, not {len(argv)}.", "Give it a single folder, in quotes if need be."
        )
    return Path(argv[0]).expanduser() if argv else None


def make_application() -> QApplication:
    """Return the application, themed; to be called once.

    Raises
    ------
    MissingPart
        If there is no display. Qt itself would end the program without a word that helps.
    """
    if not display_found(dict(os.environ), platform=sys.platform):
        raise MissingPart(*_NO_DISPLAY)
    QGuiApplication.setApplicationDisplayName("")
    application = QApplication([APP_NAME])
    application.setApplicationName(APP_NAME)
    application.setDesktopFileName(APP_NAME)
    apply_theme(application)
    return application


def display_found(environment: dict[str, str], *, platform: str) -> bool:
    """Say whether Qt will find a display.

    Only systems that show windows through X11 or Wayland can lack one; a display that is named but does
    not answer counts as none.
    """
    if environment.get("QT_QPA_PLATFORM") or not platform.startswith(("linux", "freebsd")):
        return True
    return _wayland_answers(environment) or _x11_answers(environment)


def _wayland_answers(environment: dict[str, str]) -> bool:
    name = environment.get("WAYLAND_DISPLAY")
    return bool(name) and _answers(str(Path(environment.get("XDG_RUNTIME_DIR", "/"), str(name))))


def _x11_answers(environment: dict[str, str]) -> bool:
    display = environment.get("DISPLAY", "")
    local = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", display)
    if local is None:
        # On another machine, as with ssh -X: only Qt can tell.
        return bool(display)
    path = f"/tmp/.X11-unix/X{local[1]}"
    return _answers(f"\0{path}") or _answers(path)


def _answers(path: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            probe.connect(path)
    except OSError:
        return False
    return True


def open_log() -> Path | None:
    """Send the log into the user's log folder; return the file, None where none can be written."""
    try:
        path = log_folder() / f"{APP_NAME}.log"
        handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    except (OSError, MissingPart):
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    return path
