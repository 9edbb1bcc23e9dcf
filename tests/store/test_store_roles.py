"""Who may call what: every public function of the store has its roles, and refuses all others."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from reader_app.errors import NotAllowed
from reader_app.imaging.radiograph import FileStamp
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.design import ReadingDesign
from reader_app.reading.planned import PlannedEntry
from reader_app.reading.worklist import ReadingState
from reader_app.store import (
    accounts,
    adjudication_sights,
    adjudications,
    ahead,
    amendments,
    asking,
    bundle_notes,
    bundle_pregrades,
    calibration_readings,
    case_plans,
    cases,
    consensus_sessions,
    corrections,
    designs,
    display_checks,
    exclusion_checks,
    film_list,
    film_replay,
    films,
    freezing,
    guards,
    identity,
    import_commits,
    import_files,
    journal,
    journal_export,
    moving,
    pregrades,
    qualifications,
    readings,
    reopening,
    replay,
    rereads,
    results,
    study_replay,
    worklists,
)
from reader_app.store.adjudication_records import ItemPlace
from reader_app.store.import_records import ReadFile
from reader_app.store.proofs import Proof
from reader_app.store.qualification_records import Judgement
from reader_app.store.records import Role
from tests.store.conftest import (
    BUNDLE,
    KL,
    PASSWORD,
    SEED,
    SIGNING,
    STAMPS,
    Study,
    film,
    pregrade,
    public_functions,
    refused_file,
    set_grade,
)
from tests.store.rules import RULES

_COORDINATOR = """
    qualifications.grant_attempt
    accounts.create_account accounts.unlock_account accounts.close_account accounts.reset_password
    films.add_radiographs films.move_radiographs films.restore_copy cases.add_cases cases.assign
    case_plans.withdraw
    import_files.keep_files import_files.change_plans import_files.forget_waiting
    import_files.settle_left_out import_files.refuse_others import_commits.commit_files
    pregrades.pending_joints pregrades.pending_count pregrades.save_pregrades
    corrections.save_calibration corrections.save_polarity corrections.save_box_outs
    corrections.save_text_checked corrections.copy_removed designs.set_design journal_export.note_export
    identity.begin_study moving.move_database bundle_notes.note_bundle
    freezing.freeze freezing.unfreeze reopening.reopen
"""
_COORDINATOR_AND_AUDITOR = """
    accounts.list_accounts journal.entries
    films.by_source films.is_empty films.film_places films.radiograph films.all_radiographs
    import_files.known_files import_files.waiting_files import_files.next_planned import_files.waiting_by_id
    import_files.plan_counts import_files.visits_of import_files.waiting_of import_files.refused_files
    import_files.duplicate_files import_commits.same_size_known
    films.participant_table cases.film_places_without_case cases.case_ids cases.counts
    case_plans.begun case_plans.planned_cases case_plans.planned_entries case_plans.all_film_places
    case_plans.referenced_films case_plans.pseudonyms
    pregrades.all_pregrades pregrades.bundles_used
    bundle_pregrades.paired_pregrades bundle_pregrades.joint_pregrades bundle_pregrades.joint_places
    bundle_pregrades.remarks bundle_pregrades.joints_of_film
    results.locked_grades results.exclusions results.reference_grades results.all_settled
    results.joint_places results.timings results.counted_readings reopening.settled_places
    amendments.all_amendments freezing.open_disagreements display_checks.all_checks
    exclusion_checks.check_counts exclusion_checks.all_checks exclusion_checks.exclusion_states
    corrections.film_source corrections.superseded_copies designs.all_designs journal_export.export_entries
    qualifications.qualifications
    calibration_readings.calibration_points rereads.pairs
    film_list.film_list film_list.film_entry film_list.film_count film_list.films_silent_on_text
"""
_READER = """
    qualifications.judge qualifications.own_qualification calibration_readings.own_feedback
    readings.worklist readings.open_reading readings.commit_change readings.lock_reading
    readings.add_active_time readings.film_source readings.worklist_progress
    pregrades.pregrades_for_reading pregrades.heatmap_file ahead.films_ahead asking.ask_for_pregrade
    amendments.amend amendments.own_amendments
    worklists.page worklists.rows_before worklists.entry_at worklists.next_case worklists.next_cases
    exclusion_checks.waiting exclusion_checks.film_source exclusion_checks.save_check
"""
_ADJUDICATOR = """
    adjudications.queue adjudications.settle_item adjudications.settled
    adjudication_sights.case adjudication_sights.film_source adjudication_sights.marks
    adjudication_sights.pregrades adjudication_sights.heatmap_file
    consensus_sessions.take_seat consensus_sessions.cases_of
"""
_WHO_SEES_FILMS = """
    display_checks.save_check display_checks.own_last_check
"""
_EVERYBODY = """
    accounts.change_password accounts.prove freezing.frozen_since journal.verify_chain
    replay.verify_readings film_replay.verify_corrections
    study_replay.verify_tables guards.broken_guards journal_export.first_unlike
