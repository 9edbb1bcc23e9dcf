"""Take a bundle in, from a folder or a zip file: verified before and after, and whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.bundle_files import BUNDLE_FILE, IGNORED, check_pickles
from reader_app.errors import BundleError
from reader_app.operations.bundle_verify import check_tensors
from reader_app.operations.bundles import studys_bundles
from reader_app.operations.study import Study
from reader_app.store.bundle_notes import note_bundle
from reader_app.store.records import Actor

LARGEST = 8 << 30
"""Bytes that a bundle may have once it is unpacked; the heaviest recipe makes half a gigabyte."""

_MOST_FILES = 200
_MOST_SHRUNK = 100  # random bits hardly shrink; a file that shrinks so much hides a bomb
_SMALL = 1 << 20  # below this a file may shrink as it likes: texts do
_CHUNK = 1 << 20
_LEFT_OVER = 86_400.0  # seconds after which an attempt that was cut off is cleared away
_PREFIX = ".incoming-"
_AGAIN = "Ask its maker for another copy; nothing was installed."


@dataclass(frozen=True)
class Installed:
    """A bundle that is installed now.

    Attributes
    ----------
    new
        False where this very bundle lay there before.
    """

    bundle: Bundle
    new: bool


def install_for_study(study: Study, actor: Actor, source: Path) -> Installed:
    """Install a bundle for one study alone, and write so into its journal; raises like `install_bundle`.

    Raises
    ------
    NotAllowed
        If the acting account is no coordinator.
    StudyFrozen
        If the study is frozen.
    """

    def note(bundle: Bundle) -> None:
        note_bundle(
            study.database,
            actor,
            installed=True,
            name=bundle.id,
            version=bundle.version,
            sha256=bundle.sha256,
        )

    return install_bundle(source, studys_bundles(study.folder), tell=note)


def install_bundle(
    source: Path, target: Path, *, tell: Callable[[Bundle], None] = lambda _bundle: None
) -> Installed:
    """Copy a bundle into a folder of bundles, beside other versions of it.

    Parameters
    ----------
    source
        A bundle's folder, or a zip file that holds one.
    target
        The user's folder of bundles, or a study's; it is made if need be.
    tell
        Called with the bundle once nothing but its last step is left; what it raises keeps the bundle out.

    Raises
    ------
    BundleError
        The source is no whole bundle, is not what its maker stated, or holds a pickle, a link or a path that
        leads elsewhere; another bundle of this id and version is installed; or the disk does not take it.
    """
    source = source.expanduser()
    if not source.exists():
        raise BundleError(f"There is no bundle in {source}.", "Name a bundle's folder, or a zip file of one.")
    try:
        target.mkdir(parents=True, exist_ok=True)
        with _staging(target) as staged:
            if source.is_dir():
                _copy_folder(source, staged)
            else:
                _unpack(source, staged)
            return _put_in_place(staged, target, tell)
    except OSError as fault:
        raise BundleError(
            f"The bundle cannot be copied into {target}: {fault.strerror or fault}.",
            "Free some space, or check that you may write there; nothing was installed.",
        ) from fault


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Give a folder beside the final one, so that moving it there is one step; it goes in any case."""
    for left in target.glob(f"{_PREFIX}*"):
        if time.time() - left.stat().st_mtime > _LEFT_OVER:
            shutil.rmtree(left, ignore_errors=True)
    staged = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target))
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _put_in_place(staged: Path, target: Path, tell: Callable[[Bundle], None]) -> Installed:
    bundle = load_bundle(staged)
    check_tensors(bundle)
    final = target / f"{bundle.id}-{bundle.version}"
    if final.exists():
        there = load_bundle(final)
        if there.sha256 == bundle.sha256:
            return Installed(there, new=False)
        raise BundleError(
            f"Another bundle “{bundle.id}” of version {bundle.version} lies in {final}.",
            "Remove that one first, or ask the maker of this one for a version of its own.",
        )
    for file in staged.iterdir():
        file.chmod(0o644)
        _to_disk(file)
    staged.chmod(0o755)  # made for its owner alone
    tell(bundle)
    staged.rename(final)
    return Installed(replace(bundle, folder=final), new=True)


