"""Overlays can carry names: readers see them only once a coordinator has looked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from reader_app.operations import correct_film, read
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import OVERLAYS, import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study
from reader_app.operations.study_config import ImagePolicy
from reader_app.store.records import Actor, Role
from tests.operations.conftest import COORDINATOR, PASSWORD, MakeStudy, dicom_film


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One film with a name drawn over it, whose file says that no text is burned in."""
    path = dicom_film(tmp_path / "films" / "a.dcm", seed=1, BurnedInAnnotation="NO")
    dataset = pydicom.dcmread(path)
    name = np.zeros((96, 96), dtype=np.bool_)
    name[10:20, 10:60] = True
    for element, vr, value in (
        (0x0010, "US", 96),
        (0x0011, "US", 96),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", 1),
        (0x0102, "US", 0),
        (0x3000, "OB", np.packbits(name.ravel(), bitorder="little").tobytes()),
    ):
        dataset.add_new((0x6000, element), vr, value)
    dataset.save_as(path)
    return path.parent


def a_reader(study: Study, coordinator: Actor) -> Actor:
    add_account(study, coordinator, name="Reader", password=PASSWORD, role=Role.READER)
    return log_in(study, "Reader", PASSWORD)


def test_readers_see_an_overlay_only_after_it_was_checked(
    study: Study, coordinator: Actor, folder: Path
) -> None:
    assert OVERLAYS in import_films(study, coordinator, folder).notes
    reader = a_reader(study, coordinator)
    (entry,) = correct_film.film_list(study, coordinator, to_check_only=True)
    before = read.film(study, reader, entry.radiograph_id)
    assert before.overlays == ()
    assert len(correct_film.film(study, coordinator, entry.radiograph_id).overlays) == 1

    correct_film.text_checked(study, coordinator, entry.radiograph_id, True)

    after = read.film(study, reader, entry.radiograph_id)
    assert after.overlays[0].mask.sum() == 500
    assert np.array_equal(before.pixels, after.pixels)
    assert correct_film.film_list(study, coordinator, to_check_only=True) == ()


def test_a_copy_in_the_study_has_no_overlay_at_all(make_study: MakeStudy, folder: Path) -> None:
    study = make_study(images=ImagePolicy.COPY)
    coordinator = log_in(study, COORDINATOR, PASSWORD)
    report = import_films(study, coordinator, folder)
    assert OVERLAYS not in report.notes
    (entry,) = correct_film.film_list(study, coordinator)
    assert correct_film.film(study, coordinator, entry.radiograph_id).overlays == ()
