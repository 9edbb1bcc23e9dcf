"""Corrections of films in the store: what holds now, how it came about, and who hears of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from reader_app.errors import NotAllowed, PreGradeError, StudyError
from reader_app.imaging.correction import shown_sha256
from reader_app.imaging.geometry import Box
from reader_app.imaging.spacing import SpacingKind
from reader_app.protocols.model import Arm
from reader_app.store import (
    ahead,
    corrections,
    film_list,
    film_replay,
    films,
    journal,
    pregrades,
    readings,
)
from reader_app.store.film_records import BlankedCopy, FilmDoubt, MarkerCalibration
from reader_app.store.records import FilmSource, JournalEntry, NewRadiograph, Role
from tests.store.conftest import BUNDLE, JSN, KL, Study, film, pregrade, sha
from tests.store.test_store_blinding import as_text, everything_a_reader_gets

BY_BALL = MarkerCalibration(row_mm=0.125, column_mm=0.125, marker_mm=25.0, marker_px=200.0)
NAME = Box(0, 0, 640, 80)
CORNER = Box(10.5, 20.25, 30, 40)


@pytest.fixture
def one(study: Study) -> Study:
    """A study of one film that Rolf reads with the AI."""
    study.add_cases(film("P0001"))
    study.assign(study.person("Rolf", Role.READER), Arm.AIDED)
    return study


def told(study: Study, prefix: str) -> list[JournalEntry]:
    every = journal.entries(study.db, study.coordinator)
    return [entry for entry in every if entry.verb.startswith(prefix)]


def source(study: Study) -> FilmSource:
    return corrections.film_source(study.db, study.coordinator, 1)


# What a correction stores and tells -------------------------------------------------------------


def test_a_calibration_replaces_the_films_millimetres_until_it_is_forgotten(one: Study) -> None:
    effect = corrections.save_calibration(one.db, one.coordinator, 1, BY_BALL)
    assert effect.changed
    spacing = source(one).correction.spacing
    assert spacing is not None
    assert (spacing.row_mm, spacing.kind) == (0.125, SpacingKind.CALIBRATED)
    assert spacing.reason == "Calibrated by a marker of 25 mm."
    corrections.save_calibration(one.db, one.coordinator, 1, None)
    assert source(one).correction.spacing is None
    first, second = (entry.payload for entry in told(one, "film."))
    assert first == {"radiograph": 1, "before": None, "after": [0.125, 0.125, 25.0, 200.0]}
    assert second == {"radiograph": 1, "before": first["after"], "after": None}


def test_polarity_and_boxes_are_told_with_what_was_before(one: Study) -> None:
    db, cora = one.db, one.coordinator
    for inverse in (True, False, None):
        corrections.save_polarity(db, cora, 1, inverse)
        assert source(one).correction.inverse_polarity is inverse
    for boxes in ([NAME], [CORNER, NAME], []):
        corrections.save_box_outs(db, cora, 1, boxes)
        assert list(source(one).correction.box_outs) == boxes
    payloads = [entry.payload for entry in told(one, "film.")]
    assert [(each["before"], each["after"]) for each in payloads[:3]] == [
        (None, True),
        (True, False),
        (False, None),
    ]
    afters = [each["after"] for each in payloads[3:]]
    assert [each["before"] for each in payloads[3:]] == [[], *afters[:-1]]
    assert afters[1] == [[10.5, 20.25, 30.0, 40.0], [0.0, 0.0, 640.0, 80.0]]
    assert film_replay.verify_corrections(db).ok


def test_boxes_that_were_taken_back_leave_nothing_to_be_missed(one: Study) -> None:
    for boxes in ([NAME], []):
        corrections.save_box_outs(one.db, one.coordinator, 1, boxes)
    report = film_replay.verify_corrections(one.db)
    assert (report.ok, report.films) == (True, 1)


def test_the_same_correction_again_is_none(one: Study) -> None:
    db, cora = one.db, one.coordinator
    corrections.save_calibration(db, cora, 1, BY_BALL)
    corrections.save_polarity(db, cora, 1, True)
    corrections.save_box_outs(db, cora, 1, [NAME])
    corrections.save_text_checked(db, cora, [1], checked=True)
    entries = journal.verify_chain(db).entries
    assert not corrections.save_calibration(db, cora, 1, BY_BALL).changed
    assert not corrections.save_polarity(db, cora, 1, True).changed
    assert not corrections.save_box_outs(db, cora, 1, [NAME]).changed
    assert corrections.save_text_checked(db, cora, [1], checked=True) == 0
    assert journal.verify_chain(db).entries == entries


def test_no_path_and_no_participant_gets_into_the_journal_of_films(one: Study) -> None:
    corrections.save_box_outs(one.db, one.coordinator, 1, [NAME], blanked(one))
    corrections.copy_removed(one.db, one.coordinator, 1)
    text = str([entry.payload for entry in told(one, "film.")])
    assert source(one).file_sha256 in text
    for secret in ("/films", "images/", ".dcm", "P0001"):
        assert secret not in text


def test_a_film_that_is_not_there_cannot_be_corrected(one: Study) -> None:
    db, cora = one.db, one.coordinator
    for attempt in (
        lambda: corrections.save_calibration(db, cora, 9, BY_BALL),
        lambda: corrections.save_polarity(db, cora, 9, True),
        lambda: corrections.save_box_outs(db, cora, 9, [NAME]),
        lambda: corrections.save_text_checked(db, cora, [1, 9], checked=True),
        lambda: corrections.film_source(db, cora, 9),
        lambda: film_list.film_entry(db, cora, 9),
    ):
        with pytest.raises(StudyError, match="no film 9"):
            attempt()
    assert not told(one, "film.")
    assert not film_list.film_entry(db, cora, 1).text_checked


# The list ---------------------------------------------------------------------------------------


def every_kind_of_film() -> list[NewRadiograph]:
    kinds = product((True, False, None), (False, True), (0.2, None), ("B", "U"))
    return [
        replace(
            film(f"P{number:04d}"),
            burned_in=burned_in,
            phantom=phantom,
            spacing_row_mm=mm,
            spacing_column_mm=mm,
            spacing_kind="at detector" if mm else "unknown",
            laterality=laterality,
        )
        for number, (burned_in, phantom, mm, laterality) in enumerate(kinds)
    ]


def test_the_filter_finds_exactly_the_films_that_have_a_doubt(study: Study) -> None:
    films.add_radiographs(study.db, study.coordinator, every_kind_of_film())
    db, cora = study.db, study.coordinator
    corrections.save_calibration(db, cora, 3, BY_BALL)
    corrections.save_text_checked(db, cora, [1, 5, 20], checked=True)
    everything = film_list.film_list(db, cora)
    assert len(everything) == film_list.film_count(db, cora) == 24
    doubtful = {entry.radiograph_id for entry in everything if entry.to_check}
    filtered = film_list.film_list(db, cora, to_check_only=True)
    assert {entry.radiograph_id for entry in filtered} == doubtful
    assert len(filtered) == film_list.film_count(db, cora, to_check_only=True)
    assert 0 < len(doubtful) < 24, "both kinds are there"
    stated = [FilmDoubt.TEXT_STATED in entry.to_check for entry in filtered]
    assert stated == sorted(stated, reverse=True), "films that say so themselves come first"
    assert any(stated)
    silent = film_list.films_silent_on_text(db, cora)
    assert set(silent) == {
        entry.radiograph_id for entry in filtered if FilmDoubt.TEXT_STATED not in entry.to_check
    }


def test_pages_together_are_the_list(study: Study) -> None:
    films.add_radiographs(study.db, study.coordinator, every_kind_of_film())
    for to_check_only in (False, True):
        whole = film_list.film_list(study.db, study.coordinator, to_check_only=to_check_only)
        pages = [
            entry
            for offset in range(0, 30, 7)
            for entry in film_list.film_list(
                study.db, study.coordinator, offset=offset, limit=7, to_check_only=to_check_only
            )
        ]
        assert tuple(pages) == whole


def test_an_entry_tells_what_is_corrected_and_what_the_film_says_itself(one: Study) -> None:
    db, cora = one.db, one.coordinator
    corrections.save_calibration(db, cora, 1, BY_BALL)
    corrections.save_polarity(db, cora, 1, False)
    corrections.save_box_outs(db, cora, 1, [NAME, CORNER])
    entry = film_list.film_entry(db, cora, 1)
    assert (entry.participant, entry.visit, entry.rows, entry.columns) == ("P0001", "Baseline", 2500, 3000)
    assert (entry.spacing_mm, entry.spacing_words_kind) == ((0.125, 0.125), "calibrated")
    assert entry.calibrated_marker_mm == 25
    assert (entry.own_spacing.row_mm, entry.own_spacing.kind) == (0.15, SpacingKind.CALIBRATED)
    assert entry.inverse_polarity is False
    assert entry.box_outs == (NAME, CORNER)
    assert entry.to_check == (FilmDoubt.TEXT_POSSIBLE,)
    assert not entry.copied
    assert film_list.film_list(db, cora) == (entry,)


# Pre-grades -------------------------------------------------------------------------------------


def test_pre_grades_of_other_pixels_are_withdrawn_and_offered_again(one: Study) -> None:
    one.pregrade_all()
    rolf = one.person("Rolf", Role.READER)
    reading = one.open(rolf)
    assert {joint.box for joint in reading.case.joints} == {Box(1, 2, 3, 4)}
    assert pregrades.pending_joints(one.db, one.coordinator, BUNDLE) == ()
    effect = corrections.save_polarity(one.db, one.coordinator, 1, True)
    assert effect.withdrawn_joints == 2
    assert pregrades.pregrades_for_reading(one.db, rolf, reading.reading_id, BUNDLE) == ()
    assert pregrades.all_pregrades(one.db, one.person("Ada", Role.AUDITOR), BUNDLE) == ()
    pending = pregrades.pending_joints(one.db, one.coordinator, BUNDLE)
    assert [joint.box for joint in pending] == [None, None], "found on the inverted film, so found anew"
    assert {joint.pixel_sha256 for joint in pending} == {
        shown_sha256(sha("pixelsP0001-Baseline"), source(one).correction)
    }
    one.pregrade_all()
    assert len(pregrades.pregrades_for_reading(one.db, rolf, reading.reading_id, BUNDLE)) == 4


def test_the_journal_keeps_every_word_of_what_was_withdrawn(one: Study) -> None:
    one.pregrade_all()
    corrections.save_box_outs(one.db, one.coordinator, 1, [NAME])
    (entry,) = told(one, "pregrade.withdraw")
    said = entry.payload["pregrades"]
    assert isinstance(said, list)
    assert {(each["joint"], each["item"], each["code"]) for each in said} == {
        (joint, item.key, code) for joint in (1, 2) for item, code in ((KL, 2), (JSN, 1))
    }
    assert said[0]["probabilities"]["2"] == 0.5
    assert said[0]["heatmap_file"] == "heatmaps/1.npz"
    assert entry.payload["located"] == [[1, 1.0, 2.0, 3.0, 4.0], [2, 1.0, 2.0, 3.0, 4.0]]


def test_millimetres_and_a_look_leave_pre_grades_alone(one: Study) -> None:
    one.pregrade_all()
    assert corrections.save_calibration(one.db, one.coordinator, 1, BY_BALL).withdrawn_joints == 0
    corrections.save_text_checked(one.db, one.coordinator, [1], checked=True)
    assert len(pregrades.all_pregrades(one.db, one.person("Ada", Role.AUDITOR), BUNDLE)) == 4


def test_what_the_networks_say_of_a_film_that_was_corrected_meanwhile_is_refused(one: Study) -> None:
    joint = pregrades.pending_joints(one.db, one.coordinator, BUNDLE)[0]
    late = pregrade(joint.joint_id, pixels=joint.pixel_sha256)
    corrections.save_polarity(one.db, one.coordinator, 1, True)
    with pytest.raises(PreGradeError, match="corrected after"):
        pregrades.save_pregrades(one.db, one.coordinator, [late], heatmap_file=None, located_box=NAME)
    assert pregrades.all_pregrades(one.db, one.person("Ada", Role.AUDITOR), BUNDLE) == ()
    assert pregrades.pending_joints(one.db, one.coordinator, BUNDLE)[0].box is None


# Readers ----------------------------------------------------------------------------------------


def test_signed_readings_are_counted_and_stay(written: Study) -> None:
    before = readings.worklist(written.db, written.person("Rita", Role.READER))
    effect = corrections.save_polarity(written.db, written.coordinator, 1, True)
    assert (effect.locked_readings, effect.withdrawn_joints) == (1, 0)
    assert readings.worklist(written.db, written.person("Rita", Role.READER)) == before


def test_whatever_changes_how_a_film_looks_changes_its_version(one: Study) -> None:
    rolf = one.person("Rolf", Role.READER)
    seen: list[str] = []

    def look() -> None:
        version = one.open(rolf).case.films[0].version
        (entry,) = readings.worklist(one.db, rolf)
        assert ahead.films_ahead(one.db, rolf, [entry.assignment_id]) == ((1, version, False),)
        seen.append(version)

    look()
    corrections.save_calibration(one.db, one.coordinator, 1, BY_BALL)
    look()
    corrections.save_polarity(one.db, one.coordinator, 1, True)
    look()
    corrections.save_box_outs(one.db, one.coordinator, 1, [NAME])
    look()
    # Overlays come into sight once somebody has looked for names.
    corrections.save_text_checked(one.db, one.coordinator, [1], checked=True)
    look()
    assert len(set(seen)) == 5


def test_a_reader_gets_the_corrections_and_not_who_made_them(full: Study) -> None:
    for film_id in (1, 2, 3):
        corrections.save_calibration(full.db, full.coordinator, film_id, BY_BALL)
        corrections.save_polarity(full.db, full.coordinator, film_id, True)
    walked = everything_a_reader_gets(full, full.person("Rita", Role.READER))
    sources = [each for each in walked["readings.film_source"] if isinstance(each, FilmSource)]
    assert {each.correction.inverse_polarity for each in sources} == {True}
    text = as_text(walked)
    assert "marker of 25 mm" in text, "the walk does see the correction"
    for secret in ("cora", "rolf", "pseudonym", "text_checked"):
        assert secret not in text


def test_only_a_reader_of_the_case_gets_the_corrected_film(full: Study) -> None:
    with pytest.raises(NotAllowed):
        corrections.film_source(full.db, full.person("Rita", Role.READER), 1)
    auditor = full.person("Ada", Role.AUDITOR)
    assert corrections.film_source(full.db, auditor, 1).path


# Copies -----------------------------------------------------------------------------------------


def blanked(study: Study, *, replaces: str | None = None) -> BlankedCopy:
    return BlankedCopy(
        path="images/ab/new.dcm",
        file_sha256=sha("blanked"),
        pixel_sha256=sha("blanked pixels"),
        replaces_sha256=replaces or source(study).file_sha256,
    )


def test_a_blanked_copy_becomes_the_films_file_and_the_old_one_is_remembered(one: Study) -> None:
    old = source(one)
    corrections.save_box_outs(one.db, one.coordinator, 1, [NAME], blanked(one))
    new = source(one)
    assert (new.path, new.file_sha256) == ("images/ab/new.dcm", sha("blanked"))
    assert films.radiograph(one.db, one.coordinator, 1).pixel_sha256 == sha("blanked pixels")
    assert corrections.superseded_copies(one.db, one.coordinator) == {1: old.path}
    (entry,) = told(one, "film.")
    assert entry.payload["file"] == {"before": old.file_sha256, "after": new.file_sha256}
    assert film_replay.verify_corrections(one.db).ok
    for _ in range(2):
        corrections.copy_removed(one.db, one.coordinator, 1)
        assert corrections.superseded_copies(one.db, one.coordinator) == {}
    assert [entry.verb for entry in told(one, "film.")] == ["film.box_out", "film.copy_removed"]
    assert film_replay.verify_corrections(one.db).ok


def test_a_copy_made_from_a_file_that_was_replaced_meanwhile_is_not_taken(one: Study) -> None:
    late = blanked(one, replaces="0" * 64)
    before = source(one)
    with pytest.raises(StudyError, match="changed elsewhere"):
        corrections.save_box_outs(one.db, one.coordinator, 1, [NAME], late)
    assert source(one) == before
    assert not told(one, "film.")


def test_two_films_are_never_made_the_same(one: Study) -> None:
    one.add_cases(replace(film("P0002"), file_sha256=sha("blanked"), source_sha256=sha("x")))
    with pytest.raises(StudyError, match="the same as film 2"):
        corrections.save_box_outs(one.db, one.coordinator, 1, [NAME], blanked(one))
    assert source(one).correction.box_outs == ()


def test_a_file_that_a_film_uses_is_never_named_for_removal(one: Study) -> None:
    one.add_cases(film("P0002"))
    corrections.save_text_checked(one.db, one.coordinator, [1], checked=True)
    one.past_the_store(
        "UPDATE film_correction SET superseded_path = (SELECT path FROM radiograph WHERE id = 2)"
    )
    assert corrections.superseded_copies(one.db, one.coordinator) == {}
    assert "still to be removed" in film_replay.verify_corrections(one.db).reason
