"""Making and opening studies: whole or not at all, and never a study that is not what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from reader_app.errors import AccountError, NewerStudy, ProtocolError, StudyDamaged, StudyError
from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.study_config import (
    BEFORE_PRIVACY,
    ImagePolicy,
    Privacy,
    StudyConfig,
    read_config,
)
from reader_app.protocols.model import Arm, Presentation

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
        (NewStudy("knee-kl", "T", "Ada", "a long sentence", arm=Arm.UNAIDED_THEN_AIDED), StudyError),
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
        ('arm = "aided"', 'arm = "dream"', "reading.arm must be one of"),
        ("seed = ", "sed = ", "has no reading.seed"),
        ("seed = ", 'seed = "x" #', "reading.seed must be a whole number"),
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
    import sqlite3
    from contextlib import closing

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
