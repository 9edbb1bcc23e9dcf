"""A study of pelvis films that readers read, exclude, check and settle, for the tests of what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from reader_app.operations import adjudicate, exclusions, read
from reader_app.operations.accounts import add_account
from reader_app.operations.freeze import freeze
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey, Joint
from reader_app.reading.commands import ExcludeJoint, GradeRest, SetGrade
from reader_app.store.records import Actor, Role
from tests.operations.conftest import COORDINATOR, PASSWORD, leg

POOR, REPLACED = "poor-quality", "replacement"
KL = Item("KL")
NARROW = Item("JSN", "medial")

Grades = Callable[[int, str], Mapping[Item, int] | str]
"""What a reader gives to a joint by film (from 1) and side: grades that are not the lowest, or a reason to
exclude it."""


@dataclass
class ConsensusStudy:
    """An open study with people."""

    study: Study
    coordinator: Actor

    def person(self, name: str, role: Role) -> Actor:
        add_account(self.study, self.coordinator, name=name, password=PASSWORD, role=role)
        return log_in(self.study, name, PASSWORD)

    def import_both_sides(self, folder: Path, films: int) -> None:
        """Import so many pelvis films, each of a person of their own."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["image,participant,side"]
        for number in range(1, films + 1):
            Image.fromarray(leg(seed=number)).save(folder / f"{number}.png")
            lines.append(f"{number}.png,person-{number},both")
        manifest = folder / "manifest.csv"
        manifest.write_text("\n".join([*lines, ""]), encoding="utf-8")
        import_films(self.study, self.coordinator, folder, manifest=manifest)

    def read_all(self, reader: Actor, grades: Grades, *, lock: bool = True) -> None:
        """Read the whole worklist."""
        for entry in read.worklist(self.study, reader):
            case = read.open_case(self.study, reader, entry.assignment_id)
            for film in case.case.films:
                for joint in film.joints:
                    self._read_joint(reader, case, joint, grades)
            if lock:
                read.lock(self.study, reader, case, active_seconds=1.0)

    def _read_joint(self, reader: Actor, case: read.OpenCase, joint: Joint, grades: Grades) -> None:
        def commit(command: SetGrade | ExcludeJoint | GradeRest) -> None:
            read.commit(self.study, reader, case, command, pregrade_in_sight=False)

        if case.session.exclusion(joint.id) is not None:
            return
        given = grades(joint.radiograph_id, joint.side.value)
        if isinstance(given, str):
            commit(ExcludeJoint(joint.id, given, "my own words"))
            return
        for item, code in given.items():
            commit(SetGrade(GradeKey(joint.id, item), code))
        commit(GradeRest(joint.id))

    def settle_all(self, adjudicator: Actor, *, code: int) -> int:
        """Give the third grade wherever one is called for; say to how many."""
        waiting = [one for one in adjudicate.queue(self.study, adjudicator) if one.settled is None]
        for one in waiting:
            adjudicate.settle_disagreement(self.study, adjudicator, one, code=code, rationale="looked twice")
        return len(waiting)

    def answer_all(self, reader: Actor, *, confirmed: bool) -> int:
        """Answer every quality check; say how many there were."""
        asked = exclusions.waiting(self.study, reader)
        for question in asked:
            exclusions.save_check(self.study, reader, question, confirmed=confirmed, note="seen")
        return len(asked)

    def freeze(self) -> None:
        freeze(
            self.study,
            self.coordinator,
            password=PASSWORD,
            reason="for the results",
            although_unfinished=True,
        )


def consensus_study(study: Study) -> ConsensusStudy:
    return ConsensusStudy(study, log_in(study, COORDINATOR, PASSWORD))
