"""Which bundle pre-grades a study, and where it lies."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from reader_app.ai.bundle import Bundle, find_bundle, load_bundle
from reader_app.errors import BundleError, MissingPart
from reader_app.operations.study import Study
from reader_app.settings import data_folder, resource_path


def bundle_folders(study: Study) -> tuple[Path, ...]:
    """Return where bundles are looked for: in the study, in the user's folder, with the software."""
    folders = [study.folder / "bundles", data_folder() / "bundles"]
    with suppress(MissingPart):  # an installation without models can still use the user's own
        folders.append(resource_path("models"))
    return tuple(folders)


def bundle_of(study: Study, wanted: str | None = None) -> Bundle:
    """Return the bundle that pre-grades this study, verified.

    Parameters
    ----------
    wanted
        The id of a bundle, or the path of its folder; None takes the one that the study names.

    Raises
    ------
    BundleError
        If the study names none, none is installed, it was altered, or it is for another protocol.
    """
    name = wanted or study.config.bundle
    if not name:
        raise BundleError(
            f"The protocol “{study.protocol.id}” names no bundle, so there is no pre-grade.",
            "Reading works without; or name a bundle with --bundle.",
        )
    folder = Path(name).expanduser()
    path = folder if folder.is_dir() else find_bundle(name, *bundle_folders(study))
    bundle = _verified(path, _stamp(path))
    bundle.check_protocol(study.protocol.id, study.protocol.sha256)
    return bundle


@lru_cache(maxsize=4)
def _verified(path: Path, stamp: tuple[tuple[str, int, int], ...]) -> Bundle:
    """Hash the weights once for as long as no file of the bundle changes (`stamp` is the cache's key)."""
    del stamp
    return load_bundle(path)


def _stamp(path: Path) -> tuple[tuple[str, int, int], ...]:
    files = sorted(file for file in path.iterdir() if file.is_file())
    return tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
