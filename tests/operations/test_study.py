"""Making and opening studies: whole or not at all, and never a study that is not what it was."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from reader_app.errors import AccountError, DesignError, NewerStudy, ProtocolError, StudyDamaged, StudyError
from reader_app.interop.deidentify import DatePolicy
from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.design import set_design
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.study_config import (
    BEFORE_PRIVACY,
    ImagePolicy,
    Privacy,
    StudyConfig,
    read_config,
)
from reader_app.operations.verify import verify
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.design import ReadingDesign
from reader_app.store import readings
from reader_app.store.records import Role

FAULTY = ReadingDesign(Presentation.SINGLE, Arm.AIDED, 1, washout_days=3.0)
GOOD = NewStudy(protocol="knee-kl", title="Knees", coordinator="Ada", password="a long sentence")


def test_what_was_chosen_is_there_when_the_study_is_opened_again(tmp_path: Path) -> None:
    choices = NewStudy(
        protocol="knee-kl",
        title="  Knees – 2024 ",
        coordinator="Ada",
        password="a long sentence",
        arm=Arm.UNAIDED,
        presentation=Presentation.PAIRED_ORDERED,
        seed=42,
        images=ImagePolicy.COPY,
        dates=DatePolicy.DROPPED,
        characteristics=False,
    )
    with create_study(tmp_path / "s", choices) as made:
        config = made.config
    with open_study(tmp_path / "s") as study:
        assert study.config == config
        assert study.config.title == "Knees – 2024"
        assert (study.design.arm, study.design.seed) == (Arm.UNAIDED, 42)
        assert study.design.presentation is Presentation.PAIRED_ORDERED
        assert study.config.images is ImagePolicy.COPY
        assert study.config.privacy == Privacy(DatePolicy.DROPPED, characteristics=False, issuers=True)
        assert study.protocol.sha256 == study.config.protocol_sha256


def test_without_a_seed_two_studies_draw_different_ones(tmp_path: Path) -> None:
    with create_study(tmp_path / "a", GOOD) as one, create_study(tmp_path / "b", GOOD) as other:
        assert one.design.seed != other.design.seed
        assert one.config.id != other.config.id


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        (NewStudy("knee-klx", "T", "Ada", "a long sentence"), ProtocolError),
        (NewStudy("knee-kl", "  ", "Ada", "a long sentence"), StudyError),
        (NewStudy("knee-kl", "T", "Ada", "short"), AccountError),
        (NewStudy("knee-kl", "T", " ", "a long sentence"), AccountError),
        (NewStudy("knee-kl", "T", "Ada", "a long sentence", preset="no-such"), DesignError),
        (NewStudy("hip-morphology", "T", "Ada", "a long sentence", preset="oai-project-15"), DesignError),
        (NewStudy("knee-kl", "T", "Ada", "a long sentence", design=FAULTY), DesignError),
        (NewStudy("knee-kl", "T", "Ada", "a long sentence", design_file=Path("gone.toml")), DesignError),
        (
            NewStudy("knee-kl", "T", "Ada", "a long sentence", preset="median-of-two", design=FAULTY),
            StudyError,
        ),
    ],
)
@pytest.mark.parametrize("exists", [False, True])
def test_what_cannot_be_made_leaves_the_disk_as_it_was(
    tmp_path: Path, choices: NewStudy, error: type[Exception], exists: bool
) -> None:
    folder = tmp_path / "s"
    if exists:
        folder.mkdir()
    with pytest.raises(error):
        create_study(folder, choices)
    assert folder.exists() == exists
    assert not exists or not list(folder.iterdir())


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(StudyError, match="is not empty"):
        create_study(tmp_path, GOOD)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_in_the_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("a file")
    with pytest.raises(StudyError):
        create_study(tmp_path / "s", GOOD)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The folder of a study that is not open."""
    with create_study(tmp_path / "s", GOOD) as study:
        return study.folder


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('policy = "reference"', "policy = 3", "images.policy must be a text"),
        ("[study]", "[study", "cannot be read"),
        ('id = "knee-kl"', "id = true", "must be a text"),
        ('dates = "shifted"', 'dates = "forgotten"', "privacy.dates must be one of"),
        (
            "characteristics = true",
            'characteristics = "yes"',
            "privacy.characteristics must be true or false",
        ),
        ("issuers = true", "", "has no privacy.issuers"),
    ],
)
def test_a_study_toml_that_cannot_be_names_the_key(closed: Path, old: str, new: str, expected: str) -> None:
    path = closed / "study.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(StudyError, match=expected.replace(".", r"\.")):
        open_study(closed)


@pytest.fixture
def before_designs(tmp_path: Path) -> Path:
    """The folder of a study as it was made before the design was kept in the database."""
    with create_study(tmp_path / "before", GOOD) as study:
        folder = study.folder
    (folder / "design.toml").unlink()
    path = folder / "study.toml"
    path.write_text(
        path.read_text(encoding="utf-8")
        + '\n[reading]\npresentation = "paired-ordered"\narm = "aided"\nseed = 11\nreaders_per_case = 2\n',
        encoding="utf-8",
    )
    without_design(folder / "study.db")
    return folder


