"""Making and opening a study folder."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from reader_app.errors import ProtocolError, StudyDamaged, StudyError
from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.first_design import DESIGN_FILE, first_design, write_copy
from reader_app.operations.study_config import CONFIG_FILE, ImagePolicy, Privacy, StudyConfig, read_config
from reader_app.protocols.loader import available_protocols, find_protocol, load_protocol
from reader_app.protocols.model import Arm, Presentation, Protocol
from reader_app.reading.design import ReadingDesign
from reader_app.store import designs
from reader_app.store.accounts import create_first_coordinator
from reader_app.store.database import BACKUPS, Database, create_database, open_database
from reader_app.store.engine import server_address
from reader_app.store.identity import begin_study, study_begun

DATABASE_FILE = "study.db"
PROTOCOL_FILE = "protocol.toml"

_FOLDERS = ("heatmaps", "backups", "exports")


@dataclass(frozen=True)
class Study:
    """An open study: its folder, what it says of itself, protocol, design and database."""

    folder: Path
    config: StudyConfig
    protocol: Protocol
    design: ReadingDesign
    database: Database

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def __enter__(self) -> Study:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def image_path(self, stored: str) -> Path:
        """Return where a radiograph lies: relative paths are inside the study folder."""
        path = Path(stored)
        return path if path.is_absolute() else self.folder / path


@dataclass(frozen=True)
class NewStudy:
    """What a coordinator chooses for a new study; None takes the protocol's default.

    Attributes
    ----------
    protocol
        The id of a known protocol, or the path of a protocol file.
    dates
        What becomes of the dates of films at the door.
    characteristics
        Whether the study keeps sex, age and weight.
    design, design_file, preset
        How it is read: a whole design, a file with one, or the id of a preset; arm, presentation and seed go
        before theirs.
    database_url
        An empty database on a PostgreSQL server, without a password; None for the embedded database.
    """

    protocol: str
    title: str
    coordinator: str
    password: str
    arm: Arm | None = None
    presentation: Presentation | None = None
    seed: int | None = None
    images: ImagePolicy = ImagePolicy.REFERENCE
    dates: DatePolicy = DatePolicy.SHIFTED
    characteristics: bool = True
    database_url: str | None = None
    design: ReadingDesign | None = None
    design_file: Path | None = None
    preset: str | None = None


def create_study(folder: Path, choices: NewStudy) -> Study:
    """Make a study folder with its database and first coordinator.

    Raises
    ------
    StudyError
        If the folder holds something already, or cannot be written; if the server cannot be used, or its
        database is not empty.
    ProtocolError
        If the protocol is unknown or wrong.
    DesignError
        If the preset is unknown, or the design does not fit the protocol.
    AccountError
        If the coordinator's name or password will not do.
    """
    folder = folder.expanduser().resolve()
    source, protocol = _resolve_protocol(choices.protocol)
    config = _config(choices, protocol)
    design = first_design(
        protocol,
        design=choices.design,
        design_file=choices.design_file,
        preset=choices.preset,
        arm=choices.arm,
        presentation=choices.presentation,
        seed=choices.seed,
    )
    made = _make_folder(folder)
    try:
        shutil.copyfile(source, folder / PROTOCOL_FILE)
        database = create_database(config.database_url or folder / DATABASE_FILE)
        try:
            coordinator = create_first_coordinator(database, choices.coordinator, choices.password)
            begin_study(database, coordinator, config.id, protocol_sha256=protocol.sha256)
            designs.set_design(database, coordinator, design, reason="")
            write_copy(folder, design)
            config.write(folder)
        except BaseException:
            # A file goes with its folder; what lies on a server would stay.
            database.unmake()
            raise
    except BaseException:
        _remove_again(folder, made)
        raise
    return Study(folder, config, protocol, design, database)


def open_study(folder: Path) -> Study:
    """Open a study folder.

    Raises
    ------
    StudyError
        If it is no study, or its database cannot be opened (`NewerStudy`, `StudyBusy`, `StudyDamaged`).
    """
    folder = folder.expanduser().resolve()
    config = read_config(folder)
    protocol = _study_protocol(folder, config)
    database = open_database(config.database_url or folder / DATABASE_FILE, backups=folder / BACKUPS)
    try:
        _must_be_of(config, database, folder)
        design = designs.in_force(database) or config.design
        if design is None:
            raise StudyDamaged(
                f"The study {folder} has no reading design.",
                "Restore the newest file from its folder backups.",
            )
    except BaseException:
        database.close()
        raise
    return Study(folder, config, protocol, design, database)


def _must_be_of(config: StudyConfig, database: Database, folder: Path) -> None:
    begun = study_begun(database)
    if begun is not None and begun != config.id:
        raise StudyDamaged(
            f"The database {database.shown} is of another study than {folder / CONFIG_FILE}.",
            "Name the right database in that file, or restore both from the same backup.",
        )


def _resolve_protocol(wanted: str) -> tuple[Path, Protocol]:
    path = Path(wanted).expanduser()
    if path.suffix == ".toml" or path.is_file():
        return path, load_protocol(path)
    protocol = find_protocol(wanted)
    file = next(file for file in available_protocols() if file.protocol == protocol)
    return file.path, protocol


def _config(choices: NewStudy, protocol: Protocol) -> StudyConfig:
    if not choices.title.strip():
        raise StudyError("A study needs a title.", "Give it one.")
    return StudyConfig(
        id=uuid.uuid4().hex,
        title=choices.title.strip(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        protocol_id=protocol.id,
        protocol_sha256=protocol.sha256,
        images=choices.images,
        bundle=protocol.bundle,
        database_url=server_address(choices.database_url) if choices.database_url else None,
        privacy=Privacy(dates=choices.dates, characteristics=choices.characteristics),
    )


def _make_folder(folder: Path) -> bool:
    """Make the folder; return whether it was not there before."""
    if (folder / CONFIG_FILE).exists():
        raise StudyError(f"{folder} is a study already.", "Open it, or choose another folder.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudyError(f"{folder} is not empty.", "Choose a new or an empty folder for the study.")
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FOLDERS:
            (folder / name).mkdir()
    except OSError as fault:
        raise StudyError(
            f"The folder {folder} cannot be made: {fault.strerror or fault}.",
            "Choose a folder that you may write to.",
        ) from fault
    return new


def _remove_again(folder: Path, made: bool) -> None:
    """Leave nothing of a study that could not be made; only what we made ourselves is touched."""
    for name in _FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (PROTOCOL_FILE, CONFIG_FILE, f"{CONFIG_FILE}.part", DESIGN_FILE, f"{DESIGN_FILE}.part"):
        (folder / name).unlink(missing_ok=True)
    for leftover in folder.glob(f"{DATABASE_FILE}*"):
        leftover.unlink(missing_ok=True)
    if made:
        folder.rmdir()


def _study_protocol(folder: Path, config: StudyConfig) -> Protocol:
    path = folder / PROTOCOL_FILE
    try:
        protocol = load_protocol(path)
    except ProtocolError as fault:
        raise StudyDamaged(
            f"The study's protocol cannot be used. {fault.what}",
            f"Restore {path} as it was when the study was made.",
        ) from fault
    if protocol.sha256 != config.protocol_sha256:
        raise StudyDamaged(
            f"{path} is not the protocol that this study was made with.",
            "Restore the file; a changed protocol needs a new study.",
        )
    return protocol
