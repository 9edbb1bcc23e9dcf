"""From what the header of a film says, and a table about it, to the plan of its import."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from reader_app.imaging.radiograph import FileStamp, RadiographHeader
from reader_app.operations.importing.door import Door, is_day
from reader_app.operations.importing.film_plan import PARTICIPANT, SIDE, VIEW, FilmPlan, side_code
from reader_app.operations.importing.graded_films import not_graded, view_words
from reader_app.operations.importing.manifest import ManifestRow
from reader_app.protocols.model import Protocol
from reader_app.reading.case import JointSide

NOBODY = "No participant is stated: the film counts as a participant of its own."
NO_CHARACTERISTICS = "Sex, age and weight are not kept in this study."
VISIT = "visit"


@dataclass(frozen=True)
class Planner:
    """Makes plans for one study."""

    door: Door
    protocol: Protocol

    def identity(self, header: RadiographHeader, row: ManifestRow | None) -> str:
        """Return who a film is said to belong to; empty where nobody says."""
        return (row.participant if row else "") or self.door.identity(header)

    def pseudonym(
        self, path: Path, header: RadiographHeader, row: ManifestRow | None, stamp: FileStamp
    ) -> tuple[str, bool]:
        """Return the pseudonym, and whether anybody said who it is."""
        if row is not None and row.in_study_words:
            # A film of nobody keeps the pseudonym that a preview gave it, and stays nobody's.
            own = self.door.nobody(path, stamp)
            return row.pseudonym, row.pseudonym != own
        identity = self.identity(header, row)
        return (self.door.participant(identity), True) if identity else (self.door.nobody(path, stamp), False)

    def acquired(self, header: RadiographHeader, row: ManifestRow | None) -> str:
        """Return the true day of a film: the table's where it states one, else the header's; never stored."""
        if row is not None and is_day(row.visit) and not row.in_study_words:
            return row.visit
        return header.acquired

    def row_key(self, row: ManifestRow | None) -> str:
        """Return a keyed hash of what a table says of a film; empty without a table."""
        return "" if row is None else self.door.keyed(repr(replace(row, path=Path())))

    def plan(
        self,
        path: Path,
        header: RadiographHeader,
        *,
        row: ManifestRow | None,
        stamp: FileStamp,
        before: FilmPlan | None,
    ) -> FilmPlan:
        """Make the plan of a film.

        Parameters
        ----------
        before
            Its plan so far: what was corrected by hand stays, unless the table says something else.
        """
        said = row or ManifestRow(path)
        participant, identified = self.pseudonym(path, header, row, stamp)
        by_hand = _still_by_hand(before, said)
        stated = said.visit
        in_study_words = said.in_study_words
        if before is not None and VISIT in by_hand:
            stated, in_study_words = before.visit, True
        visit = self.door.visit(
            participant, stated=stated, acquired=header.acquired, in_study_words=in_study_words
        )
        side = side_code(said.sides) or side_code(tuple(JointSide(s.value) for s in header.laterality.sides))
        view = said.view or view_words(header.view_position)
        if before is not None:
            side = before.side if SIDE in by_hand else side
            view = before.view if VIEW in by_hand else view
        kept = self.door.privacy.characteristics
        return FilmPlan(
            participant=participant,
            visit=visit.label,
            visit_order=visit.order,
            day=visit.day,
            study_date=visit.study_date,
            rows=header.rows,
            columns=header.columns,
            format=header.format,
            side=side,
            view=view,
            body_part=header.body_part,
            phantom=header.phantom,
            burned_in=header.burned_in,
            spacing_mm=said.spacing_mm,
            sex=(said.sex or header.sex) if kept else "",
            age=self.door.age(said.age if said.age is not None else header.age),
            weight_kg=said.weight_kg if kept else None,
            references=tuple((each.side.value, each.item.key, each.code) for each in said.references),
            missing=() if identified else (PARTICIPANT,),
            notes=self._notes(header, said, view, identified=identified),
            by_hand=by_hand,
            row=self.row_key(row),
        ).with_what_is_missing()

    def _notes(
        self, header: RadiographHeader, said: ManifestRow, view: str, *, identified: bool
    ) -> tuple[str, ...]:
        notes = [] if identified else [NOBODY]
        against = not_graded(self.protocol, body_part=header.body_part, view=view)
        if against:
            notes.append(against)
        given = said.sex or said.age is not None or said.weight_kg is not None
        if given and not self.door.privacy.characteristics:
            notes.append(NO_CHARACTERISTICS)
        return (*notes, *header.notes)


def _still_by_hand(before: FilmPlan | None, said: ManifestRow) -> tuple[str, ...]:
    if before is None:
        return ()
    says = {SIDE: bool(said.sides), VIEW: bool(said.view), VISIT: bool(said.visit)}
    return tuple(name for name in before.by_hand if not says.get(name, False))
