"""What a reader or adjudicator can get out of the store holds nothing that they must not know.

Every public function of their modules is called, on a study with everything in it, and every string
and number in what comes back is looked at.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import pytest
from sqlalchemy import text as sql

from reader_app.errors import NotAllowed, ReaderError
from reader_app.protocols.model import Arm
from reader_app.reading.worklist import ReadingState, WorklistEntry
from reader_app.store import adjudication_sights as sights
from reader_app.store import (
    adjudications,
    ahead,
    cases,
    consensus_sessions,
    journal,
    pregrades,
    readings,
    results,
    worklists,
)
from reader_app.store.adjudication_records import Disagreement, ItemPlace, ReaderMarks, Rules
from reader_app.store.database import Database
from reader_app.store.records import Actor, FilmSource, Role
from tests.store.conftest import (
    BUNDLE,
    JSN,
    KL,
    NOTE,
    PASSWORD,
    RITA_CODE,
    ROLF_CODE,
    SEED,
    SIGNING,
    STAMPS,
    Study,
    film,
    public_functions,
    set_grade,
)
from tests.store.rules import RULES, rules

# Pre-grades of the study have this out-of-distribution score and bundle; both betray them.
PREGRADE_MARKS = ("3.25", "knee-kl")


def leaves(value: object) -> Iterator[object]:
    """Walk everything in a value down to text and numbers; attributes and properties included."""
    if value is None or isinstance(value, str | int | float | bool | bytes | datetime):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name))
        for name, member in inspect.getmembers(type(value)):
            if isinstance(member, property):
                yield from leaves(getattr(value, name))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from leaves(key)
            yield from leaves(each)
    else:
        assert isinstance(value, tuple | list | set | frozenset), f"cannot look into {type(value)}"
        for each in value:
            yield from leaves(each)


def as_text(value: object) -> str:
    return " | ".join(str(leaf) for leaf in leaves(value)).casefold()


def ids(study: Study, query: str) -> list[int]:
    with study.db.reading() as connection:
        return [int(row[0]) for row in connection.exec_driver_sql(query)]


def everything_a_reader_gets(study: Study, actor: Actor) -> dict[str, list[object]]:
    """Call every function that a reader may call, with every id of the study, own and not."""
    db = study.db
    all_films = ids(study, "SELECT id FROM radiograph")
    all_joints = ids(study, "SELECT id FROM joint")
    all_readings = ids(study, "SELECT id FROM reading")
    all_assignments = ids(study, "SELECT id FROM assignment")
    calls: dict[str, list[Callable[[], object]]] = {
        "readings.worklist_progress": [lambda: readings.worklist_progress(db, actor)],
        "readings.worklist": [lambda: readings.worklist(db, actor)],
        "worklists.page": [lambda: worklists.page(db, actor, states=tuple(ReadingState), first=0, limit=50)],
        "worklists.rows_before": [lambda: worklists.rows_before(db, actor, 3, states=tuple(ReadingState))],
        "worklists.entry_at": [
            lambda place=place: worklists.entry_at(db, actor, place)  # type: ignore[misc]
            for place in range(6)
        ],
        "worklists.next_case": [lambda: worklists.next_case(db, actor, after_place=0)],
        "worklists.next_cases": [lambda: worklists.next_cases(db, actor, after_place=0, limit=9)],
        "readings.open_reading": [
            lambda id_=id_: readings.open_reading(db, actor, id_, **STAMPS)  # type: ignore[misc]
            for id_ in all_assignments
        ],
        "readings.commit_change": [
            lambda id_=id_, joint=joint: readings.commit_change(  # type: ignore[misc]
                db, actor, id_, set_grade(joint, KL, 1), pregrade_in_sight=False
            )
            for id_ in all_readings
            for joint in all_joints
        ],
        "readings.add_active_time": [
            lambda id_=id_: readings.add_active_time(db, actor, id_, 1.0)  # type: ignore[misc]
            for id_ in all_readings
        ],
        "readings.film_source": [
            lambda id_=id_: readings.film_source(db, actor, id_)  # type: ignore[misc]
            for id_ in all_films
        ],
        "pregrades.pregrades_for_reading": [
            lambda id_=id_: pregrades.pregrades_for_reading(db, actor, id_, BUNDLE)  # type: ignore[misc]
            for id_ in all_readings
        ],
        "pregrades.heatmap_file": [
            lambda id_=id_, joint=joint: pregrades.heatmap_file(db, actor, id_, joint, BUNDLE)  # type: ignore[misc]
            for id_ in all_readings
            for joint in all_joints
        ],
        "ahead.films_ahead": [lambda: ahead.films_ahead(db, actor, all_assignments)],
        "journal.verify_chain": [lambda: journal.verify_chain(db, actor)],
        "readings.lock_reading": [
            lambda id_=id_: readings.lock_reading(  # type: ignore[misc]
                db, actor, id_, active_seconds=1.0, signing=SIGNING
            )
            for id_ in all_readings
        ],
    }
    return {name: [outcome(call) for call in each] for name, each in calls.items()}


def outcome(call: Callable[[], object]) -> object:
    """What comes back, or the words of the refusal: those must not leak either."""
    try:
        return call()
    except ReaderError as refusal:
        return str(refusal)


def test_every_function_for_readers_is_walked(full: Study) -> None:
    rita = full.person("Rita", Role.READER)
    offered = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in (readings, worklists, ahead)
        for name in public_functions(module)
    }
    walked = set(everything_a_reader_gets(full, rita))
    assert offered <= walked


def test_a_reader_gets_nothing_of_another_reader(full: Study) -> None:
    rita = full.person("Rita", Role.READER)
    text = as_text(everything_a_reader_gets(full, rita))
    assert str(RITA_CODE) in text, "the walk does see what is the reader's own"
    for secret in ("rolf", "roxana", "cora", "agnes", str(ROLF_CODE), NOTE.casefold()):
        assert secret not in text


def test_a_reader_gets_no_participant(full: Study) -> None:
    for name in ("Rita", "Rolf", "Roxana"):
        text = as_text(everything_a_reader_gets(full, full.person(name, Role.READER)))
        for secret in ("pseudonym", "2020-02-29", "61.5", "71.375", "broken"):
            assert secret not in text


def test_an_unaided_reader_gets_nothing_of_the_ai(full: Study) -> None:
    rita = everything_a_reader_gets(full, full.person("Rita", Role.READER))
    text = as_text(rita)
    for mark in PREGRADE_MARKS:
        assert mark not in text
    assert set(rita["pregrades.pregrades_for_reading"]) == {()}
    assert set(rita["pregrades.heatmap_file"]) == {None}
    boxes = [
        joint.box
        for opened in rita["readings.open_reading"]
        if not isinstance(opened, str)
        for joint in opened.case.joints  # type: ignore[attr-defined]
    ]
    assert set(boxes) == {None}


def test_an_aided_reader_gets_the_pre_grades_of_own_readings_only(full: Study) -> None:
    rolf = full.person("Rolf", Role.READER)
    own = set(ids(full, f"SELECT r.id FROM reading r JOIN assignment a ON a.id = r.assignment_id "
                        f"WHERE a.account_id = {rolf.account_id}"))  # fmt: skip
    for reading_id in ids(full, "SELECT id FROM reading"):
        found = pregrades.pregrades_for_reading(full.db, rolf, reading_id, BUNDLE)
        assert bool(found) == (reading_id in own)
        joints = {each.key.joint_id for each in found}
        if found:
            opened = next(
                each
                for each in (full.open(rolf, place) for place in (1, 2, 3))
                if each.reading_id == reading_id
            )
            assert joints == {joint.id for joint in opened.case.joints}
        with_map = [
            joint
            for joint in ids(full, "SELECT id FROM joint")
            if pregrades.heatmap_file(full.db, rolf, reading_id, joint, BUNDLE)
        ]
        assert set(with_map) == joints


def test_a_reader_opens_own_cases_and_films_only(full: Study) -> None:
    rita = full.person("Rita", Role.READER)
    walked = everything_a_reader_gets(full, rita)
    opened = [each for each in walked["readings.open_reading"] if not isinstance(each, str)]
    assert len(opened) == 3
    paths = [each for each in walked["readings.film_source"] if isinstance(each, FilmSource)]
    assert len(paths) == 3


def test_a_reader_cannot_tell_how_far_others_are(full: Study) -> None:
    """The worklist is the same before and after another reader's work."""
    roxana, rolf = full.person("Roxana", Role.READER), full.person("Rolf", Role.READER)
    full.assign(roxana, Arm.AIDED, only=[1, 2, 3])
    before = as_text(everything_a_reader_gets_untouched(full, roxana))
    open_place = next(e.place for e in readings.worklist(full.db, rolf) if e.state.value == "open")
    full.lock(rolf, full.open(rolf, open_place))
    assert as_text(everything_a_reader_gets_untouched(full, roxana)) == before


