"""Import, cases, pre-grades, adjudication and results: what goes in comes out, once."""

from __future__ import annotations

import dataclasses

import pytest

from reader_app.errors import StudyError
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.case import JointSide
from reader_app.reading.ordering import FilmPlace
from reader_app.store import cases, films, journal, pregrades, results
from reader_app.store.records import (
    AddedCount,
    ReferenceGrade,
    Role,
    StudyCounts,
)
from tests.store.conftest import BUNDLE, JSN, KL, Study, exclude, film, pregrade, set_grade, sha

# Import -----------------------------------------------------------------------------------------


def test_importing_twice_adds_nothing(study: Study) -> None:
    new = [film("P0001"), film("P0002"), film("P0001")]
    assert films.add_radiographs(study.db, study.coordinator, new) == AddedCount(added=2, known=1)
    before = journal.verify_chain(study.db)
    assert films.add_radiographs(study.db, study.coordinator, new) == AddedCount(added=0, known=3)
    assert journal.verify_chain(study.db) == before
    hashes = [each.file_sha256 for each in new]
    assert set(films.by_source(study.db, study.coordinator, [*hashes, "0" * 64])) == set(hashes)


def test_a_long_import_goes_batch_by_batch_and_loses_none(study: Study) -> None:
    new = [film(f"P{number:04d}") for number in range(films.BATCH * 2 + 1)]
    assert films.add_radiographs(study.db, study.coordinator, new).added == len(new)
    assert len(films.participant_table(study.db, study.coordinator)) == len(new)
    assert cases.counts(study.db, study.coordinator).joints == 2 * len(new)


def test_a_radiograph_comes_back_as_it_went_in(study: Study) -> None:
    new = film("P0001", "Month 48", 4)
    films.add_radiographs(study.db, study.coordinator, [new])
    (record,) = films.all_radiographs(study.db, study.coordinator)
    for field in dataclasses.fields(record):
        if field.name != "id":
            assert getattr(record, field.name) == getattr(new, field.name)
    assert films.radiograph(study.db, study.coordinator, record.id) == record
    with pytest.raises(StudyError, match="no radiograph 999"):
        films.radiograph(study.db, study.coordinator, 999)


def test_participants_are_listed_with_their_visits_in_order(study: Study) -> None:
    films.add_radiographs(
        study.db,
        study.coordinator,
        [film("P0002", "Month 48", 1), film("P0002", "Baseline", 0), film("P0001")],
    )
    one, two = films.participant_table(study.db, study.coordinator)
    assert (one.pseudonym, one.visits, one.radiographs, one.joints) == ("P0001", ("Baseline",), 1, 2)
    assert (two.pseudonym, two.visits, two.radiographs, two.joints) == (
        "P0002",
        ("Baseline", "Month 48"),
        2,
        4,
    )


def test_reference_grades_come_with_their_joints(study: Study) -> None:
    references = (
        ReferenceGrade(JointSide.RIGHT, KL, 3, "expert 1"),
        ReferenceGrade(JointSide.RIGHT, KL, 2, "expert 2"),
        ReferenceGrade(JointSide.UNSTATED, JSN, 1, "expert 1"),
    )
    films.add_radiographs(
        study.db, study.coordinator, [film("P0001", sides=(JointSide.RIGHT,), references=references)]
    )
    found = results.reference_grades(study.db, study.coordinator)
    assert {(each.side, each.item, each.code, each.source) for each in found} == {
        (each.side, each.item, each.code, each.source) for each in references
    }
    assert {each.participant for each in found} == {"P0001"}


# Cases ------------------------------------------------------------------------------------------


def test_a_film_is_in_one_case_only(study: Study) -> None:
    made = study.add_cases(film("P0001"), film("P0002"))
    assert len(made) == 2
    assert cases.film_places_without_case(study.db, study.coordinator) == ()
    assert films.film_places(study.db, study.coordinator) == (FilmPlace(1, 1, 0), FilmPlace(2, 2, 0))
    for wrong in ([(1,)], [(999,)], [()]):
        with pytest.raises(StudyError):
            cases.add_cases(study.db, study.coordinator, wrong, presentation=Presentation.SINGLE)
    assert cases.case_ids(study.db, study.coordinator) == made


