"""An import that is killed half-way goes on where it was: nothing twice, nothing lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.operations.import_films import CHUNK, import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study
from reader_app.operations.study_config import ImagePolicy
from reader_app.operations.verify import verify
from reader_app.store import cases, journal
from reader_app.store import films as stored
from reader_app.store.records import Actor
from tests.operations.conftest import COORDINATOR, PASSWORD, MakeStudy

FILMS = 300

# Imports a folder and tells each step on a line of its own.
_IMPORT = """
import sys
from pathlib import Path
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import open_study

with open_study(Path(sys.argv[1])) as study:
    actor = log_in(study, sys.argv[3], sys.argv[4])
    tell = lambda progress: print(progress.what, progress.done, flush=True)
    import_films(study, actor, Path(sys.argv[2]), progress=tell)
"""


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """A few hundred small films, every one different, and one that cannot be read."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    across = np.exp(-(((np.arange(32) - 16) / 8) ** 2))
    for number in range(FILMS):
        picture = (150 * across[None, :] * np.ones((32, 1))).astype(np.uint8)
        picture[0, :2] = number // 256, number % 256
        Image.fromarray(picture).save(folder / f"{number:04}.png")
    (folder / "0100 cut.png").write_bytes((folder / "0099.png").read_bytes()[:60])
    return folder


def states(study: Study) -> dict[str, int]:
    with study.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT state, count(*) AS n FROM import_file GROUP BY state").all()
    return {row.state: row.n for row in rows}


def told_until(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    for text in iter(process.stdout.readline, ""):
        if text.strip() == line:
            return
    raise AssertionError(f"the import ended without saying “{line}”")


@pytest.mark.parametrize("images", list(ImagePolicy))
def test_a_killed_import_is_completed_by_the_same_command(
    make_study: MakeStudy, cohort: Path, images: ImagePolicy
) -> None:
    study = make_study(images=images)
    arguments = [str(study.folder), str(cohort), COORDINATOR, PASSWORD]
    added = 0
    for done in (CHUNK, 2 * CHUNK):
        command = [sys.executable, "-c", _IMPORT, *arguments]
        root = Path(__file__).parents[2]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            told_until(process, f"Reading pixels {done}")
            process.kill()
        actor = log_in(study, COORDINATOR, PASSWORD)
        films = stored.all_radiographs(study.database, actor)
        # What was told is there (all but the film that cannot be read), and perhaps a chunk more.
        assert len(films) >= added + done - 1
        assert states(study)["imported"] == len(films)
        added = len(films)
        assert journal.verify_chain(study.database).ok
    report = import_films(study, actor, cohort)
    assert (report.added, report.known, report.duplicates) == (FILMS - added, added, 0)
    assert [fault.path.name for fault in report.faults] == ["0100 cut.png"]
    _check_whole(study, actor)


def _check_whole(study: Study, actor: Actor) -> None:
    films = stored.all_radiographs(study.database, actor)
    assert len({film.pixel_sha256 for film in films}) == len(films) == FILMS
    assert states(study) == {"imported": FILMS, "refused": 1}
    assert not cases.film_places_without_case(study.database, actor)
    assert verify(study, actor).ok
    assert len({study.image_path(film.path) for film in films}) == FILMS
    copies = [path for path in study.folder.rglob("images/*/*") if path.is_file()]
    assert len(copies) in (0, FILMS)


def test_a_cancelled_import_goes_on_where_it_was(study: Study, coordinator: Actor, cohort: Path) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(len(stored.all_radiographs(study.database, coordinator)))
        return asked[-1] >= CHUNK

    report = import_films(study, coordinator, cohort, cancelled=cancelled)
    assert CHUNK <= report.added < 2 * CHUNK
    assert any("Stopped after" in note for note in report.notes)
    again = import_films(study, coordinator, cohort)
    assert report.added + again.added == FILMS
    _check_whole(study, coordinator)