def everything_a_reader_gets_untouched(study: Study, actor: Actor) -> tuple[WorklistEntry, ...]:
    return readings.worklist(study.db, actor)


# The adjudicator --------------------------------------------------------------------------------


def everything_an_adjudicator_gets(study: Study, actor: Actor, by: Rules = RULES) -> dict[str, list[object]]:
    db = study.db
    all_cases = ids(study, "SELECT id FROM study_case")
    all_joints = ids(study, "SELECT id FROM joint")
    calls: dict[str, list[Callable[[], object]]] = {
        "queue": [lambda: adjudications.queue(db, actor, by)],
        "settled": [lambda: adjudications.settled(db, actor)],
        "case": [lambda id_=id_: sights.case(db, actor, by, id_) for id_ in all_cases],  # type: ignore[misc]
        "marks": [lambda id_=id_: sights.marks(db, actor, by, id_) for id_ in all_cases],  # type: ignore[misc]
        "film_source": [
            lambda id_=id_: sights.film_source(db, actor, id_)  # type: ignore[misc]
            for id_ in ids(study, "SELECT id FROM radiograph")
        ],
        "pregrades": [
            lambda id_=id_: sights.pregrades(db, actor, by, id_, BUNDLE)  # type: ignore[misc]
            for id_ in all_cases
        ],
        "heatmap_file": [
            lambda id_=id_: sights.heatmap_file(db, actor, by, id_, BUNDLE)  # type: ignore[misc]
            for id_ in all_joints
        ],
        "cases_of": [lambda: consensus_sessions.cases_of(db, actor, ())],
        "take_seat": [
            lambda name=name: consensus_sessions.take_seat(db, actor, name=name, password=PASSWORD)  # type: ignore[misc]
            for name in ("", "Ada")
        ],
        "settle_item": [
            lambda id_=id_, joint=joint: adjudications.settle_item(  # type: ignore[misc]
                db, actor, by, ItemPlace(id_, joint, KL), code=5, rationale=""
            )
            for id_ in all_cases
            for joint in all_joints
        ],
    }
    return {name: [outcome(call) for call in each] for name, each in calls.items()}