def without_design(path: Path) -> None:
    """Make a database one in which no design was ever set: its row and its entry go, the chain is whole."""
    with closing(sqlite3.connect(path)) as connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('journal', "
            "'journal_head', 'design')"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM design")
        (last,) = connection.execute("SELECT max(sequence) FROM journal").fetchone()
        (verb,) = connection.execute("SELECT verb FROM journal WHERE sequence = ?", (last,)).fetchone()
        assert verb == "design.set"
        connection.execute("DELETE FROM journal WHERE sequence = ?", (last,))
        connection.execute(
            "UPDATE journal_head SET sequence = ?, hash = (SELECT hash FROM journal WHERE sequence = ?)",
            (last - 1, last - 1),
        )
        for _, statement in triggers:
            connection.execute(statement)
        connection.commit()


def test_a_study_from_before_designs_opens_as_its_study_toml_says(before_designs: Path) -> None:
    with open_study(before_designs) as study:
        assert study.design == ReadingDesign(Presentation.PAIRED_ORDERED, Arm.AIDED, 11)
        ada = log_in(study, "Ada", "a long sentence")
        changed = set_design(study, ada, replace(study.design, arm=Arm.UNAIDED))
    with open_study(before_designs) as study:
        assert study.design == changed.design
        assert (study.folder / "design.toml").is_file()


def test_readings_stamped_before_there_were_designs_still_verify(before_designs: Path, films: Path) -> None:
    stamp = hashlib.sha256(b"paired-ordered|aided|11|2").hexdigest()
    with open_study(before_designs) as study:
        ada = log_in(study, "Ada", "a long sentence")
        add_account(study, ada, name="Ben", password="another sentence", role=Role.READER)
        import_films(study, ada, films)
        ben = log_in(study, "Ben", "another sentence")
        first = read.worklist(study, ben)[0]
        readings.open_reading(
            study.database,
            ben,
            first.assignment_id,
            protocol_sha256=study.protocol.sha256,
            design_sha256=stamp,
            software="reader-app 0",
        )
        report = verify(study, ada)
        assert report.faults == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('arm = "aided"', 'arm = "dream"', "reading.arm must be one of"),
        ("seed = ", "sed = ", "has no reading.seed"),
        ("seed = ", 'seed = "x" #', "reading.seed must be a whole number"),
    ],
)
def test_an_old_study_toml_that_cannot_be_names_the_key(
    before_designs: Path, old: str, new: str, expected: str
) -> None:
    path = before_designs / "study.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(StudyError, match=expected.replace(".", r"\.")):
        open_study(before_designs)


def test_a_study_without_any_design_is_damaged(before_designs: Path) -> None:
    path = before_designs / "study.toml"
    path.write_text(path.read_text(encoding="utf-8").partition("[reading]")[0], encoding="utf-8")
    with pytest.raises(StudyDamaged, match="has no reading design"):
        open_study(before_designs)


def test_a_study_from_before_there_were_policies_keeps_its_dates(closed: Path) -> None:
    path = closed / "study.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.partition("[privacy]")[0], encoding="utf-8")
    config = read_config(closed)
    assert config.dates is DatePolicy.KEPT
    assert config.privacy == BEFORE_PRIVACY


def test_a_changed_protocol_is_refused_and_a_changed_comment_is_not(closed: Path) -> None:
    path = closed / "protocol.toml"
    before = path.read_text(encoding="utf-8")
    path.write_text(f"# a remark\n{before}", encoding="utf-8")
    open_study(closed).close()
    path.write_text(before.replace("Kellgren", "Kelgren"), encoding="utf-8")
    with pytest.raises(StudyDamaged, match="is not the protocol"):
        open_study(closed)
    path.unlink()
    with pytest.raises(StudyDamaged, match="cannot be used"):
        open_study(closed)


def test_a_database_of_a_newer_version_is_refused_untouched(closed: Path) -> None:
    with closing(sqlite3.connect(closed / "study.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = (closed / "study.db").read_bytes()
    with pytest.raises(NewerStudy):
        open_study(closed)
    assert (closed / "study.db").read_bytes() == before


def test_a_missing_or_damaged_database_is_one_sentence(closed: Path) -> None:
    (closed / "study.db").write_bytes(b"SQLite format 3\x00" + b"rubbish" * 500)
    with pytest.raises(StudyDamaged):
        open_study(closed)
    (closed / "study.db").unlink()
    with pytest.raises(StudyError, match="missing"):
        open_study(closed)


def test_a_folder_without_study_toml_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="is not a study"):
        open_study(tmp_path)
    with pytest.raises(StudyError, match="does not exist"):
        open_study(tmp_path / "gone")


def test_a_database_server_is_refused_without_telling_its_password(closed: Path) -> None:
    config = read_config(closed)
    url = "postgresql://ada:secret@db.example/knees"
    StudyConfig(**{**vars(config), "database_url": url}).write(closed)
    with pytest.raises(StudyError) as caught:
        open_study(closed)
    assert "db.example" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_image_paths_are_inside_the_study_unless_absolute(study: Study, tmp_path: Path) -> None:
    assert study.image_path("images/ab/x.png") == study.folder / "images/ab/x.png"
    assert study.image_path(str(tmp_path / "x.png")) == tmp_path / "x.png"
