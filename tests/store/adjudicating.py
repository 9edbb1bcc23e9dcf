"""Reading and settling in tests of adjudication: one film, two joints, readers who differ."""

from __future__ import annotations

from collections.abc import Sequence

from reader_app.protocols.model import Resolution
from reader_app.store import (
    adjudications,
    readings,
)
from reader_app.store.adjudication_records import Disagreement, ItemPlace, Rules
from reader_app.store.records import Actor, OpenReading, Role
from tests.store.conftest import KL, Study, exclude, film, set_grade
from tests.store.rules import RULES, rules

RIGHT, LEFT = 1, 2
"""The joints of the only film."""
MATCH = rules(Resolution.THIRD_IF_MATCH)
AT = ItemPlace(1, RIGHT, KL)


def read(study: Study, name: str, right: int, left: int = 1, *, left_out: str = "") -> OpenReading:
    """Let a reader grade both joints of their next case in KL, exclude the left one perhaps, and lock it."""
    reader = study.person(name, Role.READER)
    place = next(e.place for e in readings.worklist(study.db, reader) if e.state.value == "waiting")
    opened = study.open(reader, place)
    one, other = opened.case.joints
    for joint, code in ((one, right), (other, left)):
        study.commit(reader, opened, set_grade(joint.id, KL, code))
    if left_out:
        study.commit(reader, opened, exclude(other.id, left_out, note="own words"))
    study.lock(reader, opened)
    return opened


def assigned(study: Study, *names: str) -> None:
    for name in names:
        study.assign(study.person(name, Role.READER))


def adjudicator(study: Study, name: str = "Adam") -> Actor:
    return study.person(name, Role.ADJUDICATOR)


def queue(study: Study, by: Rules = RULES) -> tuple[Disagreement, ...]:
    return adjudications.queue(study.db, adjudicator(study), by)


def settle(study: Study, code: int, by: Rules = RULES, *, who: str = "Adam", why: str = "") -> Disagreement:
    return adjudications.settle_item(study.db, adjudicator(study, who), by, AT, code=code, rationale=why)


def codes(found: Sequence[Disagreement]) -> list[tuple[int, list[int]]]:
    return [(one.joint_id, sorted(code for _, code in one.grades)) for one in found]


def two_differ(study: Study) -> Study:
    """One film: Rita says 1 and Rolf 3 on the right joint, both 1 on the left one."""
    study.add_cases(film("P0001"))
    assigned(study, "Rita", "Rolf")
    read(study, "Rita", 1)
    read(study, "Rolf", 3)
    return study