def test_every_function_for_adjudicators_is_walked(full: Study) -> None:
    adam = full.person("Adam", Role.ADJUDICATOR)
    offered = {
        name for module in (adjudications, sights, consensus_sessions) for name in public_functions(module)
    }
    assert offered == set(everything_an_adjudicator_gets(full, adam))


def test_an_adjudicator_gets_no_name_no_participant_and_nothing_of_the_ai(full: Study) -> None:
    text = as_text(everything_an_adjudicator_gets(full, full.person("Adam", Role.ADJUDICATOR)))
    assert str(RITA_CODE) in text, "the walk does see the grades"
    for secret in ("rita", "rolf", "roxana", "cora", "agnes", "pseudonym", NOTE.casefold(), *PREGRADE_MARKS):
        assert secret not in text


def test_an_adjudicator_who_grades_first_gets_no_grade_of_the_readers_before(full: Study) -> None:
    adam = full.person("Adam", Role.ADJUDICATOR)
    blind = rules(third_blind=True)
    queue = adjudications.queue(full.db, adam, blind)
    open_ones = [one for one in queue if one.settled is None]
    assert [(one.item, one.hidden, one.grades, one.gravity) for one in open_ones] == [(JSN, True, (), 0)]
    walked = everything_an_adjudicator_gets(full, adam, blind)
    first = {name: found for name, found in walked.items() if name not in ("settle_item", "settled", "queue")}
    text = as_text([first, open_ones])
    assert str(RITA_CODE) not in text
    assert str(ROLF_CODE) not in text
    after = adjudications.settle_item(full.db, adam, blind, open_ones[0].at, code=5, rationale="")
    assert {code for _, code in after.grades} == {RITA_CODE, ROLF_CODE}
    assert len(sights.marks(full.db, adam, blind, 1)) == 2


def test_an_adjudicator_sees_the_ai_where_the_design_says_so(full: Study) -> None:
    adam = full.person("Adam", Role.ADJUDICATOR)
    with pytest.raises(NotAllowed, match="keeps the AI"):
        sights.pregrades(full.db, adam, RULES, 1, BUNDLE)
    shown = rules(pregrade_shown=True)
    assert sights.pregrades(full.db, adam, shown, 1, BUNDLE)
    assert all(joint.box is not None for joint in sights.case(full.db, adam, shown, 1).joints)
    with pytest.raises(NotAllowed, match="not ready"):
        sights.pregrades(full.db, adam, shown, 2, BUNDLE)


