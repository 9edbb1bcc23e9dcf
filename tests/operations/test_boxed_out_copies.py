"""A box-out in a study's own copy is final, and outlasts a kill at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.errors import ImageError, StudyError
from reader_app.imaging.correction import covered
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.radiograph import file_sha256
from reader_app.interop.deidentify import DatePolicy, Deidentification, copy_suffix, deidentified_copy
from reader_app.operations import correct_film, read
from reader_app.operations.assign import assign_all
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study
from reader_app.operations.verify import verify
from reader_app.protocols.model import Presentation
from reader_app.reading.ordering import build_cases
from reader_app.store import cases, films
from reader_app.store.records import Actor, Role
from tests.operations.conftest import MakeStudy
from tests.operations.test_correct_film import NAME, described, person, picture

# Copies -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Copied:
    """A study whose one film is its own de-identified copy."""

    study: Study
    coordinator: Actor

    def path(self) -> Path:
        (record,) = films.all_radiographs(self.study.database, self.coordinator)
        return self.study.image_path(record.path)

    def files(self) -> list[Path]:
        return sorted(path for path in (self.study.folder / "images").rglob("*") if path.is_file())


def copied(study: Study, coordinator: Actor, source: Path) -> Copied:
    """Do what an import does with one film, copying it de-identified."""
    here = read_radiograph(source)
    made = study.folder / "images" / f"copy{copy_suffix(here.header.format)}"
    made.parent.mkdir()
    deidentified_copy(source, made, Deidentification("P0001", b"k" * 32, DatePolicy.DROPPED))
    digest = file_sha256(made)
    target = made.parent / digest[:2] / f"{digest}{made.suffix}"
    target.parent.mkdir()
    made.rename(target)
    header = here.header
    film = replace(
        described(1, None),
        path=target.relative_to(study.folder).as_posix(),
        file_sha256=digest,
        source_sha256=file_sha256(source),
        pixel_sha256=here.pixel_sha256,
        rows=header.rows,
        columns=header.columns,
        format=header.format,
    )
    films.add_radiographs(study.database, coordinator, [film])
    places = cases.film_places_without_case(study.database, coordinator)
    cases.add_cases(
        study.database,
        coordinator,
        build_cases(places, Presentation.SINGLE, seed=1),
        presentation=Presentation.SINGLE,
    )
    return Copied(study, coordinator)


@pytest.fixture(params=["RG2_J2KR.dcm", "RG3_JLSN_monochrome1.dcm", "RG2_JPLY_fixed.dcm", "film.png"])
def own(
    request: pytest.FixtureRequest, study: Study, coordinator: Actor, shared: Path, tmp_path: Path
) -> Copied:
    if request.param == "film.png":
        source = tmp_path / "film.png"
        noise = np.random.default_rng(3).integers(0, 255, (96, 120), dtype=np.uint8)
        Image.fromarray(noise).save(source)
    else:
        source = shared / "data" / "dicom" / "radiographs" / request.param
    return copied(study, coordinator, source)


def test_a_box_out_blanks_the_studys_own_copy_and_removes_the_one_before(own: Copied) -> None:
    study, coordinator = own.study, own.coordinator
    before, old = read_radiograph(own.path()), own.path()
    assert correct_film.film_entry(study, coordinator, 1).copied
    assert correct_film.box_out(study, coordinator, 1, [NAME]) == ()
    assert own.files() == [own.path()], "nothing is left of the copy before, nor of the work"
    assert own.path() != old
    record = films.radiograph(study.database, coordinator, 1)
    blank = read_radiograph(own.path())
    assert file_sha256(own.path()) == record.file_sha256
    assert blank.pixel_sha256 == record.pixel_sha256 != before.pixel_sha256
    hidden = covered(before.pixels.shape, [NAME])
    assert np.array_equal(blank.pixels[~hidden], before.pixels[~hidden])
    assert np.unique(blank.pixels[hidden]).size == 1
    if blank.header.format == "DICOM":
        assert blank.header.burned_in is False
        assert blank.header.spacing == before.header.spacing
    assert verify(study, coordinator).ok
    assert correct_film.film(study, coordinator, 1).inverse_polarity is before.inverse_polarity


def test_what_is_blanked_in_a_copy_cannot_be_taken_back_but_more_can_follow(own: Copied) -> None:
    study, coordinator = own.study, own.coordinator
    correct_film.box_out(study, coordinator, 1, [NAME])
    first = own.path()
    for boxes in ([], [NAME.moved(1, 1)]):
        with pytest.raises(StudyError, match="cannot come back"):
            correct_film.box_out(study, coordinator, 1, boxes)
    assert correct_film.box_out(study, coordinator, 1, [NAME]) == ()
    assert own.path() == first
    correct_film.box_out(study, coordinator, 1, [NAME, NAME.moved(40, 40)])
    assert own.files() == [own.path()]
    assert own.path() != first
    blank = read_radiograph(own.path()).pixels
    assert np.unique(blank[covered(blank.shape, [NAME, NAME.moved(40, 40)])]).size == 1
    assert verify(study, coordinator).ok


def test_a_copy_that_has_changed_is_not_blanked(own: Copied) -> None:
    content = own.path().read_bytes()
    own.path().write_bytes(content[:-2] + b"xx")
    with pytest.raises(ImageError, match="its file has changed"):
        correct_film.box_out(own.study, own.coordinator, 1, [NAME])
    assert own.files() == [own.path()]
    assert correct_film.film_entry(own.study, own.coordinator, 1).box_outs == ()


def test_a_copy_made_byte_for_byte_by_an_older_version_is_covered_and_left_alone(
    study: Study, coordinator: Actor, shared: Path
) -> None:
    source = shared / "data" / "dicom" / "radiographs" / "RG2_J2KR.dcm"
    target = study.folder / "images" / "ab" / "old.dcm"
    target.parent.mkdir(parents=True)
    target.write_bytes(source.read_bytes())
    film = replace(
        described(1, None), path="images/ab/old.dcm", file_sha256=file_sha256(source), rows=2140, columns=1760
    )
    films.add_radiographs(study.database, coordinator, [film])
    (note,) = correct_film.box_out(study, coordinator, 1, [NAME])
    assert "stay in the file" in note
    assert target.read_bytes() == source.read_bytes()
    shown = picture(correct_film.film(study, coordinator, 1))
    assert np.unique(shown[covered(shown.shape, [NAME])]).tolist() == [shown.min()]


def test_the_copy_from_before_that_is_still_there_is_a_fault_until_it_is_removed(own: Copied) -> None:
    old, content = own.path(), own.path().read_bytes()
    correct_film.box_out(own.study, own.coordinator, 1, [NAME])
    old.parent.mkdir(exist_ok=True)
    old.write_bytes(content)
    with own.study.database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE film_correction SET superseded_path = ?",
            (old.relative_to(own.study.folder).as_posix(),),
        )
    report = verify(own.study, own.coordinator)
    assert any("from before its box-out is still in the study" in fault for fault in report.faults)
    correct_film.box_out(own.study, own.coordinator, 1, [NAME])
    assert own.files() == [own.path()]


def test_nothing_outside_the_studys_images_is_ever_removed(own: Copied, tmp_path: Path) -> None:
    correct_film.box_out(own.study, own.coordinator, 1, [NAME])
    kept = [tmp_path / "outside.txt", own.study.folder / "study.toml"]
    kept[0].write_text("mine", encoding="utf-8")
    for path in (kept[0].as_posix(), "images/../study.toml", "../outside.txt"):
        with own.study.database.writing() as connection:
            connection.exec_driver_sql("UPDATE film_correction SET superseded_path = ?", (path,))
        correct_film.box_out(own.study, own.coordinator, 1, [NAME])
        assert all(each.exists() for each in kept)


_KILLED = """
import os, sys
from pathlib import Path
from reader_app.imaging.geometry import Box
from reader_app.interop import box_out as _loaded_before_the_hook
from reader_app.operations import correct_film
from reader_app.operations.study import open_study
from reader_app.store.records import Actor, Role

