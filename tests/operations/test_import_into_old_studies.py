"""A study of the first version imports on: known films are known, and its faults are tried again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.status import import_faults
from reader_app.operations.study import open_study
from reader_app.operations.verify import verify
from reader_app.store import films as stored
from reader_app.store.canonical import canonical
from reader_app.store.engine import backend_of
from reader_app.store.journal import GENESIS, entry_hash
from reader_app.store.migrating import SHIPPED, migrate
from tests.operations.conftest import COORDINATOR, PASSWORD, MakeStudy, dicom_film

# What a study of the first version holds of the tables that matter here, from one that was made now.
_COPY = (
    "INSERT INTO account SELECT * FROM new.account",
    "INSERT INTO participant SELECT * FROM new.participant",
    "INSERT INTO radiograph SELECT {columns} FROM new.radiograph",
    "INSERT INTO joint SELECT * FROM new.joint",
    "INSERT INTO study_case SELECT id, presentation, created_at FROM new.study_case",
    "INSERT INTO case_film SELECT * FROM new.case_film",
)
_TOLD_LATER = {"design.set", "study.begin"}
_NAMED_LATER = ("facts", "pixels", "purpose")
_READING = """
[reading]
presentation = "single"
arm = "aided"
seed = 1
readers_per_case = 2
"""


def first_version(path: Path, tmp_path: Path) -> None:
    """Turn a database into what the first version would have written."""
    old = tmp_path / "old.db"
    backend = backend_of(old)
    migrate(backend, SHIPPED, to="0001")
    backend.close()
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("ATTACH ? AS new", (str(path),))
        columns = ", ".join(row[1] for row in connection.execute("PRAGMA main.table_info(radiograph)"))
        for statement in _COPY:
            connection.execute(statement.format(columns=columns))
        _write_journal(connection)
    path.unlink()
    shutil.copy(old, path)


def _write_journal(connection: sqlite3.Connection) -> None:
    """Tell what the first version told, in its words, as a chain of its own."""
    sequence, previous = 0, GENESIS
    rows = connection.execute("SELECT at, account_id, verb, payload FROM new.journal ORDER BY sequence")
    for at, account_id, verb, payload in rows.fetchall():
        if verb in _TOLD_LATER:
            continue
        sequence += 1
        told = json.loads(payload)
        text = canonical({key: value for key, value in told.items() if key not in _NAMED_LATER})
        link = entry_hash(sequence, at=at, account_id=account_id, verb=verb, payload=text, previous=previous)
        row = (sequence, at, account_id, verb, text, previous, link)
        connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("UPDATE journal_head SET sequence = ?, hash = ?", (sequence, link))
        previous = link


@pytest.fixture
def old_study(make_study: MakeStudy, tmp_path: Path) -> Path:
    """A study of the first version with two films and a file that was refused."""
    folder = tmp_path / "films"
    dicom_film(folder / "a.dcm", seed=1, IssuerOfPatientID="Hospital")
    dicom_film(folder / "b.dcm", seed=2, IssuerOfPatientID="Hospital", AcquisitionDate="20210101")
    study = make_study(dates=DatePolicy.KEPT)
    text = (study.folder / "study.toml").read_text(encoding="utf-8")
    (study.folder / "study.toml").write_text(text.partition("[privacy]")[0], encoding="utf-8")
    with open_study(study.folder) as without:
        import_films(without, log_in(without, COORDINATOR, PASSWORD), folder)
    study.close()
    first_version(study.folder / "study.db", tmp_path)
    with (study.folder / "study.toml").open("a", encoding="utf-8") as stream:
        stream.write(_READING)
    (folder / "c.dcm").write_bytes(b"")
    with closing(sqlite3.connect(study.folder / "study.db")) as connection, connection:
        connection.execute(
            "INSERT INTO import_fault (path, reason, at) VALUES (?, 'It was empty.', '2024')",
            (str(folder / "c.dcm"),),
        )
    return study.folder


def test_an_old_study_imports_on(old_study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    with open_study(old_study) as study:
        actor = log_in(study, COORDINATOR, PASSWORD)
        assert study.config.dates is DatePolicy.KEPT
        assert [fault.reason for fault in import_faults(study, actor)] == ["It was empty."]
        # The file is whole by now; a follow-up of the same participant has come.
        dicom_film(folder / "c.dcm", seed=3, IssuerOfPatientID="Hospital", AcquisitionDate="20230101")
        report = import_films(study, actor, folder)
        assert (report.added, report.known, report.faults) == (1, 2, ())
        assert import_faults(study, actor) == ()
        (participant,) = stored.participant_table(study.database, actor)
        assert participant.visits == ("2019-05-04", "2021-01-01", "2023-01-01")
        again = import_films(study, actor, folder)
        assert (again.added, again.known) == (0, 3)
        assert verify(study, actor).ok


def test_films_of_an_old_study_that_were_moved_are_found(old_study: Path, tmp_path: Path) -> None:
    elsewhere = (tmp_path / "films").rename(tmp_path / "elsewhere")
    with open_study(old_study) as study:
        actor = log_in(study, COORDINATOR, PASSWORD)
        report = import_films(study, actor, elsewhere)
        assert (report.added, report.known, len(report.faults)) == (0, 2, 1)
        assert any("gone from its old place" in note for note in report.notes)
        assert verify(study, actor).ok