def _to_disk(file: Path) -> None:
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())


def _copy_folder(source: Path, staged: Path) -> None:
    """Verify a folder where it lies, then copy what belongs to the bundle."""
    paths = sorted(path for path in source.iterdir() if path.name not in IGNORED)
    for path in paths:
        if path.is_symlink():
            raise BundleError(f"{path} is a link; a bundle holds its files itself.", _AGAIN)
    bundle = load_bundle(source)
    check_tensors(bundle)
    size = sum(path.stat().st_size for path in paths)
    _check_room(size, staged)
    for path in paths:
        if not path.name.endswith(".part"):
            shutil.copyfile(path, staged / path.name)


def _unpack(source: Path, staged: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            members = _members(archive.infolist(), source)
            check_pickles(f"{name} in {source.name}" for name in members)
            _check_room(sum(info.file_size for info in members.values()), staged)
            for name, info in members.items():
                _extract(archive, info, staged / name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as fault:
        raise BundleError(f"{source} is no zip file that can be unpacked: {fault}.", _AGAIN) from fault


def _members(entries: Iterable[zipfile.ZipInfo], source: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the files of the one bundle in an archive by name, after refusing everything odd."""
    files = [entry for entry in entries if not entry.is_dir() and not _left_behind(entry.filename)]
    if len(files) > _MOST_FILES:
        raise BundleError(f"{source.name} holds {len(files)} files, far more than a bundle has.", _AGAIN)
    for entry in files:
        _check_entry(entry, source)
    roots = {PurePosixPath(entry.filename).parent for entry in files if _name(entry) == BUNDLE_FILE}
    if len(roots) != 1:
        what = "no bundle" if not roots else "more than one bundle"
        raise BundleError(f"{source.name} holds {what}: it needs one {BUNDLE_FILE}.", _AGAIN)
    (root,) = roots
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in files:
        if PurePosixPath(entry.filename).parent != root:
            raise BundleError(f"{entry.filename} in {source.name} does not belong into the bundle.", _AGAIN)
        if members.setdefault(_name(entry), entry) is not entry:
            raise BundleError(f"{entry.filename} is twice in {source.name}.", _AGAIN)
    return members


def _check_entry(entry: zipfile.ZipInfo, source: Path) -> None:
    name = entry.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise BundleError(f"{name} in {source.name} leads out of the bundle's folder.", _AGAIN)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise BundleError(f"{name} in {source.name} is a link or no file.", _AGAIN)
    if entry.flag_bits & 1:
        raise BundleError(f"{name} in {source.name} is encrypted.", "Unpack it yourself and name the folder.")
    if entry.file_size > max(_SMALL, _MOST_SHRUNK * entry.compress_size):
        raise BundleError(f"{name} in {source.name} would grow out of all proportion.", _AGAIN)


def _left_behind(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name in IGNORED or path.parts[:1] == ("__MACOSX",)


def _name(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename).name


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    """Unpack one file; what grows beyond the size that the archive states is refused on the way."""
    done = 0
    with archive.open(info) as packed, target.open("xb") as stream:
        while chunk := packed.read(_CHUNK):
            done += len(chunk)
            if done > info.file_size:
                raise BundleError(f"{info.filename} is larger than the archive says.", _AGAIN)
            stream.write(chunk)


def _check_room(size: int, staged: Path) -> None:
    if size > LARGEST:
        raise BundleError(
            f"The bundle would take {size / 1e9:.1f} GB, more than any may ({LARGEST / 1e9:.1f} GB).", _AGAIN
        )
    free = shutil.disk_usage(staged).free
    if size > free:
        raise BundleError(
            f"The bundle needs {size / 1e6:.0f} MB, and {staged.parent} has {free / 1e6:.0f} MB left.",
            "Free some space; nothing was installed.",
        )
