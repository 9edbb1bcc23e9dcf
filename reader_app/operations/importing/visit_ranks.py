"""Visits without dates: first, second, third, where a study keeps nothing but their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from reader_app.operations.importing.door import Door
from reader_app.operations.importing.film_plan import UNRANKED, FilmPlan, plan_of
from reader_app.operations.study import Study
from reader_app.store import import_files
from reader_app.store.import_records import KnownFile
from reader_app.store.records import Actor

_AT_ONCE = 500
APPENDED = (
    "Further visits of participants who are in the study already: {count}. As dates are dropped, they stand "
    "after the earlier ones, though they may have been made before."
)


@dataclass
class _Participant:
    """The visits of one participant, by the keyed hash of their day."""

    settled: dict[str, tuple[str, int]] = field(default_factory=dict)
    days: dict[str, str] = field(default_factory=dict)
    """The true day by its hash; held while ranking and never stored."""
    in_study: bool = False
    highest: int = 0

    def settle(self, day: str, label: str, order: int) -> None:
        self.highest = max(self.highest, order)
        if day:
            self.settled.setdefault(day, (label, order))

    def rank(self) -> int:
        """Give the days without a visit the next numbers, in their order; return how many there were."""
        free = sorted((true, day) for day, true in self.days.items() if day not in self.settled)
        for number, (_, day) in enumerate(free, start=self.highest + 1):
            self.settled[day] = (f"Visit {number}", number)
        return len(free)


def rank_visits(study: Study, actor: Actor, door: Door, days: set[tuple[str, str]]) -> tuple[str, ...]:
    """Number the visits of the films that were just looked at, and write the numbers into their plans.

    Days that the study knows, or that a table or the coordinator has named, keep their visit. New days follow
    behind the visits of the participant's films that are in the study: their dates are gone, so that nobody
    can tell which came first.

    Parameters
    ----------
    days
        Participant and day of all films that were looked at.

    Returns
    -------
    tuple of str
        Notes for the coordinator.
    """
    people: dict[str, _Participant] = {}
    for who, true in days:
        people.setdefault(who, _Participant()).days[door.day_key(who, true)] = true
    for visit in import_files.visits_of(study.database, actor, tuple(people)):
        one = people[visit.participant]
        one.in_study = True
        one.settle(str((visit.remembered or {}).get("day", "")), visit.visit, visit.visit_order)
    for _, plan in _plans(study, actor):
        if plan.visit_order != UNRANKED and plan.participant in people:
            people[plan.participant].settle(plan.day, plan.visit, plan.visit_order)
    appended = 0
    for one in people.values():
        ranked = one.rank()
        appended += ranked if one.in_study else 0
    _write(study, actor, people)
    return (APPENDED.format(count=appended),) if appended else ()


def _write(study: Study, actor: Actor, people: dict[str, _Participant]) -> None:
    changed: dict[int, dict[str, object]] = {}
    for file, plan in _plans(study, actor):
        if plan.visit_order == UNRANKED and plan.participant in people:
            label, order = people[plan.participant].settled[plan.day]
            changed[file.id] = replace(plan, visit=label, visit_order=order).to_json()
            if len(changed) >= _AT_ONCE:
                import_files.change_plans(study.database, actor, changed, what={"visits": "numbered"})
                changed.clear()
    import_files.change_plans(study.database, actor, changed, what={"visits": "numbered"})


def _plans(study: Study, actor: Actor) -> Iterator[tuple[KnownFile, FilmPlan]]:
    offset = 0
    while files := import_files.waiting_files(study.database, actor, offset=offset, limit=_AT_ONCE):
        offset += len(files)
        for file in files:
            yield file, plan_of(file.plan, file.path)
