"""Which bundle pre-grades a study, where it lies, and whether it may."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from reader_app.ai.bundle import Bundle, find_bundle, load_bundle
from reader_app.ai.bundle_spec import TrainedOn
from reader_app.errors import BundleError, MissingPart
from reader_app.operations.study import Study
from reader_app.settings import data_folder, resource_path
from reader_app.store import identity

FOLDER = "bundles"
"""Of a study, or of the user's data."""


def users_bundles() -> Path:
    """Return the folder of the bundles that serve every study on this computer."""
    return data_folder() / FOLDER


def studys_bundles(study_folder: Path) -> Path:
    """Return the folder of the bundles that serve one study alone."""
    return study_folder / FOLDER


def shipped_bundles() -> Path | None:
    """Return the folder of the bundles that came with the software, None where it came without."""
    with suppress(MissingPart):  # an installation without models can still use the user's own
        return resource_path("models")
    return None


def bundle_folders(study: Study | None = None) -> tuple[Path, ...]:
    """Return where bundles are looked for: in the study, in the user's folder, with the software."""
    folders = [] if study is None else [studys_bundles(study.folder)]
    folders.append(users_bundles())
    shipped = shipped_bundles()
    return tuple(folders if shipped is None else [*folders, shipped])


def installed_bundle(wanted: str, *folders: Path) -> Bundle:
    """Return a bundle, verified.

    Parameters
    ----------
    wanted
        The id of a bundle, ``id@version``, or the path of its folder.
    folders
        Where an id is looked for.

    Raises
    ------
    BundleError
        If there is none, or it was altered.
    """
    folder = Path(wanted).expanduser()
    if folder.is_dir():
        return _verified(folder, _stamp(folder))
    if folder.name != wanted:
        raise BundleError(f"There is no bundle in {folder}.", "Name the folder with bundle.toml, or an id.")
    path = find_bundle(wanted, *folders)
    return _verified(path, _stamp(path))


def bundle_of(study: Study, wanted: str | None = None) -> Bundle:
    """Return the bundle that pre-grades this study, verified.

    Parameters
    ----------
    wanted
        The id of a bundle, ``id@version``, or the path of its folder; None takes the study's own.

    Raises
    ------
    BundleError
        If the study names none, none is installed, it was altered, it is for another protocol, or it learned
        from phantoms or from nothing and the study has radiographs of people.
    """
    name = wanted or study.config.bundle
    if not name:
        raise BundleError(
            f"The protocol “{study.protocol.id}” names no bundle, so there is no pre-grade.",
            "Reading works without; or name a bundle with --bundle.",
        )
    bundle = installed_bundle(name, *bundle_folders(study))
    bundle.check_protocol(study.protocol.id, study.protocol.sha256)
    _check_knowledge(study, bundle)
    return bundle


def knowledge_warning(bundle: Bundle) -> str:
    """Return what is to be told beside figures of a bundle that may not grade people; empty for others."""
    return {
        TrainedOn.RADIOGRAPHS: "",
        TrainedOn.PHANTOMS: f"The bundle “{bundle.id}” learned from phantoms: it grades no study of people.",
        TrainedOn.NOTHING: f"The bundle “{bundle.id}” has random weights: it grades no study at all.",
    }[bundle.spec.trained_on]


def _check_knowledge(study: Study, bundle: Bundle) -> None:
    """Refuse networks that never saw a radiograph of a person, where there is one to be graded."""
    trained_on = bundle.spec.trained_on
    if trained_on is TrainedOn.NOTHING:
        raise BundleError(
            f"The bundle “{bundle.id}” has random weights and has learned nothing, so it grades no study.",
            "Install a trained bundle; reading works without one.",
        )
    if trained_on is TrainedOn.PHANTOMS and identity.has_real_films(study.database):
        raise BundleError(
            f"The bundle “{bundle.id}” learned from phantoms, and this study has radiographs of people.",
            "Install a bundle that learned from radiographs; reading works without one.",
        )


@lru_cache(maxsize=4)
def _verified(path: Path, stamp: tuple[tuple[str, int, int], ...]) -> Bundle:
    """Hash the weights once for as long as no file of the bundle changes (`stamp` is the cache's key)."""
    del stamp
    return load_bundle(path)


def _stamp(path: Path) -> tuple[tuple[str, int, int], ...]:
    files = sorted(file for file in path.iterdir() if file.is_file())
    return tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
