"""The file itself: created, opened, refused, backed up, busy, full, damaged: in words, and nothing lost."""

from __future__ import annotations

import shutil
import sqlite3
import traceback
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from reader_app.errors import NewerStudy, StudyBusy, StudyDamaged, StudyError
from reader_app.store import films, journal, location
from reader_app.store.database import create_database, open_database
from reader_app.store.migrating import SHIPPED, Migrations
from reader_app.store.records import Role
from reader_app.store.tables import metadata
from tests.store.conftest import KL, Study, film, set_grade
from tests.store.places import only_sqlite


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def with_one_more_revision(tmp_path: Path, upgrade: str) -> Migrations:
    """What a later version ships: our revisions and one on top."""
    folder = tmp_path / "later"
    shutil.copytree(SHIPPED.folder, folder)
    (folder / "versions" / "r9999_later.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = '9999'\ndown_revision = {SHIPPED.head!r}\nbranch_labels = depends_on = None\n"
        f"def upgrade():\n{upgrade}\n",
        encoding="utf-8",
    )
    return Migrations(folder, (*SHIPPED.revisions, "9999"))


ADD_COLUMN = """
    with op.batch_alter_table("account") as batch:
        batch.add_column(sa.Column("later", sa.Text(), nullable=True))
"""


# The tables -------------------------------------------------------------------------------------


def test_the_migrations_lead_to_the_tables(study: Study) -> None:
    with study.db.reading() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_known_revisions_are_those_of_the_folder() -> None:
    script = ScriptDirectory(str(SHIPPED.folder))
    shipped = tuple(each.revision for each in script.walk_revisions())[::-1]
    assert shipped == SHIPPED.revisions


def test_the_migrations_lie_inside_the_package() -> None:
    import reader_app.store

    assert SHIPPED.folder.parent == Path(str(reader_app.store.__file__)).parent
    assert (SHIPPED.folder / "env.py").is_file()


@only_sqlite
def test_every_connection_is_set_for_the_promises(study: Study) -> None:
    for opening in (study.db.reading, study.db.writing):
        with opening() as connection:
            found = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 2000}


# Create and open --------------------------------------------------------------------------------


@only_sqlite
def test_creating_never_overwrites(study: Study) -> None:
    before = study.db.path.read_bytes()
    with pytest.raises(StudyError, match="already"):
        create_database(study.db.path)
    assert study.db.path.read_bytes() == before


def test_creating_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="does not exist"):
        create_database(tmp_path / "not here" / "study.db")


def test_opening_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="missing"):
        open_database(tmp_path / "study.db")
    assert list(tmp_path.iterdir()) == []


def test_names_with_blanks_percent_and_umlauts(tmp_path: Path) -> None:
    folder = tmp_path / "Studie 100 % ä?#"
    folder.mkdir()
    create_database(folder / "study.db").close()
    open_database(folder / "study.db").close()
    open_database(f"sqlite:///{folder / 'study.db'}").close()
    assert sorted(path.name for path in folder.iterdir()) == ["study.db"]


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("mysql://somewhere/study", "mysql"),
        ("postgresql://ada:secret@somewhere/study", "PGPASSFILE"),
        ("postgresql://ada@somewhere/study?password=secret", "PGPASSFILE"),
        ("postgresql://ada@somewhere", "names no database"),
        ("postgresql://ada:secret@somewhere:no number/study", "cannot be understood"),
    ],
)
def test_an_address_that_will_not_do_is_refused_without_telling_a_password(address: str, word: str) -> None:
    with pytest.raises(StudyError, match=word) as refused:
        open_database(address)
    assert "secret" not in "".join(traceback.format_exception(refused.value))


