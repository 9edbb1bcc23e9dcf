"""What an import means to do with one file, from its header to its place in the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from reader_app.errors import StudyDamaged
from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide
from reader_app.store.records import ReferenceGrade

SIDE_CODES = ("R", "L", "B")
UNRANKED = -1
"""Order of a visit whose date is dropped, until all films of the folder were looked at."""

SIDE, VIEW, PARTICIPANT = "side", "view", "participant"


@dataclass(frozen=True)
class FilmPlan:
    """What a header said and a coordinator corrected, after everything that identifies was replaced.

    Attributes
    ----------
    participant
        The pseudonym.
    visit, visit_order
        What the visit is called and where it stands, `UNRANKED` until that can be known.
    day
        Keyed hash of the day of acquisition where dates are dropped: films of one day make one visit.
    study_date
        In the study's own calendar: shifted where dates are shifted, empty where they are dropped.
    side
        "R", "L", "B", or empty where the file does not say.
    missing
        What neither header nor table nor coordinator says: "participant", "side", "view".
    by_hand
        What the coordinator corrected: "side", "view", "visit".
    row
        Keyed hash of the manifest's row that the plan follows, empty without one.
    references
        Side, item and code of grades that the manifest brought.
    """

    participant: str
    visit: str
    visit_order: int
    rows: int
    columns: int
    format: str
    day: str = ""
    study_date: str = ""
    side: str = ""
    view: str = ""
    body_part: str = ""
    phantom: bool = False
    burned_in: bool | None = None
    spacing_mm: float | None = None
    sex: str = ""
    age: float | None = None
    weight_kg: float | None = None
    references: tuple[tuple[str, str, int], ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    row: str = ""

    @property
    def sides(self) -> tuple[JointSide, ...]:
        """The joints that the stated side means; none where no side is stated."""
        if self.side == "B":
            return (JointSide.RIGHT, JointSide.LEFT)
        return (JointSide(self.side),) if self.side else ()

    def with_what_is_missing(self) -> FilmPlan:
        """Return the plan with sides and views that are there no longer listed as missing."""
        here = {SIDE: self.side, VIEW: self.view}
        missing = [name for name in self.missing if name not in here]
        missing += [name for name, value in here.items() if not value]
        return replace(self, missing=tuple(missing))

    def to_json(self) -> dict[str, object]:
        """Return the plan as it is stored."""
        return dict(vars(self))

    def reference_grades(self) -> tuple[ReferenceGrade, ...]:
        """Return the grades that the manifest brought."""
        return tuple(
            ReferenceGrade(side=JointSide(side), item=Item.parse(key), code=code, source="manifest")
            for side, key, code in self.references
        )


def plan_of(stored: Mapping[str, object] | None, path: str | Path) -> FilmPlan:
    """Return a plan as it was stored.

    Raises
    ------
    StudyDamaged
        If it is none.
    """
    known = {field.name for field in fields(FilmPlan)}
    try:
        values: dict[str, Any] = {name: value for name, value in (stored or {}).items() if name in known}
        for name in ("missing", "notes", "by_hand"):
            values[name] = tuple(str(part) for part in values[name])
        values["references"] = tuple((str(a), str(b), int(c)) for a, b, c in values["references"])
        return FilmPlan(**values)
    except (KeyError, TypeError, ValueError) as fault:
        raise StudyDamaged(
            f"What the study planned for {path} cannot be read.",
            "Forget the plan and look at the folder again.",
        ) from fault


def side_code(sides: Sequence[JointSide]) -> str:
    """Return "R", "L" or "B" for the sides that a film shows, empty for none."""
    if len(sides) > 1:
        return "B"
    return sides[0].value if sides and sides[0] in (JointSide.RIGHT, JointSide.LEFT) else ""
