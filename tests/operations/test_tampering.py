"""Tampering with a whole study in every way that somebody with the files could: each is found, and named.

The triggers are taken off, the change is made, and they are put back: what finds it is the journal alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from reader_app.errors import StudyDamaged
from reader_app.operations import adjudicate, amend, check_display, exclusions, freeze, read
from reader_app.operations.accounts import add_account
from reader_app.operations.export_journal import export_journal
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.verify import verify
from reader_app.protocols.model import Item
from reader_app.reading.commands import ExcludeJoint, GradeRest, SetGrade
from reader_app.store.canonical import canonical
from reader_app.store.journal import entry_hash
from reader_app.store.records import Actor, Role
from tests.operations.conftest import leg

PASSWORD = "a long sentence"
PEOPLE = {"rita": Role.READER, "rolf": Role.READER, "agnes": Role.ADJUDICATOR, "ada": Role.AUDITOR}
KL = Item("KL")

Tamper = Callable[[Path], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was read, excluded from, amended, adjudicated and frozen; with its journal exported."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "films").mkdir()
    for number in range(4):
        Image.fromarray(leg(seed=number)).save(folder / "films" / f"{number}.png")
    choices = NewStudy("hip-oarsi", "Tampering", "cora", PASSWORD, seed=1)
    with create_study(folder / "study", choices) as study:
        cora = log_in(study, "cora", PASSWORD)
        for name, role in PEOPLE.items():
            add_account(study, cora, name=name, password=PASSWORD, role=role)
        manifest = folder / "films" / "films.csv"
        rows = [f"{number}.png,P{number},B,pelvis-ap" for number in range(4)]
        manifest.write_text("\n".join(["image,participant,side,view", *rows]) + "\n", encoding="utf-8")
        import_films(study, cora, manifest.parent, manifest=manifest)
        rita, rolf, agnes = (log_in(study, name, PASSWORD) for name in ("rita", "rolf", "agnes"))
        check_display.save_display_check(study, rita, passed=True, screen={"name": "left"})
        _read(study, rita, code=1, excludes=1)
        _read(study, rolf, code=2, excludes=None)
        (question,) = exclusions.waiting(study, rolf)
        exclusions.save_check(study, rolf, question, confirmed=True)
        first = read.open_case(study, rita, read.worklist(study, rita)[1].assignment_id)
        joint = first.case.joints[0].id
        amend.amend(study, rita, first.reading.reading_id, joint, KL, after=3, reason="Looked again.")
        for one in adjudicate.queue(study, agnes):
            adjudicate.settle_disagreement(study, agnes, one, code=2, rationale="seen")
        freeze.freeze(study, cora, password=PASSWORD, reason="all done")
        export_journal(study, cora, folder / "journal.jsonl")
    return folder


def _read(study: Study, reader: Actor, *, code: int, excludes: int | None) -> None:
    """Read all cases; the case at the place `excludes` is excluded for its quality."""
    for entry in read.worklist(study, reader):
        case = read.open_case(study, reader, entry.assignment_id)
        for joint in case.case.joints:
            if entry.place == excludes:
                if case.session.exclusion(joint.id) is None:
                    command = ExcludeJoint(joint.id, "poor-quality")
                    read.commit(study, reader, case, command, pregrade_in_sight=False)
                continue
            key = next(key for key in case.session.keys if key.joint_id == joint.id and key.item == KL)
            read.commit(study, reader, case, SetGrade(key, code), pregrade_in_sight=False)
            read.commit(study, reader, case, GradeRest(joint.id), pregrade_in_sight=False)
        read.lock(study, reader, case, active_seconds=5.0)


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Path:
    """A copy of the study whose films are its own."""
    shutil.copytree(whole, tmp_path / "copy")
    study = tmp_path / "copy" / "study"
    with closing(sqlite3.connect(study / "study.db")) as connection, connection:
        for sql in _without_triggers(connection):
            connection.execute(sql)
        connection.execute(
            "UPDATE radiograph SET path = replace(path, ?, ?)", (str(whole), str(tmp_path / "copy"))
        )
        for (sql,) in connection.execute("SELECT sql FROM kept").fetchall():
            connection.execute(sql)
        connection.execute("DROP TABLE kept")
    return study


def _without_triggers(connection: sqlite3.Connection) -> list[str]:
    """Note all triggers in the table `kept` and return what drops them."""
    connection.execute("CREATE TABLE kept AS SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return [f"DROP TRIGGER {name}" for (name,) in connection.execute("SELECT name FROM kept").fetchall()]


def sql(*statements: str) -> Tamper:
    """Change the database behind the store's back, all triggers in place again afterwards."""

    def tamper(study: Path) -> None:
        with closing(sqlite3.connect(study / "study.db")) as connection, connection:
            for dropped in _without_triggers(connection):
                connection.execute(dropped)
            for statement in statements:
                assert connection.execute(statement).rowcount != 0, statement
            for (again,) in connection.execute("SELECT sql FROM kept").fetchall():
                connection.execute(again)
            connection.execute("DROP TABLE kept")

    return tamper


