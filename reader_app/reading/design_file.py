"""A reading design as a TOML file: read with every fault told, and written so that it reads back the same.

What a file leaves out is as in `ReadingDesign`; only the presentation and the arm must be said. A seed that
is neither in the file nor given is drawn.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w

from reader_app.errors import DesignError
from reader_app.protocols.model import AdjudicationRule, Protocol, Trigger
from reader_app.protocols.schema import Fault
from reader_app.protocols.toml_file import faults_told, toml_table, toml_text
from reader_app.reading.design import ALL_READERS, Adjudicating, Calibration, ReadingDesign, Rereads, Signing
from reader_app.reading.design_checks import CHECKS
from reader_app.reading.design_layout import DESIGN, EVERY_READER

MAX_SEED = 2**31 - 1

_HEADING = "# The reading design of a study; what is left out here is as usual.\n\n"
_IN_MEMORY = "The design"


def parse_design(text: str, *, name: str, protocol: Protocol, seed: int | None = None) -> ReadingDesign:
    """Read a design from TOML text.

    Parameters
    ----------
    name
        What the file is called in an error.
    protocol
        Of the study; the features that the design names must be in it.
    seed
        Goes before the file's own; where neither says any, one is drawn.

    Raises
    ------
    DesignError
        If anything is wrong; all faults are told together, each with key, expectation and finding.
    """
    document = toml_table(text, name=name, what="design", error=DesignError)
    return read_design(document, name=name, protocol=protocol, seed=seed)


def load_design(
    path: Path, *, protocol: Protocol, seed: int | None = None, unsaid: int | None = None
) -> ReadingDesign:
    """Read a design from a file; raises like `parse_design`, and if the file cannot be read.

    Parameters
    ----------
    seed
        Goes before the file's own.
    unsaid
        Where neither says any; without it one is drawn.
    """
    text = toml_text(path, what="design", error=DesignError)
    document = toml_table(text, name=str(path), what="design", error=DesignError)
    if seed is None and "seed" not in document:
        seed = unsaid
    return read_design(document, name=str(path), protocol=protocol, seed=seed)


def read_design(
    document: dict[str, Any], *, name: str, protocol: Protocol, seed: int | None = None
) -> ReadingDesign:
    """Read a design from a table that a TOML parser gave; raises like `parse_design`."""
    faults, read = _faults(document, protocol)
    if faults:
        raise faults_told(faults, name=name, error=DesignError)
    if seed is None:
        seed = read["seed"]
    return _design(read, secrets.randbelow(MAX_SEED + 1) if seed is None else seed)


def design_text(design: ReadingDesign) -> str:
    """Return the design as TOML text, which `parse_design` reads back to the same design."""
    return _HEADING + tomli_w.dumps(design_table(design), multiline_strings=False)


def design_table(design: ReadingDesign) -> dict[str, Any]:
    """Return the design as the table of its file, everything said."""
    table = _plain(asdict(design))
    if design.readers_per_case == ALL_READERS:
        table["readers_per_case"] = EVERY_READER
    table["adjudication"]["rules"] = [
        {"features": rule["feature_ids"], "triggers": rule["triggers"], "resolution": rule["resolution"]}
        for rule in table["adjudication"]["rules"]
    ]
    # Short values come before tables, or TOML would take them for the tables' own.
    return dict(sorted(table.items(), key=lambda pair: isinstance(pair[1], dict)))


def design_faults(design: ReadingDesign, protocol: Protocol) -> tuple[Fault, ...]:
    """Return everything that is wrong with a design under a protocol, by the keys of the design file."""
    return tuple(_faults(design_table(design), protocol)[0])


def check_design(design: ReadingDesign, protocol: Protocol) -> None:
    """Raise unless a design can be read under a protocol.

    Raises
    ------
    DesignError
        With every fault, each with key, expectation and finding.
    """
    faults = design_faults(design, protocol)
    if faults:
        raise faults_told(faults, name=_IN_MEMORY, error=DesignError, next_step="Change the design there.")


def _faults(document: dict[str, Any], protocol: Protocol) -> tuple[list[Fault], dict[str, Any]]:
    faults: list[Fault] = []
    read = DESIGN.read(document, "", faults)
    for check in CHECKS:
        faults.extend(check(read, protocol))
    return faults, read


def _plain(value: Any) -> Any:
    """Return what TOML can hold: no tuples, and keys without a value left out."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, str) else value


def _design(read: dict[str, Any], seed: int) -> ReadingDesign:
    judging = read["adjudication"]
    calibration = read["calibration"]
    return ReadingDesign(
        presentation=read["presentation"],
        arm=read["arm"],
        seed=seed,
        readers_per_case=read["readers_per_case"],
        overlap_percent=read["overlap_percent"],
        block_size=read["block_size"],
        participant_distance=read["participant_distance"],
        washout_days=read["washout_days"],
        rereads=Rereads(**read["rereads"]),
        calibration=Calibration(**{**calibration, "features": tuple(calibration["features"])}),
        adjudication=Adjudicating(
            rules=tuple(_rule(table) for table in judging["rules"]),
            within=judging["within"],
            third_blind=judging["third_blind"],
            pregrade_shown=judging["pregrade_shown"],
        ),
        signing=Signing(**read["signing"]),
        session_minutes=read["session_minutes"],
        preset=read["preset"],
    )


def _rule(table: dict[str, Any]) -> AdjudicationRule:
    return AdjudicationRule(
        feature_ids=tuple(table["features"]),
        triggers=tuple(Trigger(**trigger) for trigger in table["triggers"]),
        resolution=table["resolution"],
    )
