"""Worklists as they were planned: whole or not at all, in order, and taken back only while nobody reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reader_app.errors import StudyError
from reader_app.protocols.model import Arm
from reader_app.reading.planned import PlannedEntry
from reader_app.store import accounts, case_plans, cases, journal, readings
from reader_app.store.records import Role
from tests.store.conftest import Study, film


def test_only_readers_get_cases_and_only_those_there_are(study: Study) -> None:
    study.add_cases(film("P0001"))
    adam, rita = study.person("Adam", Role.ADJUDICATOR), study.person("Rita", Role.READER)
    first = PlannedEntry(1, 1, 1, Arm.AIDED)
    with pytest.raises(StudyError, match="active reader"):
        cases.assign(study.db, study.coordinator, adam.account_id, [first])
    with pytest.raises(StudyError, match="active reader"):
        cases.assign(study.db, study.coordinator, adam.account_id, [])
    for wrong in (PlannedEntry(999, 1, 2, Arm.AIDED), first, replace(first, pass_number=2)):
        with pytest.raises(StudyError, match="has changed since it was planned"):
            cases.assign(study.db, study.coordinator, rita.account_id, [first, wrong])
    assert cases.assign(study.db, study.coordinator, rita.account_id, [first]) == 1
    assert case_plans.planned_entries(study.db, study.coordinator) == {rita.account_id: (first,)}


def test_what_comes_after_another_reading_is_tied_to_it_wherever_it_stands(study: Study) -> None:
    made = study.add_cases(*(film(f"P{number:04d}") for number in range(3)))
    rita = study.person("Rita", Role.READER)
    entries = [
        PlannedEntry(made[0], 1, 1, Arm.UNAIDED, block=1),
        PlannedEntry(made[1], 1, 2, Arm.AIDED, block=1, mirrored=True),
        PlannedEntry(made[0], 2, 3, Arm.UNAIDED, "re-read", block=1, after=(made[0], 1), after_days=2.5),
    ]
    cases.assign(study.db, study.coordinator, rita.account_id, entries)
    later = [
        PlannedEntry(made[1], 2, 4, Arm.UNAIDED, period=2, after=(made[1], 1), after_days=28.0),
        PlannedEntry(made[2], 1, 5, Arm.UNAIDED),
    ]
    cases.assign(study.db, study.coordinator, rita.account_id, later)
    assert case_plans.planned_entries(study.db, study.coordinator)[rita.account_id] == (*entries, *later)
    told: Any = next(
        each.payload for each in journal.entries(study.db, study.coordinator) if each.verb == "case.assign"
    )
    assert [one["after"] for one in told["entries"]] == [None, None, [made[0], 1]]
    with pytest.raises(StudyError, match="has changed since it was planned"):
        cases.assign(
            study.db,
            study.coordinator,
            rita.account_id,
            [PlannedEntry(made[2], 2, 6, Arm.UNAIDED, after=(made[2], 7))],
        )


def test_worklists_can_be_taken_back_until_somebody_has_opened_a_case(study: Study) -> None:
    made = study.add_cases(film("P0001"), film("P0002"))
    rita = study.person("Rita", Role.READER)
    study.assign(rita)
    assert case_plans.withdraw(study.db, study.coordinator, cases=False)
    assert (cases.case_ids(study.db, study.coordinator), readings.worklist(study.db, rita)) == (made, ())
    study.assign(rita)
    assert case_plans.withdraw(study.db, study.coordinator, cases=True)
    assert len(cases.film_places_without_case(study.db, study.coordinator)) == 2
    study.add_cases()
    study.assign(rita)
    study.open(rita)
    before = journal.verify_chain(study.db)
    assert not case_plans.withdraw(study.db, study.coordinator, cases=True)
    assert journal.verify_chain(study.db) == before
    assert len(readings.worklist(study.db, rita)) == 2


def test_of_a_closed_account_only_what_was_begun_counts_when_cases_are_dealt(study: Study) -> None:
    study.add_cases(film("P0001"), film("P0002"))
    rita, rolf = study.person("Rita", Role.READER), study.person("Rolf", Role.READER)
    for reader in (rita, rolf):
        study.assign(reader)
    opened = study.open(rolf)
    accounts.close_account(study.db, study.coordinator, rolf.name)
    found = case_plans.planned_entries(study.db, study.coordinator)
    assert len(found[rita.account_id]) == 2
    assert [entry.case_id for entry in found[rolf.account_id]] == [opened.case.id]
