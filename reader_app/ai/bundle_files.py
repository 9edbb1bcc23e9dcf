"""The files of a bundle's folder: which may be there, and what they must be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from reader_app.ai.bundle_parts import AGAIN
from reader_app.errors import BundleError

BUNDLE_FILE = "bundle.toml"
TEXTS = frozenset({"MODEL_CARD.md", "EXPERIMENTS.md", "LICENSE", "LICENSE.txt", "recipe.toml"})
"""Files beside ``bundle.toml`` and its tensors that a bundle may hold; none of them is ever executed."""

IGNORED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file browsers leave behind."""

PICKLES = frozenset({".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib", ".npy", ".npz"})
"""Endings of files that can run code when they are opened."""

_LARGEST_TOML = 1_000_000
_CHUNK = 1 << 20


def read_description(folder: Path) -> bytes:
    """Return the content of a folder's ``bundle.toml``, line ends as LF.

    Raises
    ------
    BundleError
        There is none, or it cannot be read.
    """
    file = folder / BUNDLE_FILE
    if not file.is_file():
        raise BundleError(f"{folder} is no bundle: it has no {BUNDLE_FILE}.", "Name the folder of a bundle.")
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST_TOML + 1)
    except OSError as error:
        raise BundleError(
            f"{file} cannot be read: {error.strerror}.", "Check that you may read it."
        ) from error
    if len(content) > _LARGEST_TOML:
        raise BundleError(f"{file} is far too long for a bundle's description.", AGAIN)
    return content.replace(b"\r\n", b"\n")


def check_pickles(names: Iterable[str]) -> None:
    """Refuse files that may be pickles.

    Parameters
    ----------
    names
        Paths of files, as they are to be told.

    Raises
    ------
    BundleError
        One of them is.
    """
    for name in names:
        if Path(name).suffix.lower() in PICKLES:
            raise BundleError(
                f"{name} may be a pickle, which can run code when it is opened; the bundle is not loaded.",
                "Ask its maker for safetensors.",
            )


def check_contents(folder: Path, tensors: Mapping[str, str]) -> None:
    """Refuse missing files, pickles and anything that nobody listed.

    Raises
    ------
    BundleError
        The folder is not as ``bundle.toml`` says.
    """
    present = sorted(path for path in folder.iterdir() if path.name not in IGNORED)
    check_pickles(str(path) for path in present)
    for path in present:
        if path.name not in {BUNDLE_FILE, f"{BUNDLE_FILE}.part", *TEXTS, *tensors} or not path.is_file():
            raise BundleError(f"{path} does not belong into a bundle.", f"Take it out of {folder}.")
    names = {path.name for path in present}
    for name in tensors:
        if name not in names:
            raise BundleError(f"The bundle in {folder} lacks its file {name}.", AGAIN)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file of a bundle.

    Raises
    ------
    BundleError
        It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise BundleError(
            f"{path} cannot be read: {error.strerror}.", "Check that you may read it."
        ) from error
    return digest.hexdigest()
