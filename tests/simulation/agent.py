"""A simulated reader in a process of its own: reads its worklist to the end, and may be killed at any moment.

``python -m tests.simulation.agent STUDY NAME ACKNOWLEDGED`` appends to the file ACKNOWLEDGED one line for all
that the study has taken, right after it said so. Whoever starts it again after a kill loses nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TextIO

from reader_app.errors import NotYet
from reader_app.operations import exclusions, read
from reader_app.operations.log_in import log_in
from reader_app.operations.read import OpenCase
from reader_app.operations.study import Study, open_study
from reader_app.protocols.model import Feature, Item
from reader_app.reading.case import GradeKey, Joint
from reader_app.reading.commands import Command, ExcludeJoint, GradeRest, SetGrade
from reader_app.reading.worklist import ReadingState
from reader_app.store.records import Actor
from tests.simulation.films import number_of
from tests.simulation.population import (
    READERS,
    SEED,
    Film,
    SimulatedReader,
    calls_poor,
    confirms_poor,
    films,
    seen_grades,
)

PASSWORD = "a simulated password"
POOR = "poor-quality"
SECOND_THOUGHTS = 0.02
"""How often a grade is first given wrongly and then corrected."""


class Agent:
    """One reader at work."""

    def __init__(self, study: Study, actor: Actor, reader: SimulatedReader, told: TextIO) -> None:
        self._study = study
        self._actor = actor
        self._reader = reader
        self._told = told
        self._films = {film.number: film for film in films()}
        # Which film was seen in which case, over all starts: a second look is not the first one again.
        self._seen: dict[int, list[int]] = {}
        for line in Path(told.name).read_text(encoding="utf-8").splitlines():
            if line.endswith('"seen"]'):
                assignment, film, _ = json.loads(line)
                self._seen.setdefault(film, []).append(assignment)

    def read_all(self) -> bool:
        """Read every case that can be opened; return whether nothing is left."""
        left = False
        for entry in read.worklist(self._study, self._actor):
            if entry.state is ReadingState.LOCKED:
                continue
            try:
                case = read.open_case(self._study, self._actor, entry.assignment_id)
            except NotYet:
                left = True
                continue
            self._read(case)
        return not left

    def check_exclusions(self) -> None:
        """Confirm or reject what another reader found impossible to grade."""
        for question in exclusions.waiting(self._study, self._actor):
            seen = exclusions.pyramid(self._study, self._actor, question).radiograph
            confirmed = confirms_poor(self._reader, self._films[number_of(seen.pixels)])
            exclusions.save_check(
                self._study, self._actor, question, confirmed=confirmed, note="Looked at again."
            )

    def _read(self, case: OpenCase) -> None:
        for film in case.case.films:
            seen = self._look(film.radiograph_id)
            for joint in film.joints:
                for command in self._opinion(case, joint, seen):
                    change = read.commit(self._study, self._actor, case, command, pregrade_in_sight=False)
                    self._tell(
                        [case.reading.reading_id, *_where(each.key), each.after] for each in change.grades
                    )
        read.lock(self._study, self._actor, case, active_seconds=20.0)
        self._tell([[case.reading.reading_id, "locked"]])

    def _opinion(self, case: OpenCase, joint: Joint, film: Film) -> Iterator[Command]:
        """Give what is still to be done on a joint, the same again after a kill."""
        session = case.session
        if calls_poor(self._reader, film):
            if session.exclusion(joint.id) is None:
                yield ExcludeJoint(joint.id, POOR)
            return
        again = self._looks(film, case.reading.assignment_id)
        seen = seen_grades(self._reader, film, joint.side.value, again=again)
        draw = Random(f"{SEED}|{self._reader.name}|{film.number}|{again}|{joint.side.value}")
        for feature in self._study.protocol.features:
            key = GradeKey(joint.id, _worst_site(feature, draw))
            code = seen[feature.id]
            if code and session.grade(key) != code:
                if draw.random() < SECOND_THOUGHTS:
                    yield SetGrade(key, code - 1)
                yield SetGrade(key, code)
        if any(key.joint_id == joint.id for key in session.open_keys()):
            yield GradeRest(joint.id)

    def _looks(self, film: Film, assignment_id: int) -> int:
        """Return how often the film was in a case by now, this one counted."""
        cases = self._seen.setdefault(film.number, [])
        if assignment_id not in cases:
            cases.append(assignment_id)
            self._tell([[assignment_id, film.number, "seen"]])
        return cases.index(assignment_id) + 1

    def _look(self, radiograph_id: int) -> Film:
        return self._films[number_of(read.film(self._study, self._actor, radiograph_id).pixels)]

    def _tell(self, lines: Iterable[Sequence[object]]) -> None:
        for line in lines:
            self._told.write(json.dumps(line) + "\n")
        self._told.flush()


def _worst_site(feature: Feature, draw: Random) -> Item:
    return draw.choice(feature.items)


def _where(key: GradeKey) -> tuple[int, str]:
    return key.joint_id, key.item.key


def main(folder: str, name: str, acknowledged: str) -> int:
    """Read until nothing is left."""
    reader = next(reader for reader in READERS if reader.name == name)
    with open_study(Path(folder)) as study, Path(acknowledged).open("a", encoding="utf-8") as told:
        agent = Agent(study, log_in(study, name, PASSWORD), reader, told)
        done = agent.read_all()
        agent.check_exclusions()
    return 0 if done else 3


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