def write_anew(study: Path) -> None:
    """Tell the journal otherwise and make the whole chain fit again: the perfect forgery."""
    with closing(sqlite3.connect(study / "study.db")) as connection, connection:
        for dropped in _without_triggers(connection):
            connection.execute(dropped)
        connection.row_factory = sqlite3.Row
        previous = "0" * 64
        for row in connection.execute("SELECT * FROM journal ORDER BY sequence").fetchall():
            payload, at = json.loads(row["payload"]), row["at"]
            if row["verb"] == "study.freeze":
                payload["reason"] = "another reason"
            text = canonical(payload)
            link = entry_hash(
                row["sequence"],
                at=at,
                account_id=row["account_id"],
                verb=row["verb"],
                payload=text,
                previous=previous,
            )
            connection.execute(
                "UPDATE journal SET payload = ?, previous_hash = ?, hash = ? WHERE sequence = ?",
                (text, previous, link, row["sequence"]),
            )
            previous = link
        connection.execute("UPDATE journal_head SET hash = ?", (previous,))
        for (again,) in connection.execute("SELECT sql FROM kept").fetchall():
            connection.execute(again)
        connection.execute("DROP TABLE kept")


def _film(study: Path) -> None:
    path = study.parent / "films" / "2.png"
    pixels = leg(seed=2)
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(path)


def _swap_film(study: Path) -> None:
    """Put another picture in a film's place, and its hash into the database."""
    path = study.parent / "films" / "2.png"
    Image.fromarray(leg(seed=77)).save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sql(f"UPDATE radiograph SET file_sha256 = '{digest}' WHERE path LIKE '%2.png'")(study)


def _append(name: str, text: str) -> Tamper:
    def tamper(study: Path) -> None:
        with (study / name).open("a", encoding="utf-8") as stream:
            stream.write(text)

    return tamper


