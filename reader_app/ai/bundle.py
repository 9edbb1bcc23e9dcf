"""A bundle: a model on disk as a folder of plain text and tensors, verified before anything of it is used.

``bundle.toml`` says everything about the model and lists its ``*.safetensors`` files with their SHA-256;
beside them lie the model card and what else `reader_app.ai.bundle_files` lets in.  Pickled weights can run
code when they are opened, so a folder that holds one is refused as a whole.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from reader_app.ai.bundle_files import BUNDLE_FILE, check_contents, file_sha256, read_description
from reader_app.ai.bundle_search import find_bundle
from reader_app.ai.bundle_spec import (
    AGAIN,
    BundleHead,
    BundleSpec,
    Decision,
    Distance,
    DistanceMethod,
    EnsembleRule,
    Explainer,
    ExplainMethod,
    ExplainTarget,
    Localizer,
    LocalizerMethod,
    Member,
    ProtocolRef,
    TrainingRecord,
)
from reader_app.ai.tables import from_table, to_table
from reader_app.errors import BundleError
from reader_app.protocols.model import Item

__all__ = [
    "Bundle",
    "BundleHead",
    "BundleSpec",
    "Decision",
    "Distance",
    "DistanceMethod",
    "EnsembleRule",
    "ExplainMethod",
    "ExplainTarget",
    "Explainer",
    "Localizer",
    "LocalizerMethod",
    "Member",
    "ProtocolRef",
    "TrainingRecord",
    "find_bundle",
    "for_protocols",
    "load_bundle",
    "write_bundle",
]

FORMAT = 2
"""Raised when an older program could misread a newer bundle."""


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose files have been verified.

    Attributes
    ----------
    sha256
        Of ``bundle.toml`` (line ends taken as LF), which names the hashes of all tensors: it stands for the
        whole.
    """

    spec: BundleSpec
    folder: Path
    sha256: str

    @property
    def id(self) -> str:
        """The bundle's name."""
        return self.spec.id

    @property
    def version(self) -> str:
        """The bundle's version."""
        return self.spec.version

    @property
    def title(self) -> str:
        """What it does, in a line."""
        return self.spec.title

    @property
    def items(self) -> tuple[Item, ...]:
        """The protocol's items that the bundle grades; others have no pre-grade."""
        return tuple(head.item for head in self.spec.heads)

    def check_protocol(self, id: str, sha256: str) -> None:
        """Refuse a protocol that the bundle was not made for.

        Raises
        ------
        BundleError
            The bundle lists no protocol of this id, or another version of it.
        """
        known = {protocol.id: protocol.sha256 for protocol in self.spec.protocols}
        if id not in known:
            raise BundleError(
                f"The bundle “{self.id}” was made for {', '.join(known)}, not for the protocol “{id}”.",
                "Choose a bundle for this protocol; reading works without one.",
            )
        if known[id] != sha256:
            raise BundleError(
                f"The bundle “{self.id}” was made for another version of the protocol “{id}” "
                f"({known[id][:12]} instead of {sha256[:12]}).",
                "Install a bundle for this version; reading works without one.",
            )


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and verify every file of it.

    Raises
    ------
    BundleError
        The folder is no bundle, is newer than this program, lacks a file, holds one that does not belong
        there or was altered, or contains pickled weights.
    """
    content = read_description(folder)
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BundleError(f"{folder / BUNDLE_FILE} is not valid TOML: {error}.", AGAIN) from error
    _check_format(table, folder)
    spec = from_table(BundleSpec, _as_now(table), BUNDLE_FILE)
    check_contents(folder, spec.files)
    for name, expected in spec.files.items():
        if file_sha256(folder / name) != expected:
            raise BundleError(
                f"{folder / name} is not the file that the bundle was made with (SHA-256).", AGAIN
            )
    return Bundle(spec, folder, hashlib.sha256(content).hexdigest())


def write_bundle(folder: Path, spec: BundleSpec) -> Bundle:
    """Write ``bundle.toml`` beside tensor files that are there already, and load the result.

    Raises
    ------
    BundleError
        A tensor file is missing, or the folder holds something that does not belong into a bundle.
    """
    members = tuple(replace(member, sha256=file_sha256(folder / member.file)) for member in spec.members)
    distance = replace(spec.distance, sha256=file_sha256(folder / spec.distance.file))
    spec = replace(
        spec,
        format=FORMAT,
        members=members,
        distance=distance,
        localizer=_hashed(folder, spec.localizer),
        light_localizer=None if spec.light_localizer is None else _hashed(folder, spec.light_localizer),
        landmarks=None
        if spec.landmarks is None
        else replace(spec.landmarks, sha256=file_sha256(folder / spec.landmarks.file)),
    )
    part = folder / f"{BUNDLE_FILE}.part"
    part.write_bytes(tomli_w.dumps(to_table(spec)).encode("utf-8"))
    part.replace(folder / BUNDLE_FILE)
    return load_bundle(folder)


def _hashed(folder: Path, localizer: Localizer) -> Localizer:
    if not localizer.method.is_network:
        return localizer
    return replace(localizer, sha256=file_sha256(folder / localizer.file))


def _check_format(table: Mapping[str, Any], folder: Path) -> None:
    found = table.get("format")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise BundleError(f"{folder / BUNDLE_FILE} does not say which bundle format it has.", AGAIN)
    if found > FORMAT:
        raise BundleError(
            f"The bundle in {folder} has format {found}, newer than this program knows ({FORMAT}).",
            "Update the program.",
        )


def _as_now(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a bundle of format 1 says in today's words: its localizer was but a name."""
    if table["format"] == 1 and isinstance(table.get("localizer"), str):
        return {**table, "localizer": {"method": table["localizer"]}}
    return table


def for_protocols(spec: BundleSpec, protocols: Sequence[ProtocolRef]) -> BundleSpec:
    """Return the same bundle, stated to be made for these protocols."""
    return replace(spec, protocols=tuple(protocols))