@only_sqlite
def test_a_newer_study_is_refused_and_untouched(study: Study, tmp_path: Path) -> None:
    study.db.close()
    folder = tmp_path / "newer"
    folder.mkdir()
    shutil.copy(study.db.path, folder / "study.db")
    with closing(sqlite3.connect(folder / "study.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert sorted(folder_bytes(folder)) == ["study.db"]
    before = folder_bytes(folder)
    with pytest.raises(NewerStudy, match="9999"):
        open_database(folder / "study.db")
    assert folder_bytes(folder) == before


@only_sqlite
def test_a_newer_study_that_was_cut_off_is_untouched_too(study: Study, tmp_path: Path) -> None:
    """Its newest state, revision included, is in the write-ahead log only."""
    folder = tmp_path / "newer"
    folder.mkdir()
    with closing(sqlite3.connect(study.db.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        for name in ("study.db", "study.db-wal"):
            shutil.copy(study.db.path.with_name(name), folder / name)
    before = folder_bytes(folder)
    assert b"9999" not in before["study.db"]
    with pytest.raises(NewerStudy, match="9999"):
        open_database(folder / "study.db")
    after = folder_bytes(folder)
    assert {name: after[name] for name in before} == before


def test_an_older_study_is_backed_up_before_it_is_changed(written: Study, tmp_path: Path) -> None:
    before = journal.verify_chain(written.db)
    written.db.close()
    later = with_one_more_revision(tmp_path, ADD_COLUMN)
    backups = tmp_path / "backups"
    with open_database(written.place, migrations=later, backups=backups) as db:
        with db.reading() as connection:
            assert connection.exec_driver_sql("SELECT later FROM account").scalars().first() is None
        with pytest.raises(IntegrityError), db.writing() as connection:
            connection.exec_driver_sql("INSERT INTO joint (radiograph_id, side) VALUES (999, 'R')")
        assert journal.verify_chain(db).ok
    (backup,) = backups.iterdir()
    with open_database(backup) as old:
        assert journal.verify_chain(old) == before
    with open_database(written.place, migrations=later, backups=backups):
        pass
    assert len(list(backups.iterdir())) == 1, "an up-to-date study needs no backup"


def test_a_migration_that_fails_changes_nothing(written: Study, tmp_path: Path) -> None:
    broken = with_one_more_revision(tmp_path, ADD_COLUMN + "\n    raise RuntimeError('half-way')")
    written.db.close()
    with pytest.raises(StudyError, match="it is as it was"):
        open_database(written.place, migrations=broken, backups=tmp_path / "backups")
    with open_database(written.place) as db:
        assert journal.verify_chain(db).ok
        with db.reading() as connection:
            columns = {column["name"] for column in inspect(connection).get_columns("account")}
    assert columns
    assert "later" not in columns
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_a_migration_that_breaks_a_reference_changes_nothing(written: Study, tmp_path: Path) -> None:
    broken = with_one_more_revision(tmp_path, "    op.execute('DELETE FROM participant')")
    written.db.close()
    with pytest.raises(StudyError, match=r"refers to|it is as it was"):
        open_database(written.place, migrations=broken, backups=tmp_path / "backups")
    with open_database(written.place) as db:
        assert len(films.participant_table(db, written.coordinator)) == 2


# Damage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all" * 20, b"SQLite format 3\x00" + b"\xff" * 4000]
)
def test_what_is_no_database_is_called_damaged_and_left(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(content)
    with pytest.raises(StudyDamaged):
        open_database(path)
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE account (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(StudyDamaged, match="not the database of a study"):
        open_database(path)
    assert path.read_bytes() == before


@only_sqlite
def test_a_cut_off_file_is_called_damaged(written: Study) -> None:
    written.db.close()
    whole = written.db.path.read_bytes()
    written.db.path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StudyDamaged, match="bytes are there"):
        open_database(written.db.path)


@only_sqlite
def test_damage_inside_is_said_when_it_is_met(written: Study) -> None:
    written.db.close()
    content = bytearray(written.db.path.read_bytes())
    with closing(sqlite3.connect(written.db.path)) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'radiograph'")
    content[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    written.db.path.write_bytes(content)
    with open_database(written.db.path) as db, pytest.raises(StudyDamaged, match="damaged"):
        films.all_radiographs(db, written.coordinator)


# Busy, full, read-only --------------------------------------------------------------------------


@only_sqlite
def test_a_locked_database_is_busy_in_words_and_usable_afterwards(study: Study) -> None:
    study.add_cases(film("P0001"))
    reader = study.person("Rita", Role.READER)
    study.assign(reader)
    opened = study.open(reader)
    change = set_grade(opened.case.joints[0].id, KL, 2)
    with closing(sqlite3.connect(study.db.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StudyBusy, match="Nothing was changed"):
            study.commit(reader, opened, change)
        assert study.open(reader).content.grades == {}, "reading goes on meanwhile"
        other.execute("ROLLBACK")
    study.commit(reader, opened, change)
    assert len(study.open(reader).content.grades) == 1


@only_sqlite
def test_opening_while_another_program_writes_is_no_fault(study: Study) -> None:
    with closing(sqlite3.connect(study.db.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with open_database(study.db.path) as second:
            assert journal.verify_chain(second).ok
        other.execute("ROLLBACK")


@only_sqlite
def test_a_full_disk_is_said_and_nothing_is_lost(written: Study) -> None:
    before = journal.verify_chain(written.db)
    with written.db.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with written.db.writing() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    many = [film(f"P{number:04d}") for number in range(100, 200)]
    with pytest.raises(StudyError, match="is full"):
        films.add_radiographs(written.db, written.coordinator, many)
    assert journal.verify_chain(written.db) == before
    with written.db.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert films.add_radiographs(written.db, written.coordinator, many).added == 100


@only_sqlite
def test_a_read_only_database_is_said(written: Study) -> None:
    with written.db.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = 1")
    with pytest.raises(StudyError, match="read-only"):
        films.add_radiographs(written.db, written.coordinator, [film("P0100")])


def test_a_backup_is_whole_and_leaves_nothing_half_made(written: Study, tmp_path: Path) -> None:
    copy = written.db.back_up(tmp_path / "backups")
    with open_database(copy) as db:
        assert journal.verify_chain(db) == journal.verify_chain(written.db)
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [copy.name]
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    with pytest.raises(StudyError, match="cannot be written"):
        written.db.back_up(blocked)


# Where it lies ----------------------------------------------------------------------------------

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
server:/export /data nfs4 rw,vers=4.2 0 0
//server/share /mnt/my\\040share cifs rw 0 0
me@host: /home/me/far fuse.sshfs rw 0 0
/dev/sdb1 /data/local xfs rw 0 0
C:\\134 /mnt/c 9p rw,aname=drvfs 0 0
tmpfs /tmp tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me/study", None),
        ("/data/study", "nfs4"),
        ("/data", "nfs4"),
        ("/database", None),
        ("/data/local/study", None),
        ("/mnt/my share/study", "cifs"),
        ("/home/me/far/away", "fuse.sshfs"),
        ("/mnt/c/study", None),
    ],
)
def test_network_shares_are_told_from_disks(folder: str, kind: str | None) -> None:
    assert location.share_in_mounts(Path(folder), MOUNTS) == kind


def test_network_shares_on_a_mac() -> None:
    listing = (
        "/dev/disk3s1 on / (apfs, sealed, local, read-only)\n"
        "//me@server/share on /Volumes/my share (smbfs, nodev, nosuid, mounted by me)\n"
    )
    assert location.share_in_mac_mounts(Path("/Volumes/my share/study"), listing) == "smbfs"
    assert location.share_in_mac_mounts(Path("/Users/me/study"), listing) is None


@only_sqlite
def test_a_study_on_a_network_share_is_refused_with_a_way_out(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.db.close()
    table = tmp_path / "mounts"
    table.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path.resolve()} nfs rw 0 0\n")
    monkeypatch.setattr(location, "MOUNT_TABLE", table)
    with pytest.raises(StudyError, match="network share") as refused:
        open_database(study.db.path)
    assert "PostgreSQL" in refused.value.next_step
    with pytest.raises(StudyError, match="network share"):
        create_database(tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()