def test_an_empty_study_counts_nothing(study: Study) -> None:
    counts = cases.counts(study.db, study.coordinator)
    assert counts == StudyCounts(0, 0, 0, 0, 0, readers=counts.readers, pregraded=(), adjudicated=0)
    assert {(each.locked, each.open, each.total) for each in counts.readers} == {(0, 0, 0)}


# Pre-grades -------------------------------------------------------------------------------------


def test_each_joint_is_pre_graded_once_per_bundle(study: Study) -> None:
    films.add_radiographs(
        study.db, study.coordinator, [film("P0001"), film("P0002", sides=(JointSide.WHOLE, JointSide.LEFT))]
    )
    pending = pregrades.pending_joints(study.db, study.coordinator, BUNDLE)
    assert [each.side for each in pending] == [JointSide.RIGHT, JointSide.LEFT, JointSide.LEFT]
    assert pending[0].source.file_sha256 == sha("P0001-Baseline")
    assert pregrades.pending_joints(study.db, study.coordinator, BUNDLE, limit=1) == pending[:1]
    first = pending[0].joint_id
    pixels = pending[0].pixel_sha256
    mine = [pregrade(first, pixels=pixels), pregrade(first, JSN, 1, pixels=pixels)]
    box = Box(1.5, 2.5, 3.5, 4.5)

    def save() -> int:
        return pregrades.save_pregrades(
            study.db, study.coordinator, mine, heatmap_file="heatmaps/1.npz", located_box=box
        )

    assert save() == 2
    entries = journal.verify_chain(study.db).entries
    assert save() == 0
    assert journal.verify_chain(study.db).entries == entries
    assert pregrades.all_pregrades(study.db, study.person("Ada", Role.AUDITOR), BUNDLE) == tuple(mine)
    assert pregrades.pending_joints(study.db, study.coordinator, BUNDLE) == pending[1:]
    again = pregrades.pending_joints(study.db, study.coordinator, "another bundle")
    assert [each.box for each in again] == [box, None, None]
    (used,) = pregrades.bundles_used(study.db, study.coordinator)
    assert (used.bundle_id, used.bundle_sha256, used.joints) == ("knee-kl", BUNDLE, 1)


def test_what_is_pending_is_counted_and_read_in_pages(study: Study) -> None:
    study.add_cases(film("P0001"), film("P0002"), film("P0003"))

    def pending(limit: int | None = None, after: int = 0, joints: tuple[int, ...] | None = None) -> list[int]:
        found = pregrades.pending_joints(
            study.db, study.coordinator, BUNDLE, limit, after=after, joints=joints
        )
        return [joint.joint_id for joint in found]

    every = pending()
    assert (len(every), pending(4), pending(after=2)) == (6, every[:4], every[4:])
    assert pregrades.pending_count(study.db, study.coordinator, BUNDLE) == 6
    chosen = (every[5], every[0])
    assert pending(joints=chosen) == [every[0], every[5]]
    assert pregrades.pending_count(study.db, study.coordinator, BUNDLE, joints=chosen) == 2
    assert pregrades.pending_count(study.db, study.coordinator, BUNDLE, joints=()) == 0
    study.pregrade_all()
    assert pregrades.pending_count(study.db, study.coordinator, BUNDLE) == 0
    assert pregrades.pending_count(study.db, study.coordinator, "another bundle") == 6


def test_of_two_runs_at_once_one_publishes_its_heatmap(study: Study) -> None:
    study.add_cases(film("P0001", sides=(JointSide.RIGHT,)))
    (joint,) = pregrades.pending_joints(study.db, study.coordinator, BUNDLE)
    published: list[str] = []
    for run in ("first", "second"):
        pregrades.save_pregrades(
            study.db,
            study.coordinator,
            [pregrade(joint.joint_id, pixels=joint.pixel_sha256)],
            heatmap_file="heatmaps/1.npz",
            located_box=None,
            publish=lambda run=run: published.append(run),  # type: ignore[misc]
        )
    assert published == ["first"]


