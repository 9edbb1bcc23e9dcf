"""Take an installed bundle away; what it has pre-graded stays with its studies."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from reader_app.errors import BundleError, ReaderError
from reader_app.operations.bundle_list import ListedBundle, Origin, list_bundles
from reader_app.operations.study import Study
from reader_app.operations.study_config import read_config
from reader_app.settings import recent_studies
from reader_app.store.bundle_notes import note_bundle
from reader_app.store.pregrades import bundles_used
from reader_app.store.records import Actor


def bundle_to_remove(wanted: str, study: Study | None = None) -> ListedBundle:
    """Return the installed bundle that a name stands for, also one that cannot be used any more.

    Parameters
    ----------
    wanted
        An id, or ``id@version``.
    study
        Whose bundles; None for the user's.

    Raises
    ------
    BundleError
        None of that name is installed there, several are, or it came with the software.
    """
    name, _, version = wanted.partition("@")
    there = [
        listed
        for listed in list_bundles(study)
        if listed.placed.id == name and version in ("", listed.placed.version)
    ]
    own = [listed for listed in there if listed.origin is (Origin.STUDY if study else Origin.USER)]
    if not own and any(listed.origin is Origin.SHIPPED for listed in there):
        raise BundleError(
            f"The bundle “{wanted}” came with the software and stays.",
            "Install a higher version, which then goes before it.",
        )
    if not own:
        whose = "for this study" if study else "for this user"
        raise BundleError(
            f"The bundle “{wanted}” is not installed {whose}.",
            "`reader-app bundles list` tells which are; --study names a study.",
        )
    if len(own) > 1:
        versions = ", ".join(listed.placed.version for listed in own)
        raise BundleError(
            f"The bundle “{name}” is installed in several versions: {versions}.",
            f"Name one, such as {name}@{own[0].placed.version}.",
        )
    return own[0]


def removal_warnings(listed: ListedBundle, study: Study | None, actor: Actor | None) -> tuple[str, ...]:
    """Return, as sentences, which studies will miss a bundle.

    Parameters
    ----------
    study, actor
        The study whose bundle it is, and who asks; pre-grades of other studies are not looked into.

    Raises
    ------
    NotAllowed
        If the acting account is neither coordinator nor auditor.
    """
    placed = listed.placed
    told = []
    if study is not None and actor is not None:
        told += [
            f"{use.joints} joints of this study were pre-graded with it; their pre-grades stay, and new "
            "joints will get none of it."
            for use in bundles_used(study.database, actor)
            if (use.bundle_id, use.bundle_version) == (placed.id, placed.version)
        ]
    for title in _studies_that_name(placed.id):
        told.append(f"The study “{title}”, opened here not long ago, names the bundle “{placed.id}”.")
    return tuple(told)


def remove_for_study(study: Study, actor: Actor, listed: ListedBundle) -> None:
    """Take a bundle of one study away, and write so into its journal; raises like `remove_bundle`.

    Raises
    ------
    NotAllowed
        If the acting account is no coordinator.
    StudyFrozen
        If the study is frozen.
    """
    note_bundle(
        study.database,
        actor,
        installed=False,
        name=listed.placed.id,
        version=listed.placed.version,
        sha256=listed.bundle.sha256 if listed.bundle is not None else "",
    )
    remove_bundle(listed)


def remove_bundle(listed: ListedBundle) -> None:
    """Take an installed bundle away.

    Raises
    ------
    BundleError
        It came with the software, or its folder cannot be removed.
    """
    folder = listed.placed.folder
    if listed.origin is Origin.SHIPPED:
        raise BundleError(f"The bundle “{listed.placed.id}” came with the software and stays.", "Leave it.")
    try:
        if folder.is_symlink():
            folder.unlink()
            return
        # Hidden in one step: a removal that is cut off leaves no half bundle behind.
        hidden = folder.with_name(f".incoming-removed-{os.getpid()}-{folder.name}")
        folder.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as fault:
        raise BundleError(
            f"The bundle in {folder} cannot be removed: {fault.strerror or fault}.",
            "Check that you may write there.",
        ) from fault


def _studies_that_name(id: str) -> list[str]:
    found = []
    for recent in recent_studies():
        try:
            config = read_config(Path(recent.path))
        except ReaderError:
            continue  # moved or on a disk that is not there: nothing can be said of it
        if config.bundle is not None and config.bundle.partition("@")[0] == id:
            found.append(config.title)
    return found
