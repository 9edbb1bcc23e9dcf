"""The design that a new study begins with, and the readable copy of a study's design in its folder."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

from reader_app.errors import StudyError
from reader_app.protocols.model import Arm, Presentation, Protocol
from reader_app.reading.design import ALL_READERS, ReadingDesign, Rereads
from reader_app.reading.design_file import MAX_SEED, check_design, design_text, load_design
from reader_app.reading.presets import from_preset

DESIGN_FILE = "design.toml"

USUAL_WASHOUT_DAYS = 28.0
"""Of a crossover for which nothing else is said."""

_COPY_HEADING = """\
# A copy to read. What is in force is kept in the study's database with its hash:
# change it with “reader-app design STUDY --from FILE” or in the window.

"""


def first_design(
    protocol: Protocol,
    *,
    design: ReadingDesign | None = None,
    design_file: Path | None = None,
    preset: str | None = None,
    arm: Arm | None = None,
    presentation: Presentation | None = None,
    seed: int | None = None,
) -> ReadingDesign:
    """Return the design of a new study.

    Parameters
    ----------
    design, design_file, preset
        A whole design, a file with one, or the id of a preset; with none of them the protocol's defaults,
        every reader reading every case.
    arm, presentation, seed
        Go before those of the design, the preset or the protocol; a seed that nobody says is drawn.

    Raises
    ------
    StudyError
        If more than one of them is given.
    DesignError
        If there is no such preset, or the design does not fit the protocol.
    """
    if sum(bool(given) for given in (design, design_file, preset)) > 1:
        raise StudyError("A study begins with a design or with a preset, not with both.", "Choose one.")
    if design_file:
        design = load_design(design_file, protocol=protocol, seed=seed)
    elif preset:
        design = from_preset(preset, protocol, seed=seed)
    elif design is None:
        design = _of_protocol(protocol, arm or protocol.reading.arm, seed)
    chosen = replace(
        design,
        presentation=presentation or design.presentation,
        arm=arm or design.arm,
        seed=design.seed if seed is None else seed,
    )
    if chosen.arm is not design.arm:
        # A washout comes and goes with the crossover.
        chosen = replace(chosen, washout_days=_washout(chosen.arm))
    check_design(chosen, protocol)
    return chosen


def write_copy(folder: Path, design: ReadingDesign) -> None:
    """Write `design.toml` into a study folder, whole or not at all.

    Raises
    ------
    StudyError
        If it cannot be written.
    """
    write_design(folder / DESIGN_FILE, design, heading=_COPY_HEADING)


def write_design(path: Path, design: ReadingDesign, *, heading: str = "") -> None:
    """Write a design file, whole or not at all.

    Raises
    ------
    StudyError
        If it cannot be written.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("w", encoding="utf-8") as stream:
            stream.write(heading + design_text(design))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as fault:
        raise StudyError(
            f"The design file {path} cannot be written: {fault.strerror or fault}.",
            "Choose a folder that you may write to, on a disk with room.",
        ) from fault


def _of_protocol(protocol: Protocol, arm: Arm, seed: int | None) -> ReadingDesign:
    usual = protocol.reading
    # In a crossover every case is read twice as it is.
    percent = 0 if arm is Arm.CROSSOVER else usual.reread_percent
    return ReadingDesign(
        presentation=usual.presentation,
        arm=arm,
        seed=secrets.randbelow(MAX_SEED + 1) if seed is None else seed,
        readers_per_case=ALL_READERS,
        block_size=usual.block_size,
        washout_days=_washout(arm),
        rereads=Rereads(percent=percent),
    )


def _washout(arm: Arm) -> float:
    return USUAL_WASHOUT_DAYS if arm is Arm.CROSSOVER else 0.0
