"""Prove that a bundle is what its maker stated, and fits the protocols that are known here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.bundle_parts import AGAIN
from reader_app.ai.bundle_search import PlacedBundle, bundles_in, find_bundle
from reader_app.errors import BundleError, ProtocolError, ReaderError
from reader_app.operations.bundles import bundle_folders
from reader_app.operations.study import Study
from reader_app.protocols.loader import find_protocol


@dataclass(frozen=True)
class BundleCheck:
    """What was found of one bundle.

    Attributes
    ----------
    name
        Id and version.
    checked
        What holds, as sentences without a full stop.
    faults
        What does not, as sentences.
    notes
        What could not be checked, as sentences.
    """

    name: str
    checked: tuple[str, ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def check_tensors(bundle: Bundle) -> int:
    """Open every tensor file of a bundle; return how many tensors they hold.

    Only headers are read: the contents are vouched for by their hashes.

    Raises
    ------
    BundleError
        A file is no safetensors file, or is cut off.
    """
    from safetensors import SafetensorError, safe_open

    count = 0
    for name in bundle.spec.files:
        try:
            with safe_open(bundle.folder / name, framework="numpy") as tensors:
                names = list(tensors.keys())
        except (SafetensorError, OSError) as fault:
            raise BundleError(
                f"The tensors in {bundle.folder / name} cannot be read: {fault}.", AGAIN
            ) from fault
        if not names:
            raise BundleError(f"{bundle.folder / name} holds no tensors.", AGAIN)
        count += len(names)
    return count


def bundles_to_verify(wanted: str | None, study: Study | None = None) -> tuple[PlacedBundle, ...]:
    """Return the bundles that a name stands for, faulty ones too.

    Parameters
    ----------
    wanted
        An id, ``id@version`` or a bundle's folder; None for every bundle that is found.

    Raises
    ------
    BundleError
        There is none of that name.
    """
    places = bundle_folders(study)
    if wanted is None:
        return tuple(placed for place in places for placed in bundles_in(place))
    folder = Path(wanted).expanduser()
    if folder.is_dir():
        return (PlacedBundle(folder, folder.name, ""),)
    name, _, version = wanted.partition("@")
    found = tuple(
        placed
        for place in places
        for placed in bundles_in(place)
        if placed.id == name and version in ("", placed.version)
    )
    if not found:
        find_bundle(wanted, *places)  # says what is missing, and how to add it
    return found


def verify_bundle(placed: PlacedBundle, study: Study | None = None) -> BundleCheck:
    """Hash every file of a bundle anew, open its tensors and compare its protocols with those known here."""
    name = f"{placed.id} {placed.version}".strip()
    try:
        bundle = load_bundle(placed.folder)
        tensors = check_tensors(bundle)
    except BundleError as fault:
        return BundleCheck(name, (), (_whole(fault),), ())
    checked = [
        f"its {len(bundle.spec.files)} files of tensors have the SHA-256 that {bundle.sha256[:12]} names",
        f"its {tensors} tensors can be read",
    ]
    faults, notes = [], []
    for reference in bundle.spec.protocols:
        try:
            own = study is not None and study.protocol.id == reference.id
            protocol = study.protocol if study is not None and own else find_protocol(reference.id)
        except ProtocolError as fault:
            notes.append(f"The protocol “{reference.id}” was not compared: {fault.what}")
            continue
        try:
            bundle.check_protocol(protocol.id, protocol.sha256)
        except BundleError as fault:
            faults.append(_whole(fault))
        else:
            checked.append(f"it was made for the protocol {protocol.id} as it is here")
    return BundleCheck(f"{bundle.id} {bundle.version}", tuple(checked), tuple(faults), tuple(notes))


def _whole(fault: ReaderError) -> str:
    return f"{fault.what} {fault.next_step}".strip()