"""
MAY = {
    name: roles
    for names, roles in (
        (_COORDINATOR, {Role.COORDINATOR}),
        (_COORDINATOR_AND_AUDITOR, {Role.COORDINATOR, Role.AUDITOR}),
        (_READER, {Role.READER}),
        (_ADJUDICATOR, {Role.ADJUDICATOR}),
        (_WHO_SEES_FILMS, {Role.READER, Role.ADJUDICATOR}),
        (_EVERYBODY, set(Role)),
    )
    for name in names.split()
}
"""Who may call what; a function that is missing here fails the test below."""

_BEFORE_AN_ACTOR = {
    "accounts.log_in",
    "accounts.create_first_coordinator",
    "designs.in_force",
    "identity.study_begun",
    "identity.has_real_films",
}
"""What comes before there is an actor, or says nothing of anybody."""


def example_arguments(function: Callable[..., object]) -> dict[str, object]:
    """Arguments that are of the right kind and harmless."""
    known: dict[str, object] = {
        "name": "Rita",
        "password": PASSWORD,
        "role": Role.READER,
        "old": PASSWORD,
        "new": PASSWORD,
        "films": [film("P9999")],
        "files": [refused_file("a", "b")],
        "plans": {1: {"missing": []}},
        "what": {"side": "R"},
        "ids": [1],
        "paths": ["a"],
        "after": 0,
        "limit": 10,
        "participants": ["P0001"],
        "hashes": ["0" * 64],
        "sizes": [10],
        "read": [ReadFile(1, FileStamp(1, 1), reason="cut off")],
        "path": "elsewhere",
        "file_sha256": "0" * 64,
        "replaces": "1" * 64,
        "places": {"0" * 64: "elsewhere"},
        "radiograph_id": 1,
        "radiograph_ids": [1],
        "calibration": None,
        "inverse": True,
        "boxes": [],
        "checked": True,
        "cases": [(1,)],
        "presentation": Presentation.SINGLE,
        "reader_account_id": 2,
        "entries": [PlannedEntry(1, 1, 1, Arm.UNAIDED)],
        "arm": Arm.UNAIDED,
        "assignment_id": 1,
        "assignment_ids": [1],
        **STAMPS,
        "reading_id": 1,
        "change": set_grade(1, KL, 1),
        "pregrade_in_sight": False,
        "active_seconds": 1.0,
        "states": tuple(ReadingState),
        "first": 0,
        "before_place": 1,
        "at_place": 1,
        "after_place": 0,
        "seconds": 1.0,
        "bundle_sha256": BUNDLE,
        "first_sha256": BUNDLE,
        "second_sha256": BUNDLE,
        "pregrades": [pregrade(1)],
        "heatmap_file": None,
        "located_box": None,
        "joint_id": 1,
        "seed": SEED,
        "case_id": 1,
        "item": KL,
        "code": 1,
        "rationale": "",
        "study_id": "0" * 32,
        "address": "postgresql://nobody@localhost:1/nowhere",
        "rules": RULES,
        "where": ItemPlace(1, 1, KL),
        "seats": (),
        "chosen": ReadingDesign(Presentation.SINGLE, Arm.UNAIDED, SEED),
        "reason": "",
        "verb": "export.journal",
        "sha256": "0" * 64,
        "installed": True,
        "version": "1.0.0",
        "exported": {1: "0" * 64},
        "comparing": lambda _joint: (),
        "judging": lambda _joints: Judgement(True, {}),
        "account_id": 2,
        "signing": SIGNING,
        "proof": Proof(1, "", ""),
        "purpose": "",
        "passed": True,
        "screen": {"name": "test"},
        "protocol": find_protocol("hip-oarsi"),
        "joint_ids": [1],
        "confirmed": True,
        "note": "",
    }
    wanted = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in ("database", "actor") and parameter.default is inspect.Parameter.empty
    ]
    return {name: known[name] for name in wanted}


_MODULES = (
    accounts,
    films,
    cases,
    case_plans,
    readings,
    worklists,
    pregrades,
    bundle_pregrades,
    asking,
    adjudications,
    adjudication_sights,
    consensus_sessions,
    reopening,
    results,
    identity,
    moving,
    journal,
    ahead,
    amendments,
    replay,
    corrections,
    designs,
    display_checks,
    exclusion_checks,
    film_list,
    film_replay,
    freezing,
    import_files,
    import_commits,
    qualifications,
    study_replay,
    rereads,
    calibration_readings,
    guards,
    journal_export,
    bundle_notes,
)
FUNCTIONS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in _MODULES
    for name, function in public_functions(module).items()
}


def test_every_function_of_the_store_has_its_roles_written_down() -> None:
    assert set(FUNCTIONS) == set(MAY) | _BEFORE_AN_ACTOR


@pytest.mark.parametrize("name", sorted(set(MAY)))
def test_other_roles_are_refused_and_nothing_is_changed(full: Study, name: str) -> None:
    function = FUNCTIONS[name]
    people = {
        Role.COORDINATOR: full.coordinator,
        Role.READER: full.person("Rita", Role.READER),
        Role.ADJUDICATOR: full.person("Adam", Role.ADJUDICATOR),
        Role.AUDITOR: full.person("Ada", Role.AUDITOR),
    }
    before = journal.verify_chain(full.db)
    for role in set(Role) - MAY[name]:
        with pytest.raises(NotAllowed, match="may not do this"):
            function(full.db, people[role], **example_arguments(function))
    assert journal.verify_chain(full.db) == before