TAMPERINGS: dict[str, tuple[Tamper, str]] = {
    "a grade": (sql("UPDATE grade SET code = 0 WHERE item = 'KL' AND code = 2"), "Reading .* is not what"),
    "a grade gone": (sql("DELETE FROM grade WHERE reading_id = 2 AND item = 'KL'"), "Reading 2 is not what"),
    "an exclusion": (sql("UPDATE exclusion SET note = 'x'"), "Reading .* is not what"),
    "the reading time": (
        sql("UPDATE reading SET active_seconds = 999 WHERE id = 2"),
        "Reading 2 is not what the journal tells",
    ),
    "a signature's meaning": (
        sql("UPDATE signature SET meaning = 'I did not look.' WHERE reading_id = 3"),
        "signature 3 is not what journal entry .* meaning differs",
    ),
    "an amendment gone": (sql("DELETE FROM amendment"), "amendment 1 of journal entry .* is missing"),
    "a settlement": (sql("UPDATE settlement SET code = 4"), "settled grade .* code differs"),
    "who settled": (sql("UPDATE settlement SET account_id = 1"), "settled grade .* account id differs"),
    "an answer on an exclusion": (
        sql("UPDATE exclusion_check SET confirmed = 0"),
        "check of an exclusion .* confirmed differs",
    ),
    "a check of the screen": (
        sql("UPDATE display_check SET passed = 0"),
        "check of a screen 1 .* passed differs",
    ),
    "a role": (sql("UPDATE account SET role = 'auditor' WHERE name = 'rolf'"), "account .* role differs"),
    "an account from nowhere": (
        sql(
            "INSERT INTO account (name, name_key, role, password_hash, active, wrong_in_a_row, created_at) "
            "SELECT 'eve', 'eve', 'reader', password_hash, 1, 0, created_at FROM account WHERE id = 1"
        ),
        "does not tell of the account 6",
    ),
    "an arm": (sql("UPDATE assignment SET arm = 'aided' WHERE id = 1"), "place on a worklist .* arm differs"),
    "a film's participant": (
        sql("UPDATE radiograph SET participant_id = (participant_id = 1) + 1 WHERE id = 3"),
        "radiograph 3 is not what journal entry .* facts differs",
    ),
    "the design": (sql("UPDATE design SET reason = 'x'"), "reading design 1 .* reason differs"),
    "the freeze lifted": (sql("UPDATE study_state SET frozen_at = NULL"), "freeze of the study 1 .* missing"),
    "a film's pixels": (_film, "has changed since the import"),
    "a film with its hash": (_swap_film, "radiograph 3 is not what journal entry .* file sha256 differs"),
    "a journal entry": (
        sql("UPDATE journal SET payload = replace(payload, 'all done', 'all well')"),
        "not whole from entry",
    ),
    "a journal entry gone": (sql("DELETE FROM journal WHERE sequence = 9"), "not whole from entry 9 on"),
    "the journal's tail cut off": (
        sql("DELETE FROM journal WHERE sequence > 20"),
        "not whole from entry 21 on: the last",
    ),
    "a trigger": (
        lambda study: _drop(study, "grade_locked_update"),
        "no longer guards .* grade_locked_update is gone",
    ),
    "a trigger that does nothing": (
        lambda study: _drop(
            study,
            "journal_no_update",
            "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal WHEN 0 BEGIN SELECT 1; END",
        ),
        "no longer guards .* journal_no_update was changed",
    ),
    "the protocol": (
        _append(
            "protocol.toml",
            '\n[[exclusion_reasons]]\nid = "x"\ntitle = "X"\nscope = "joint"\nneeds_confirmation = false\n',
        ),
        "protocol",
    ),
}


def _drop(study: Path, name: str, instead: str = "") -> None:
    with closing(sqlite3.connect(study / "study.db")) as connection, connection:
        connection.execute(f"DROP TRIGGER {name}")
        if instead:
            connection.execute(instead)


def faults_of(study: Path, *, exported: Path | None = None) -> list[str]:
    """Return what `reader-app verify` finds, also where the study cannot even be opened."""
    try:
        with open_study(study) as opened:
            return list(verify(opened, _auditor(), exported=exported).faults)
    except StudyDamaged as fault:
        return [fault.what]


def _auditor() -> Actor:
    # Without a log in, which would write into the journal that was tampered with.
    return Actor(5, "ada", Role.AUDITOR)


def test_the_study_is_clean_before_anybody_tampers(copied: Path, whole: Path) -> None:
    assert faults_of(copied, exported=whole / "journal.jsonl") == []


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found_and_named(copied: Path, what: str) -> None:
    tamper, told = TAMPERINGS[what]
    tamper(copied)
    faults = faults_of(copied)
    assert faults, f"{what} was not found"
    assert any(re.search(told, fault) for fault in faults), faults


def test_a_journal_written_anew_as_a_whole_is_found_with_an_export_of_before(
    copied: Path, whole: Path
) -> None:
    write_anew(copied)
    assert faults_of(copied) == []
    (fault,) = faults_of(copied, exported=whole / "journal.jsonl")
    assert re.match(r"Entry \d+ of the journal is not the one that stands in journal.jsonl", fault)
