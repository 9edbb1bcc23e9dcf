"""Corrections reach everybody who looks at a film."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reader_app.errors import NotAllowed, StudyError
from reader_app.imaging.correction import covered
from reader_app.imaging.display import gray_bone_bright, to_display
from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import Radiograph, file_sha256
from reader_app.imaging.spacing import SpacingKind
from reader_app.operations import adjudicate, correct_film, read
from reader_app.operations.accounts import add_account
from reader_app.operations.film import load_film
from reader_app.operations.heatmaps import heatmap_file
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study, open_study
from reader_app.operations.verify import verify
from reader_app.reading.case import JointSide
from reader_app.reading.commands import SetGrade
from reader_app.reading.measurement import measured
from reader_app.store import films, pregrades
from reader_app.store.film_records import FilmDoubt
from reader_app.store.records import Actor, NewRadiograph, Role

NAME = Box(4, 6, 30, 10)
WORD = "another sentence"


@pytest.fixture
def filled(study: Study, coordinator: Actor, films: Path) -> Study:
    """A study with three films that it refers to."""
    import_films(study, coordinator, films)
    return study


def person(study: Study, coordinator: Actor, name: str, role: Role) -> Actor:
    add_account(study, coordinator, name=name, password=WORD, role=role)
    return log_in(study, name, WORD)


def picture(radiograph: Radiograph) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return to_display(radiograph)


# Everybody sees the corrected film ---------------------------------------------------------------


def test_a_correction_reaches_reader_adjudicator_coordinator_and_networks(
    study: Study, coordinator: Actor, films: Path
) -> None:
    readers = [person(study, coordinator, name, Role.READER) for name in ("Ben", "Carl")]
    adam = person(study, coordinator, "Adam", Role.ADJUDICATOR)
    import_films(study, coordinator, films)
    for code, reader in enumerate(readers):
        for entry in read.worklist(study, reader):
            opened = read.open_case(study, reader, entry.assignment_id)
            for key in opened.session.keys:
                read.commit(study, reader, opened, SetGrade(key, code), pregrade_in_sight=False)
            read.lock(study, reader, opened, active_seconds=1)
    before = correct_film.film(study, coordinator, 1)
    correct_film.calibrate(study, coordinator, 1, marker_mm=25, start=(10, 20), end=(60, 20))
    correct_film.override_polarity(study, coordinator, 1, True)
    notes = correct_film.box_out(study, coordinator, 1, [NAME])
    assert any("2 readings were locked" in note for note in notes)
    (pending,) = [
        joint
        for joint in pregrades.pending_joints(study.database, coordinator, "b" * 64)
        if joint.radiograph_id == 1
    ]
    seen = {
        "reader": read.film(study, readers[0], 1),
        "adjudicator": adjudicate.pyramid(study, adam, 1).radiograph,
        "coordinator": correct_film.film(study, coordinator, 1),
        "networks": load_film(study, pending.source),
    }
    hidden = covered(before.pixels.shape, [NAME])
    for who, film in seen.items():
        assert film.header.spacing.kind is SpacingKind.CALIBRATED, who
        assert film.header.spacing.column_mm == pytest.approx(0.5), who
        shown = picture(film)
        assert np.unique(shown[hidden]).tolist() == [shown.min()], who
        assert film.inverse_polarity is not before.inverse_polarity, who
        assert np.array_equal(film.pixels[~hidden], before.pixels[~hidden]), who
    bright = gray_bone_bright(seen["networks"])[~hidden]
    assert np.corrcoef(bright, gray_bone_bright(before)[~hidden])[0, 1] < -0.99
    assert verify(study, coordinator).ok


def test_taking_everything_back_gives_the_film_as_it_was(filled: Study, coordinator: Actor) -> None:
    before = correct_film.film(filled, coordinator, 2)
    correct_film.calibrate(filled, coordinator, 2, marker_mm=25, start=(10, 20), end=(60, 20))
    correct_film.override_polarity(filled, coordinator, 2, True)
    correct_film.box_out(filled, coordinator, 2, [NAME])
    assert not np.array_equal(picture(correct_film.film(filled, coordinator, 2)), picture(before))
    assert correct_film.forget_calibration(filled, coordinator, 2) == ()
    correct_film.override_polarity(filled, coordinator, 2, None)
    correct_film.box_out(filled, coordinator, 2, [])
    after = correct_film.film(filled, coordinator, 2)
    assert np.array_equal(picture(after), picture(before))
    assert after.header.spacing == before.header.spacing
    assert verify(filled, coordinator).ok


def test_a_manifests_millimetres_come_back_when_a_calibration_is_forgotten(
    study: Study, coordinator: Actor, films: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "films.csv"
    manifest.write_text("image,spacing\na.png,0.3\n", encoding="utf-8")
    import_films(study, coordinator, films, manifest=manifest)
    found = correct_film.calibrate(study, coordinator, 1, marker_mm=25, start=(10, 20), end=(60, 20))
    assert "0.300 mm calibrated" in found.notes[0]
    assert "67%" in found.notes[0]
    correct_film.forget_calibration(study, coordinator, 1)
    assert correct_film.film(study, coordinator, 1).header.spacing.column_mm == 0.3


def test_the_maps_of_a_film_before_its_correction_keep_their_file(filled: Study, coordinator: Actor) -> None:
    def names() -> list[str]:
        pending = pregrades.pending_joints(filled.database, coordinator, "b" * 64)
        return [heatmap_file(joint.joint_id, "b" * 64, joint.pixel_sha256) for joint in pending]

    before = names()
    correct_film.override_polarity(filled, coordinator, 1, True)
    after = names()
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    assert len(set(after)) == 3


def test_a_proposed_calibration_is_not_stored(filled: Study, coordinator: Actor) -> None:
    line = {"marker_mm": 25.0, "start": (10.0, 20.0), "end": (60.0, 20.0)}
    proposed = correct_film.proposed_calibration(filled, coordinator, 1, **line)  # type: ignore[arg-type]
    assert correct_film.film_entry(filled, coordinator, 1).calibrated_marker_mm is None
    stored = correct_film.calibrate(filled, coordinator, 1, **line)  # type: ignore[arg-type]
    assert stored == proposed


def test_only_coordinators_correct_and_auditors_look(filled: Study, coordinator: Actor) -> None:
    auditor = person(filled, coordinator, "Eva", Role.AUDITOR)
    reader = person(filled, coordinator, "Ben", Role.READER)
    assert len(correct_film.film_list(filled, auditor)) == 3
    assert correct_film.film(filled, auditor, 1).header.rows == 96
    for actor in (auditor, reader):
        for attempt in correcting(filled, actor):
            with pytest.raises(NotAllowed):
                attempt()
    with pytest.raises(NotAllowed):
        correct_film.film_list(filled, reader)
    with pytest.raises(NotAllowed):
        correct_film.film(filled, reader, 1)
    assert verify(filled, coordinator).ok
    assert correct_film.film_count(filled, coordinator, to_check_only=True) == 3


def correcting(study: Study, actor: Actor) -> list[Callable[[], object]]:
    line = {"marker_mm": 25.0, "start": (10.0, 20.0), "end": (60.0, 20.0)}
    return [
        lambda: correct_film.calibrate(study, actor, 1, **line),  # type: ignore[arg-type]
        lambda: correct_film.forget_calibration(study, actor, 1),
        lambda: correct_film.override_polarity(study, actor, 1, True),
        lambda: correct_film.box_out(study, actor, 1, [NAME]),
        lambda: correct_film.text_checked(study, actor, 1, True),
        lambda: correct_film.films_checked(study, actor),
    ]


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([Box(200, 200, 10, 10)], "does not touch the film"),
        ([Box(10, 10, 0, 10)], "does not touch the film"),
        ([Box(-5, -5, 500, 500)], "covers the whole film"),
        ([Box(x, 0, 1, 1) for x in range(51)], "more than can be boxed out"),
    ],
)
def test_a_box_that_makes_no_sense_is_refused(
    filled: Study, coordinator: Actor, boxes: list[Box], words: str
) -> None:
    with pytest.raises(StudyError, match=words):
        correct_film.box_out(filled, coordinator, 1, boxes)
    assert correct_film.film_entry(filled, coordinator, 1).box_outs == ()


def test_boxes_are_cut_to_the_film_and_counted_once(filled: Study, coordinator: Actor) -> None:
    correct_film.box_out(filled, coordinator, 1, [Box(-10, 90, 30, 30), Box(0, 90, 20, 6), NAME])
    assert correct_film.film_entry(filled, coordinator, 1).box_outs == (Box(0, 90, 20, 6), NAME)


def test_checking_many_films_leaves_those_that_say_that_text_is_burned_in(
    study: Study, coordinator: Actor
) -> None:
    new = [described(number, burned_in) for number, burned_in in enumerate((None, True, False, None))]
    films.add_radiographs(study.database, coordinator, new)
    assert correct_film.film_count(study, coordinator, to_check_only=True) == 3
    assert correct_film.films_checked(study, coordinator) == 2
    (left,) = correct_film.film_list(study, coordinator, to_check_only=True)
    assert (left.radiograph_id, left.to_check) == (2, (FilmDoubt.TEXT_STATED,))
    correct_film.text_checked(study, coordinator, 2, True)
    assert correct_film.film_list(study, coordinator, to_check_only=True) == ()
    correct_film.text_checked(study, coordinator, 4, False)
    assert [
        entry.radiograph_id for entry in correct_film.film_list(study, coordinator, to_check_only=True)
    ] == [4]


def described(number: int, burned_in: bool | None) -> NewRadiograph:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return NewRadiograph(
        path=f"/films/{number}.dcm",
        file_sha256=digest,
        pixel_sha256=digest,
        participant=f"P{number}",
        visit="Baseline",
        visit_order=0,
        rows=96,
        columns=96,
        laterality="R",
        view="AP",
        format="DICOM",
        spacing_row_mm=0.2,
        spacing_column_mm=0.2,
        spacing_kind="at detector",
        spacing_reason="ImagerPixelSpacing, at the detector.",
        phantom=False,
        sides=(JointSide.RIGHT,),
        burned_in=burned_in,
    )


# Real films -------------------------------------------------------------------------------------


def test_a_real_film_of_zero_spacing_gets_millimetres_by_a_marker(
    study: Study, coordinator: Actor, shared: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    real = shared / "data" / "dicom" / "radiographs" / "RG1_J2KI_zero_spacing.dcm"
    (folder / "chest.dcm").symlink_to(real)
    import_films(study, coordinator, folder)
    ends = (300.0, 400.0), (300.0 + 120.0, 400.0 + 160.0)
    before = measured(*ends, correct_film.film(study, coordinator, 1).header.spacing)
    assert before.mm is None
    assert before.words.startswith("200 px: no millimetres because")
    assert FilmDoubt.NO_MILLIMETRES in correct_film.film_entry(study, coordinator, 1).to_check
    found = correct_film.calibrate(study, coordinator, 1, marker_mm=25, start=ends[0], end=ends[1])
    assert found.notes == ()
    after = measured(*ends, correct_film.film(study, coordinator, 1).header.spacing)
    assert after.words == "25.0 mm calibrated"
    entry = correct_film.film_entry(study, coordinator, 1)
    assert entry.calibrated_marker_mm == 25
    assert FilmDoubt.NO_MILLIMETRES not in entry.to_check
    assert file_sha256(real) == correct_film.film(study, coordinator, 1).file_sha256, (
        "the file stays as it is"
    )


def test_corrections_are_in_a_backup(filled: Study, coordinator: Actor) -> None:
    from reader_app.operations.backup import back_up

    correct_film.calibrate(filled, coordinator, 1, marker_mm=25, start=(10, 20), end=(60, 20))
    correct_film.box_out(filled, coordinator, 1, [NAME])
    with open_study(back_up(filled).folder) as copy:
        actor = log_in(copy, "Ada Moreno", "a long sentence")
        entry = correct_film.film_entry(copy, actor, 1)
        assert (entry.calibrated_marker_mm, entry.box_outs) == (25, (NAME,))
        assert verify(copy, actor).ok
