"""The reading design of a study: putting another one in force, and what may still change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reader_app.errors import DesignError
from reader_app.operations.assign import assign_all, deal_anew
from reader_app.operations.design_preview import DesignPreview as DesignPreview
from reader_app.operations.design_preview import PreviewRow as PreviewRow
from reader_app.operations.design_preview import ReaderPreview as ReaderPreview
from reader_app.operations.design_preview import preview as preview
from reader_app.operations.first_design import write_copy, write_design
from reader_app.operations.study import Study
from reader_app.reading.design import Adjudicating, Calibration, ReadingDesign, Signing
from reader_app.reading.design_file import check_design, design_table
from reader_app.store import case_plans, designs
from reader_app.store.records import Actor

FIXED = (
    "presentation",
    "arm",
    "seed",
    "readers_per_case",
    "overlap_percent",
    "block_size",
    "washout_days",
    "calibration.cases",
    "calibration.source",
)
"""What never changes once somebody has begun to read, by the keys of the design file.

What has been read would be of another study than what is still to come. The rest bears on what comes later,
or on nothing that is read.
"""


def changeable(study: Study, actor: Actor) -> bool:
    """Return whether everything of the design may still change: nobody has opened a case yet.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or an auditor.
    """
    return not case_plans.begun(study.database, actor)


def set_design(study: Study, actor: Actor, design: ReadingDesign, *, reason: str = "") -> Study:
    """Put a design in force, and deal cases and worklists by it.

    Before anybody has opened a case all may change, and all is dealt anew. Afterwards what is assigned
    stays as it is: `FIXED` may not change, and the rest needs a reason.

    Parameters
    ----------
    reason
        Why; kept with the design. It may be empty until somebody reads.

    Returns
    -------
    Study
        The same study under its new design.

    Raises
    ------
    DesignError
        If the design is faulty, changes what is fixed, or has no reason where it needs one.
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If a reader opens the first case at this moment.
    """
    check_design(design, study.protocol)
    before = designs.in_force(study.database) or study.design
    begun = not changeable(study, actor)
    if design == before:
        return replace(study, design=before)
    if begun:
        _require_may_follow(before, design, reason)
    designs.set_design(study.database, actor, design, reason=reason, before_reading=not begun)
    write_copy(study.folder, design)
    changed = replace(study, design=design)
    if begun or _dealt_alike(before, design):
        assign_all(changed, actor)
    else:
        deal_anew(changed, actor)
    return changed


def changes(before: ReadingDesign, after: ReadingDesign) -> tuple[str, ...]:
    """Return what two designs differ in, by the keys of the design file."""
    one, other = _flat(design_table(before)), _flat(design_table(after))
    return tuple(key for key in {**one, **other} if one.get(key) != other.get(key))


def export_design(study: Study, path: Path) -> None:
    """Write the design in force to a file that another study can begin with.

    Raises
    ------
    StudyError
        If it cannot be written.
    """
    write_design(path, study.design)


def _require_may_follow(before: ReadingDesign, after: ReadingDesign, reason: str) -> None:
    changed = changes(before, after)
    fixed = [key for key in changed if key in FIXED]
    if fixed:
        raise DesignError(
            f"Reading has begun, and {', '.join(fixed)} cannot change any more: what has been read would be "
            "of another study than what is still to come.",
            "Change calibration's gate and controls, re-reads, adjudication, signing or session_minutes, or "
            "make a new study.",
        )
    if not reason.strip():
        raise DesignError(
            f"Reading has begun: to change {', '.join(changed)} needs a reason.",
            "Say why; it is kept with the design.",
        )


def _dealt_alike(before: ReadingDesign, after: ReadingDesign) -> bool:
    """Whether the two make the same cases and worklists."""
    return _dealing(before) == _dealing(after)


def _dealing(design: ReadingDesign) -> ReadingDesign:
    calibration = design.calibration
    return replace(
        design,
        calibration=Calibration(
            cases=calibration.cases, source=calibration.source, control_every=calibration.control_every
        ),
        adjudication=Adjudicating(),
        signing=Signing(),
        session_minutes=0,
        preset="",
    )


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": each for inner, each in value.items()}
        else:
            flat[key] = value
    return flat
