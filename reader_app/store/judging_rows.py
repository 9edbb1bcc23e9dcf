"""What judging needs of the tables, in a handful of queries: for all cases that are through, or for one.

The statements are built once: settling a grade is one keystroke, and building them takes longer than asking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, Subquery, bindparam, exists, func, select, union

from reader_app.protocols.model import Item
from reader_app.reading.adjudication import ExclusionState
from reader_app.reading.case import JointSide
from reader_app.reading.consensus import Finals, reader_finals
from reader_app.reading.ordering import blinded_letters
from reader_app.store.adjudication_records import Rules
from reader_app.store.counting import readings_of_cases_through
from reader_app.store.effective import grade_sources
from reader_app.store.exclusion_checks import states as exclusion_states
from reader_app.store.rows import AnyRow, AnySelect
from reader_app.store.tables import (
    account,
    amendment,
    case_film,
    exclusion,
    grade,
    joint,
    radiograph,
    settlement,
    study_case,
)
from reader_app.store.visit_names import visit_names

_VIEWER = "adjudicator"
"""Letters are the same for every adjudicator, so that a second one can speak about a case with the first."""

Letters = Mapping[int, Mapping[int, str]]
"""By case, the letter of each account."""


@dataclass(frozen=True)
class Scope:
    """Which cases are looked at.

    Attributes
    ----------
    case_id
        None for all.
    direction
        Whether a rule looks at the direction of change, so that the other visits of a case come along.
    """

    case_id: int | None = None
    direction: bool = False

    @property
    def one(self) -> bool:
        """Whether it is one case."""
        return self.case_id is not None

    @property
    def parameters(self) -> dict[str, int]:
        """What the statements ask for."""
        return {} if self.case_id is None else {"case_id": self.case_id}


@dataclass(frozen=True)
class JointPlace:
    """Where a joint stands in its case."""

    joint_id: int
    side: JointSide
    visit: str
    visit_order: int


@dataclass(frozen=True)
class CaseContent:
    """All that the readers of one case gave, under letters."""

    case_id: int
    joints: tuple[JointPlace, ...]
    finals: Mapping[int, Mapping[str, Finals]]
    excluded: Mapping[int, Mapping[str, ExclusionState]]


SETTLED = (
    select(settlement, account.c.name)
    .join_from(settlement, account)
    .order_by(settlement.c.case_id, settlement.c.joint_id, settlement.c.item)
)
"""All settlements, each with the name of its adjudicator."""

_SETTLED_OF_CASE = SETTLED.where(settlement.c.case_id == bindparam("case_id"))
_CASES = select(study_case.c.id).order_by(study_case.c.id)
_PLACE_OF_CASE = select(func.count()).select_from(study_case).where(study_case.c.id <= bindparam("case_id"))


def settlements(connection: Connection, scope: Scope) -> list[AnyRow]:
    """Return what has been settled, each row with the name of its adjudicator."""
    query = _SETTLED_OF_CASE if scope.one else SETTLED
    return list(connection.execute(query, scope.parameters).all())


def letters_by_case(connection: Connection, scope: Scope, *, seed: int) -> dict[int, dict[int, str]]:
    """Return the letter of each reader in each case that is through."""
    readers: dict[int, list[int]] = defaultdict(list)
    for _, case_id, account_id in connection.execute(_readings(scope.one), scope.parameters).all():
        readers[case_id].append(account_id)
    return {
        case_id: blinded_letters(sorted(accounts), seed=seed, case_id=case_id, viewer=_VIEWER)
        for case_id, accounts in readers.items()
    }


def case_numbers(connection: Connection, scope: Scope) -> dict[int, int]:
    """Return the place of each case among all cases of the study, by which screens name it."""
    if scope.case_id is not None:
        place = connection.execute(_PLACE_OF_CASE, scope.parameters).scalar_one()
        return {scope.case_id: int(place)}
    ids = connection.execute(_CASES).scalars()
    return {case_id: place for place, case_id in enumerate(ids, start=1)}


def contents(connection: Connection, scope: Scope, letters: Letters, rules: Rules) -> list[CaseContent]:
    """Return what the readers gave on the joints on which anybody may be called, case by case."""
    joints = _places(connection, scope)
    raw: dict[int, dict[str, dict[Item, int]]] = defaultdict(lambda: defaultdict(dict))
    items: dict[str, Item] = {}
    for query in _grades(scope.one, scope.direction):
        for of_case, account_id, joint_id, key, code in connection.execute(query, scope.parameters).all():
            item = items.get(key) or items.setdefault(key, Item.parse(key))
            raw[joint_id][letters[of_case][account_id]][item] = code
    excluded = _exclusions(connection, scope, letters, rules)
    found: list[CaseContent] = []
    for of_case, places in sorted(joints.items()):
        finals = {
            place.joint_id: {
                letter: reader_finals(rules.protocol, place.side, given)
                for letter, given in raw[place.joint_id].items()
            }
            for place in places
        }
        of_joints = {
            place.joint_id: excluded[place.joint_id] for place in places if place.joint_id in excluded
        }
        found.append(CaseContent(of_case, tuple(places), finals, of_joints))
    return found


def _places(connection: Connection, scope: Scope) -> dict[int, list[JointPlace]]:
    """Return the joints by case, as their films hang; a visit has its name where readers were told it."""
    names = visit_names(connection, scope.case_id)
    found: dict[int, list[JointPlace]] = defaultdict(list)
    rows = connection.execute(_joints(scope.one, scope.direction), scope.parameters).all()
    for of_case, joint_id, side, film_id, visit_order in rows:
        visit = names.get(film_id, "")
        found[of_case].append(JointPlace(joint_id, JointSide(side), visit, visit_order))
    return found


def _exclusions(
    connection: Connection, scope: Scope, letters: Letters, rules: Rules
) -> dict[int, dict[str, ExclusionState]]:
    """Return of each joint the letters that exclude it, and where that stands."""
    if not connection.execute(_any_excluded(scope.one), scope.parameters).scalar_one():
        return {}
    who = {
        reading_id: letters[case_id][account_id]
        for reading_id, case_id, account_id in connection.execute(_readings(scope.one), scope.parameters)
    }
    by_joint: dict[int, dict[str, ExclusionState]] = defaultdict(dict)
    for (reading_id, joint_id), state in exclusion_states(connection, rules.protocol).items():
        if reading_id in who:
            by_joint[joint_id][who[reading_id]] = state
    return dict(by_joint)


# Statements -------------------------------------------------------------------------------------


@cache
def _readings(one: bool) -> AnySelect:
    in_force = readings_of_cases_through(one=one)
    return select(in_force.c.reading_id, in_force.c.case_id, in_force.c.account_id)


@cache
def _any_excluded(one: bool) -> AnySelect:
    in_force = readings_of_cases_through(one=one)
    rows = [
        select(table.c.joint_id).join_from(in_force, table, table.c.reading_id == in_force.c.reading_id)
        for table in (exclusion, amendment)
    ]
    return select(exists(union(*rows).subquery("left_out").select()))


@cache
def _grades(one: bool, direction: bool) -> tuple[AnySelect, ...]:
    in_force, wanted = readings_of_cases_through(one=one), _joints_to_judge(one, direction)
    return tuple(
        select(in_force.c.case_id, in_force.c.account_id, given.c.joint_id, given.c.item, given.c.code)
        .join_from(in_force, given, given.c.reading_id == in_force.c.reading_id)
        .join(wanted, wanted.c.joint_id == given.c.joint_id)
        for given in grade_sources()
    )


@cache
def _joints(one: bool, direction: bool) -> AnySelect:
    wanted = _joints_to_judge(one, direction)
    return (
        select(case_film.c.case_id, joint.c.id, joint.c.side, joint.c.radiograph_id, radiograph.c.visit_order)
        .join_from(wanted, joint, joint.c.id == wanted.c.joint_id)
        .join(radiograph, radiograph.c.id == joint.c.radiograph_id)
        .join(case_film, case_film.c.radiograph_id == radiograph.c.id)
        .order_by(case_film.c.case_id, case_film.c.place, joint.c.id)
    )


@cache
def _joints_to_judge(one: bool, direction: bool) -> Subquery:
    """Select the joints on which anybody may be called: spares fetching those on which all agree.

    Where a rule looks at the direction of change, the other joints of the case come along.
    """
    in_force = readings_of_cases_through(one=one)
    differing = (
        select(grade.c.joint_id)
        .select_from(in_force.join(grade, grade.c.reading_id == in_force.c.reading_id))
        .group_by(grade.c.joint_id, grade.c.item)
        .having(func.min(grade.c.code) != func.max(grade.c.code))
    )
    of_readings = [
        select(table.c.joint_id).join_from(in_force, table, table.c.reading_id == in_force.c.reading_id)
        for table in (exclusion, amendment)
    ]
    decided = select(settlement.c.joint_id).where(settlement.c.case_id.in_(select(in_force.c.case_id)))
    touched = union(differing, *of_readings, decided).subquery("touched")
    if not direction:
        return touched
    shown, beside = case_film.alias("shown"), case_film.alias("beside")
    other = joint.alias("other_joint")
    return (
        select(other.c.id.label("joint_id"))
        .distinct()
        .join_from(touched, joint, joint.c.id == touched.c.joint_id)
        .join(shown, shown.c.radiograph_id == joint.c.radiograph_id)
        .join(beside, beside.c.case_id == shown.c.case_id)
        .join(other, other.c.radiograph_id == beside.c.radiograph_id)
        .subquery("wanted")
    )
