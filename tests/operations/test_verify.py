"""Verifying and backing up: every change since is found and named."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reader_app.errors import NotAllowed
from reader_app.operations.accounts import add_account
from reader_app.operations.backup import back_up
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.progress import Progress
from reader_app.operations.study import Study, open_study
from reader_app.operations.verify import verify
from reader_app.store.records import Actor, Role


@pytest.fixture
def filled(study: Study, coordinator: Actor, films: Path) -> Study:
    """A study with three films."""
    import_films(study, coordinator, films)
    return study


def test_a_whole_study_has_no_faults(filled: Study, coordinator: Actor) -> None:
    told: list[Progress] = []
    report = verify(filled, coordinator, progress=told.append)
    assert report.ok
    assert any("3 films" in sentence for sentence in report.checked)
    assert any("unbroken chain" in sentence for sentence in report.checked)
    assert (told[-1].done, told[-1].total) == (3, 3)


def test_changed_gone_and_unchanged_films_are_told_apart(
    filled: Study, coordinator: Actor, films: Path
) -> None:
    (films / "a.png").write_bytes((films / "b.png").read_bytes())
    (films / "inner" / "c.png").unlink()
    report = verify(filled, coordinator)
    assert len(report.faults) == 2
    assert any(str(films / "a.png") in fault and "has changed" in fault for fault in report.faults)
    assert any(str(films / "inner" / "c.png") in fault and "is gone" in fault for fault in report.faults)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE journal SET at = '2020-01-01T00:00:00' WHERE sequence = 2",
        "DELETE FROM journal WHERE sequence = 2",
        "DELETE FROM journal WHERE sequence = (SELECT max(sequence) FROM journal)",
    ],
)
def test_a_journal_that_was_tampered_with_is_found(filled: Study, tampering: str) -> None:
    with closing(sqlite3.connect(filled.folder / "study.db")) as connection:
        triggers = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'journal%'"
        ).fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(tampering)
        connection.commit()
    report = verify(filled)
    assert not report.ok
    assert "journal" in report.faults[0]


def test_films_are_only_for_those_who_may_know_where_they_lie(filled: Study, coordinator: Actor) -> None:
    without = verify(filled)
    assert without.ok
    assert not any("films" in sentence for sentence in without.checked)
    add_account(filled, coordinator, name="Ben", password="another sentence", role=Role.READER)
    with pytest.raises(NotAllowed):
        verify(filled, log_in(filled, "Ben", "another sentence"))
    add_account(filled, coordinator, name="Eva", password="another sentence", role=Role.AUDITOR)
    assert verify(filled, log_in(filled, "Eva", "another sentence")).ok


def test_a_backup_can_be_opened_and_verified_and_does_not_change(
    filled: Study, coordinator: Actor, films: Path
) -> None:
    report = back_up(filled)
    add_account(filled, coordinator, name="Ben", password="another sentence", role=Role.READER)
    assert set(report.files) == {"study.db", "study.toml", "protocol.toml", "pseudonyms.key"}
    assert not list((filled.folder / "backups").glob("*.part"))
    with open_study(report.folder) as copy:
        actor = log_in(copy, "Ada Moreno", "a long sentence")
        assert verify(copy, actor).ok
        again = import_films(copy, actor, films)
        assert (again.added, again.known) == (0, 3)


def test_two_backups_stand_side_by_side(filled: Study) -> None:
    assert back_up(filled).folder != back_up(filled).folder
    assert len(list((filled.folder / "backups").iterdir())) == 2
