"""Where a bundle lies among the folders that may hold one, and which of several versions is taken."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from reader_app.ai.bundle_files import BUNDLE_FILE, read_description
from reader_app.errors import BundleError, BundleMissing

VersionOrder = tuple[tuple[int, ...], bool, str]


@dataclass(frozen=True)
class PlacedBundle:
    """A folder that is a bundle, or should be; only its name has been read, nothing is verified.

    Attributes
    ----------
    version
        Empty where ``bundle.toml`` does not say.
    """

    folder: Path
    id: str
    version: str


def version_order(version: str) -> VersionOrder:
    """Return what versions are ordered by: numbers by value, and "1.0.0-rc1" before "1.0.0".

    What is no version comes before all that are.
    """
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    if found is None:
        return ((), False, version)
    numbers = [int(part) for part in found[0].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()  # 1.0 is 1.0.0
    rest = version[found.end() :]
    return (tuple(numbers), not rest.startswith("-"), rest)


def bundles_in(folder: Path) -> tuple[PlacedBundle, ...]:
    """Return the bundles of a folder by id, the highest version first; one that is missing has none."""
    try:
        folders = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return ()
    placed = [_placed(path) for path in folders if (path / BUNDLE_FILE).is_file()]
    # Of two copies of one version, the folder that bears the id goes first.
    placed.sort(key=lambda each: each.folder.name != each.id)
    placed.sort(key=lambda each: version_order(each.version), reverse=True)
    return tuple(sorted(placed, key=lambda each: each.id))


def find_bundle(id: str, *folders: Path) -> Path:
    """Return the folder of a bundle, looked for in the given folders in their order.

    A bundle lies in any subfolder whose ``bundle.toml`` names it.  Where several versions lie in the first
    folder that has one, the highest is taken; ``id@version`` names one.

    Raises
    ------
    BundleError
        There is none (`BundleMissing`); the sentence says where it was looked for and how to add one.
    """
    name, _, version = id.partition("@")
    others: list[str] = []
    for folder in folders:
        for placed in bundles_in(folder):
            if placed.id == name:
                if version in ("", placed.version):
                    return placed.folder
                others.append(placed.version)
    places = ", ".join(str(folder) for folder in folders) or "no folder"
    if others:
        raise BundleMissing(
            f"The bundle “{name}” is installed, but not in version {version} (looked in {places}).",
            f"Installed: {', '.join(dict.fromkeys(others))}; name one of them, or install that version.",
        )
    target = f"{folders[0]}" if folders else "a bundles folder"
    raise BundleMissing(
        f"The bundle “{id}” is not installed (looked in {places}), so there is no pre-grade.",
        f"Copy its folder into {target}; reading works without it.",
    )


def _placed(folder: Path) -> PlacedBundle:
    """Read id and version; where they cannot be read the folder's name serves, and loading tells faults."""
    try:
        table = tomllib.loads(read_description(folder).decode("utf-8"))
    except (BundleError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        table = {}
    id, version = table.get("id"), table.get("version")
    return PlacedBundle(
        folder,
        id if isinstance(id, str) else folder.name,
        version if isinstance(version, str) else "",
    )