def test_an_adjudicator_sees_only_cases_that_all_readers_have_locked(full: Study) -> None:
    adam = full.person("Adam", Role.ADJUDICATOR)
    walked = everything_an_adjudicator_gets(full, adam)
    (queue,) = walked["queue"]
    assert {each.case_id for each in queue} == {1}  # type: ignore[attr-defined]
    for name in ("case", "marks"):
        assert len([each for each in walked[name] if not isinstance(each, str)]) == 1
    assert len([each for each in walked["film_source"] if isinstance(each, FilmSource)]) == 1


def test_account_ids_do_not_hide_among_what_an_adjudicator_gets(full: Study) -> None:
    """No value that comes back has a field for an account, and none holds an Actor or Account."""
    fields = {field.name for record in (Disagreement, ReaderMarks) for field in dataclasses.fields(record)}
    assert not fields & {"account_id", "reader", "name"}
    adam = full.person("Adam", Role.ADJUDICATOR)
    for one in adjudications.queue(full.db, adam, RULES):
        assert [letter for letter, _ in one.grades] == ["A", "B"]
        assert one.settled is None or one.settled.participants == ()


def test_letters_do_not_follow_the_accounts(study: Study) -> None:
    """Over many cases the same reader is A about as often as B, and the same at every look."""
    study.add_cases(*(film(f"P{number:04d}", sides=()) for number in range(40)))
    rita, rolf = study.person("Rita", Role.READER), study.person("Rolf", Role.READER)
    for reader in (rita, rolf):
        study.assign(reader)
    with study.db.writing() as connection:
        # Locked through the back door: forty cases by hand would take long, and letters are all that matters.
        connection.exec_driver_sql(
            "INSERT INTO reading (assignment_id, arm, protocol_sha256, design_sha256, software, opened_at, "
            "active_seconds) SELECT id, 'unaided', '', '', '', '', 0 FROM assignment"
        )
        connection.exec_driver_sql("INSERT INTO joint (radiograph_id, side) SELECT id, 'R' FROM radiograph")
        connection.execute(
            sql(
                "INSERT INTO grade (reading_id, joint_id, item, code, pregrade_in_sight, at) "
                "SELECT r.id, j.id, 'kl', a.account_id, :seen, '' FROM reading r "
                "JOIN assignment a ON a.id = r.assignment_id JOIN case_film f ON f.case_id = a.case_id "
                "JOIN joint j ON j.radiograph_id = f.radiograph_id"
            ),
            {"seen": False},
        )
        connection.exec_driver_sql("UPDATE assignment SET state = 'locked'")
    adam, agnes = study.person("Adam", Role.ADJUDICATOR), study.person("Agnes", Role.ADJUDICATOR)
    ready = adjudications.queue(study.db, adam, RULES)
    rita_is_a = [("A", rita.account_id) in one.grades for one in ready]
    assert len(rita_is_a) == 40
    assert 8 <= sum(rita_is_a) <= 32
    assert adjudications.queue(study.db, adam, RULES) == ready
    assert adjudications.queue(study.db, agnes, RULES) == ready
    assert adjudications.queue(study.db, adam, rules(seed=SEED + 1)) != ready


def test_the_coordinator_sees_progress_but_no_open_grade(full: Study) -> None:
    counts = cases.counts(full.db, full.coordinator)
    told = {each.name: (each.locked, each.open, each.total) for each in counts.readers}
    assert told == {"Rita": (1, 2, 3), "Rolf": (1, 2, 3), "Roxana": (0, 1, 1)}
    assert not any(code in as_text(counts) for code in (str(RITA_CODE), str(ROLF_CODE)))
    grades = results.locked_grades(full.db, full.person("Ada", Role.AUDITOR))
    assert {each.case_id for each in grades} == {1}


def test_the_walk_looks_into_everything() -> None:
    """The leak test would be worth nothing if `leaves` passed something by."""
    entry = WorklistEntry(5, 1, ReadingState.OPEN, 3)
    assert "case 0001" in as_text({"x": [entry]})
    with pytest.raises(AssertionError, match="cannot look into"):
        as_text(Database)
