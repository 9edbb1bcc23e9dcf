"""Where things are on this machine, and what the app remembers between starts. No Qt, no study data."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from reader_app import __version__
from reader_app.errors import MissingPart

APP_NAME = "reader-app"
HOME_VARIABLE = "READER_APP_HOME"
MAX_RECENT_STUDIES = 12

_PACKAGE = Path(__file__).resolve().parent


def software_version() -> str:
    """Return name and version of this software, as stamped on readings and reports."""
    return f"{APP_NAME} {__version__}"


def resources_folder() -> Path:
    """Return the folder that carries protocols, models and guides.

    Raises
    ------
    MissingPart
        If this installation has none.
    """
    if getattr(sys, "frozen", False):
        candidates = [Path(getattr(sys, "_MEIPASS", Path(sys.executable).parent)) / "resources"]
    else:
        # The wheel's copy comes first: beside an installed package, "resources" may be anybody's folder.
        candidates = [_PACKAGE / "_resources", _PACKAGE.parent / "resources"]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise MissingPart(
        f"The installation is incomplete: the folder {candidates[-1]} is missing.",
        "Install reader-app again.",
    )


def resource_path(*parts: str) -> Path:
    """Return the path of a file or folder that came with the software.

    Raises
    ------
    MissingPart
        If it is not there.
    """
    path = resources_folder().joinpath(*parts)
    if not path.exists():
        raise MissingPart(
            f"The installation is incomplete: {'/'.join(parts)} is missing in {resources_folder()}.",
            "Install reader-app again.",
        )
    return path


def data_folder() -> Path:
    """Return the user's folder for data such as installed bundles; it is made if need be."""
    return _user_folder("data", platformdirs.user_data_path(APP_NAME, appauthor=False))


def config_folder() -> Path:
    """Return the user's folder for settings; it is made if need be."""
    return _user_folder("config", platformdirs.user_config_path(APP_NAME, appauthor=False))


def log_folder() -> Path:
    """Return the user's folder for logs; it is made if need be."""
    return _user_folder("log", platformdirs.user_log_path(APP_NAME, appauthor=False))


def _user_folder(name: str, usual: Path) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    folder = Path(home).expanduser() / name if home else usual
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise MissingPart(
            f"The folder {folder} cannot be made: {fault.strerror or fault}.",
            f"Set the environment variable {HOME_VARIABLE} to a folder that you may write to.",
        ) from fault
    return folder


@dataclass(frozen=True)
class RecentStudy:
    """A study that was opened on this machine."""

    path: Path
    title: str

    @property
    def exists(self) -> bool:
        """Whether the folder can be reached now; a removable disk may come back."""
        try:
            return self.path.is_dir()
        except OSError:
            return False


def recent_studies() -> tuple[RecentStudy, ...]:
    """Return the studies opened last, newest first; a damaged list is an empty or a shorter list."""
    try:
        entries = json.loads(_recent_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ()
    if not isinstance(entries, list):
        return ()
    found: dict[Path, RecentStudy] = {}
    for entry in entries:
        study = _recent_from(entry)
        if study is not None:
            found.setdefault(study.path, study)
    return tuple(found.values())[:MAX_RECENT_STUDIES]


def _recent_from(entry: object) -> RecentStudy | None:
    if not isinstance(entry, dict):
        return None
    path, title = entry.get("path"), entry.get("title")
    if not isinstance(path, str) or not path or "\0" in path or not isinstance(title, str):
        return None
    return RecentStudy(path=Path(path), title=title)


def remember_study(path: Path, *, title: str) -> None:
    """Put a study at the head of the recent ones.

    Raises
    ------
    MissingPart
        If the list cannot be written.
    """
    study = RecentStudy(path=path.resolve(), title=title)
    others = [known for known in recent_studies() if known.path != study.path]
    _write_recent([study, *others][:MAX_RECENT_STUDIES])


def forget_study(path: Path) -> None:
    """Take a study out of the recent ones; the study itself stays.

    Raises
    ------
    MissingPart
        If the list cannot be written.
    """
    _write_recent([known for known in recent_studies() if known.path not in (path, path.resolve())])


def _recent_file() -> Path:
    return config_folder() / "recent.json"


def _write_recent(studies: list[RecentStudy]) -> None:
    text = json.dumps([{"path": str(study.path), "title": study.title} for study in studies], indent=1)
    target = _recent_file()
    partial = None
    try:
        # A private name, then one replace: neither a crash nor a second window leaves half a list behind.
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix="recent-", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(partial).replace(target)
    except OSError as fault:
        if partial is not None:
            with contextlib.suppress(OSError):
                Path(partial).unlink(missing_ok=True)
        raise MissingPart(
            f"The list of recent studies cannot be written to {target}: {fault.strerror or fault}.",
            f"Free some space, or set {HOME_VARIABLE} to a folder that you may write to.",
        ) from fault