folder, account, step = Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3])
images, touched = str(folder / "images"), 0

def hook(event, arguments):
    global touched
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if not (writes or event in ("os.rename", "os.remove", "os.chmod")):
        return
    if any(isinstance(each, (str, os.PathLike)) and str(each).startswith(images) for each in arguments):
        touched += 1
        if touched == step:
            os._exit(9)

with open_study(folder) as study:
    sys.addaudithook(hook)
    correct_film.box_out(study, Actor(account, "Ada Moreno", Role.COORDINATOR), 1, [Box(4, 6, 30, 10)])
print(touched)
"""


def test_a_kill_at_any_touch_of_the_disk_leaves_a_whole_study_and_no_name(
    make_study: MakeStudy, shared: Path
) -> None:
    """The process ends itself before its n-th change below images/, for every n until it gets through."""
    source = shared / "data" / "dicom" / "radiographs" / "RG2_J2KR.dcm"
    killed, faulty = 0, 0
    for step in range(1, 40):
        study = make_study(f"study{step}")
        coordinator = log_in(study, "Ada Moreno", "a long sentence")
        own = copied(study, coordinator, source)
        untouched = read_radiograph(own.path()).pixels
        child = subprocess.run(
            [sys.executable, "-c", _KILLED, str(study.folder), str(coordinator.account_id), str(step)],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            check=False,
        )
        assert child.returncode in (0, 9), child.stderr
        _check_whole(own, untouched)
        if child.returncode == 0:
            break
        killed += 1
        faulty += not verify(study, coordinator).ok
        correct_film.box_out(study, coordinator, 1, [NAME])
        assert verify(study, coordinator).ok
        assert own.files() == [own.path()], f"left behind after a kill at {step}"
        study.close()
    else:
        pytest.fail("it never got through")
    assert killed >= 4, "copying, blanking, renaming, removing"
    assert faulty >= 1, "a copy from before the box-out was found by verify"


def _check_whole(own: Copied, untouched: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> None:
    """The film can be loaded, and is either as it was or blanked as the store says."""
    entry = correct_film.film_entry(own.study, own.coordinator, 1)
    film = correct_film.film(own.study, own.coordinator, 1)
    hidden = covered(untouched.shape, entry.box_outs)
    assert np.array_equal(film.pixels[~hidden], untouched[~hidden])
    if entry.box_outs:
        assert np.unique(film.pixels[hidden]).size == 1
    faults = verify(own.study, own.coordinator).faults
    assert all("from before its box-out" in fault for fault in faults)


def test_a_reader_who_opens_the_case_after_the_box_out_gets_the_new_file(own: Copied) -> None:
    reader = person(own.study, own.coordinator, "Ben", Role.READER)
    assign_all(own.study, own.coordinator)
    (entry,) = read.worklist(own.study, reader)
    before = read.open_case(own.study, reader, entry.assignment_id).case.films[0].version
    correct_film.box_out(own.study, own.coordinator, 1, [NAME])
    assert read.open_case(own.study, reader, entry.assignment_id).case.films[0].version != before
    shown = picture(read.film(own.study, reader, 1))
    assert np.unique(shown[covered(shown.shape, [NAME])]).tolist() == [shown.min()]
