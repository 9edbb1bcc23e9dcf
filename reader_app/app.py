"""The window's composition root: it wires log, theme, window and fault reports, and computes nothing."""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

import PySide6
from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from reader_app.errors import MissingPart, ReaderError
from reader_app.settings import APP_NAME, HOME_VARIABLE, log_folder
from reader_app.ui.background import finish_all
from reader_app.ui.error_dialog import BugReporter
from reader_app.ui.main_window import MainWindow
from reader_app.ui.theme import apply_theme

if TYPE_CHECKING:
    from reader_app.ui.demo.show import DemoResult

LOG_BYTES = 2_000_000
LOG_FILES = 3
_NO_DISPLAY = (
    "There is no display here, so the window cannot open.",
    "Start it on a desktop, work with the commands that “reader-app --help” lists, or set the environment "
    "variable QT_QPA_PLATFORM=offscreen to run the window where nobody sees it.",
)


_X11_PACKAGES = (
    "On Debian and Ubuntu: apt-get install libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 "
    "libxcb-render-util0 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0"
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
    open_log()
    # Ctrl+C in a terminal ends the app as it ends any program; every grade shown is stored by then.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    window = MainWindow()
    reporter = BugReporter(window)
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


def run_demo(argv: Sequence[str]) -> int:
    """Play the whole job on phantom radiographs, offscreen where there is no display.

    Parameters
    ----------
    argv
        Options; ``--help`` lists them.

    Raises
    ------
    ReaderError
        If the arguments are not understood or a file cannot be written.
    """
    # Only here: the window itself must not wait for what only the demo needs.
    from reader_app.ui.demo.show import make_films, play_demo

    options = _demo_options(argv)
    folder = options.out.expanduser().resolve() / f"{datetime.now():%Y-%m-%d-%H%M%S}"
    # The demo's study must not turn up among the user's own.
    os.environ[HOME_VARIABLE] = str(folder / "home")
    watched = display_found(dict(os.environ), platform=sys.platform) and not is_offscreen()
    if not watched:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        _tell("there is no display here: rendering offscreen, nobody needs to watch")
    manifest = make_films(folder / "films", participants=options.participants, tell=_tell)
    application = make_application()
    if not watched:
        _hush_offscreen()
    open_log()
    window = MainWindow()
    window.resize(*options.size)
    window.show()
    try:
        result = play_demo(window, folder, manifest=manifest, watched=watched, tell=_tell)
        _tell_result(result)
        if watched:
            _tell("the window stays open: log in as carol, anna, ben or eva, or close it")
            application.exec()
    finally:
        window.close()
        finish_all(application)
    return 0


def _hush_offscreen() -> None:
    """Drop Qt's remark that nothing offscreen has size hints; all else goes to the error stream."""

    def pass_on(_kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if "propagateSizeHints" not in text:
            print(text, file=sys.stderr)

    qInstallMessageHandler(pass_on)


def _demo_options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="reader-app demo",
        description="Play the whole job on phantom radiographs, from the import to the report.",
    )
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="where study, pictures, report go")
    parser.add_argument("--participants", type=int, default=8, choices=range(2, 201), metavar="2-200")
    parser.add_argument(
        "--size",
        type=_window_size,
        default=(1600, 1000),
        metavar="WIDTHxHEIGHT",
        help="of the window, 1600x1000 if not told",
    )
    return parser.parse_args(list(argv))


def _window_size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{3,5})x(\d{3,5})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"“{text}” is no size such as 1280x720")
    return int(found[1]), int(found[2])


def is_offscreen() -> bool:
    """Whether Qt was told to draw where nobody sees it."""
    return os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0] in ("offscreen", "minimal", "vnc")


def _tell(sentence: str) -> None:
    print(f"[demo] {sentence}", flush=True)


def _tell_result(result: DemoResult) -> None:
    _tell(f"{len(result.pictures)} pictures in {result.pictures[0].parent}")
    _tell(f"the report: {result.report}")
    _tell(f"the study: {result.study}, password of every account: {result.password}")


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
    library = missing_library(dict(os.environ), platform=sys.platform)
    if library is not None:
        raise MissingPart(f"The window cannot open: the system library {library} is missing.", _X11_PACKAGES)
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


def missing_library(environment: dict[str, str], *, platform: str) -> str | None:
    """Return the name of a system library that Qt lacks for an X11 display, None if it lacks none.

    Qt itself would abort the process. Its plugin is loaded here as Qt would load it.
    """
    if (
        not platform.startswith("linux")
        or environment.get("QT_QPA_PLATFORM")
        or _wayland_answers(environment)
    ):
        return None
    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    try:
        ctypes.CDLL(str(plugin))
    except OSError as fault:
        found = re.search(r"(lib[\w.+-]+\.so[.\d]*): cannot open", str(fault))
        return found[1] if found else None
    return None


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