def test_a_heatmap_that_cannot_be_published_leaves_no_pre_grade(study: Study) -> None:
    study.add_cases(film("P0001", sides=(JointSide.RIGHT,)))
    (joint,) = pregrades.pending_joints(study.db, study.coordinator, BUNDLE)

    def full() -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        pregrades.save_pregrades(
            study.db,
            study.coordinator,
            [pregrade(joint.joint_id, pixels=joint.pixel_sha256)],
            heatmap_file="heatmaps/1.npz",
            located_box=None,
            publish=full,
        )
    assert pregrades.pending_count(study.db, study.coordinator, BUNDLE) == 1


def test_a_box_that_is_known_stays(study: Study) -> None:
    films.add_radiographs(study.db, study.coordinator, [film("P0001", sides=(JointSide.LEFT,))])
    (joint,) = pregrades.pending_joints(study.db, study.coordinator, BUNDLE)
    for bundle, box in ((BUNDLE, Box(1, 1, 1, 1)), ("c" * 64, Box(2, 2, 2, 2))):
        pregrades.save_pregrades(
            study.db,
            study.coordinator,
            [pregrade(joint.joint_id, bundle=bundle, pixels=joint.pixel_sha256)],
            heatmap_file=None,
            located_box=box,
        )
    (seen,) = pregrades.pending_joints(study.db, study.coordinator, "another bundle")
    assert seen.box == Box(1, 1, 1, 1)


# Adjudication and results -----------------------------------------------------------------------


@pytest.fixture
def two_read(study: Study) -> Study:
    """One case: Rita says 1 on both joints, Rolf 3 on the right one and excludes the left one."""
    study.add_cases(film("P0001"))
    for name, code in (("Rita", 1), ("Rolf", 3)):
        reader = study.person(name, Role.READER)
        study.assign(reader)
        opened = study.open(reader)
        for joint in opened.case.joints:
            study.commit(reader, opened, set_grade(joint.id, KL, code))
        if name == "Rolf":
            study.commit(reader, opened, exclude(opened.case.joints[1].id, note="own words"))
        study.lock(reader, opened, seconds=30.0)
    return study


def test_results_are_of_locked_readings_with_names(two_read: Study) -> None:
    two_read.add_cases(film("P0002"))
    rita = two_read.person("Rita", Role.READER)
    two_read.assign(rita)
    opened = two_read.open(rita, 2)
    two_read.commit(rita, opened, set_grade(opened.case.joints[0].id, KL, 4))
    auditor = two_read.person("Ada", Role.AUDITOR)
    found = results.locked_grades(two_read.db, auditor)
    assert {(each.reader, each.joint_id, each.side.value, each.code) for each in found} == {
        ("Rita", 1, "R", 1),
        ("Rita", 2, "L", 1),
        ("Rolf", 1, "R", 3),
    }
    assert {(each.participant, each.visit, each.arm) for each in found} == {
        ("P0001", "Baseline", Arm.UNAIDED)
    }
    (excluded,) = results.exclusions(two_read.db, auditor)
    assert (excluded.reader, excluded.joint_id, excluded.reason_id, excluded.note) == (
        "Rolf",
        2,
        "prosthesis",
        "own words",
    )
    assert [(each.reader, each.active_seconds) for each in results.timings(two_read.db, auditor)] == [
        ("Rita", 30.0),
        ("Rolf", 30.0),
    ]
    places = results.joint_places(two_read.db, auditor)
    assert [(each.joint_id, each.participant, each.case_id) for each in places] == [
        (1, "P0001", 1),
        (2, "P0001", 1),
        (3, "P0002", 2),
        (4, "P0002", 2),
    ]
