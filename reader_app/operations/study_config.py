"""`study.toml`: what a study folder says about itself."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from reader_app.errors import StudyError
from reader_app.interop.deidentify import DatePolicy
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.design import ReadingDesign, before_designs_sha256

CONFIG_FILE = "study.toml"
E = TypeVar("E", bound=StrEnum)


class ImagePolicy(StrEnum):
    """Whether radiographs stay where they are or are copied into the study."""

    REFERENCE = "reference"
    COPY = "copy"


@dataclass(frozen=True)
class Privacy:
    """What a study keeps of the people on its films; the defaults are those of a new study.

    Attributes
    ----------
    dates
        What becomes of dates: shifted by a secret number of days for each participant, dropped, or kept.
    characteristics
        Whether sex, age and weight are kept.
    issuers
        Whether equal identifiers from different issuers are different participants.
    """

    dates: DatePolicy = DatePolicy.SHIFTED
    characteristics: bool = True
    issuers: bool = True


BEFORE_PRIVACY = Privacy(dates=DatePolicy.KEPT, characteristics=True, issuers=False)
"""How studies were made whose `study.toml` says nothing on it; they go on so."""


@dataclass(frozen=True)
class StudyConfig:
    """The content of `study.toml`.

    Attributes
    ----------
    database_url
        None for the embedded SQLite file.
    bundle
        The id of the bundle that pre-grades, None where the study has none.
    privacy
        What the import does at the door.
    design, before_designs_sha256
        Of studies that were made before the design was kept in the database: how they are read, and what
        their readings were stamped with. None and empty for all others.
    """

    id: str
    title: str
    created: str
    protocol_id: str
    protocol_sha256: str
    images: ImagePolicy
    bundle: str | None
    database_url: str | None = None
    privacy: Privacy = BEFORE_PRIVACY
    design: ReadingDesign | None = None
    before_designs_sha256: str = ""

    @property
    def dates(self) -> DatePolicy:
        """What becomes of dates at the door."""
        return self.privacy.dates

    def to_toml(self) -> str:
        """Return the text of the file."""
        content: dict[str, Any] = {
            "study": {"id": self.id, "title": self.title, "created": self.created},
            "protocol": {"id": self.protocol_id, "sha256": self.protocol_sha256},
            "images": {"policy": self.images.value},
            "privacy": {
                "dates": self.privacy.dates.value,
                "characteristics": self.privacy.characteristics,
                "issuers": self.privacy.issuers,
            },
        }
        if self.bundle:
            content["bundle"] = {"id": self.bundle}
        if self.database_url:
            content["database"] = {"url": self.database_url}
        return tomli_w.dumps(content)

    def write(self, folder: Path) -> None:
        """Write the file into the study folder, whole or not at all."""
        _write_whole(folder, self.to_toml())


def name_database(source: Path, url: str | None, *, target: Path) -> None:
    """Write the `study.toml` of one folder into another, or the same, with another database.

    All else stays as it is there, also what only older versions wrote.

    Parameters
    ----------
    url
        Of a server; None for the embedded database.
    """
    content = tomllib.loads((source / CONFIG_FILE).read_text(encoding="utf-8"))
    content.pop("database", None)
    if url is not None:
        content["database"] = {"url": url}
    _write_whole(target, tomli_w.dumps(content))


def _write_whole(folder: Path, text: str) -> None:
    partial = folder / f"{CONFIG_FILE}.part"
    with partial.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(folder / CONFIG_FILE)


def read_config(folder: Path) -> StudyConfig:
    """Read `study.toml` of a study folder.

    Raises
    ------
    StudyError
        If the folder is no study, or the file says something that cannot be.
    """
    path = folder / CONFIG_FILE
    if not folder.is_dir():
        raise StudyError(
            f"The study folder {folder} does not exist.", "Check the path, or connect the disk that it is on."
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as fault:
        raise StudyError(
            f"{folder} is not a study: it has no {CONFIG_FILE}.",
            "Open another folder, or make a study there with “reader-app init”.",
        ) from fault
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise StudyError(f"{path} cannot be read: {fault}.", "Restore it from a backup.") from fault
    return _ConfigReader(path, content).config()


@dataclass(frozen=True)
class _ConfigReader:
    path: Path
    content: dict[str, Any]

    def config(self) -> StudyConfig:
        design, stamp = self._design()
        return StudyConfig(
            id=self._text("study", "id"),
            title=self._text("study", "title"),
            created=self._text("study", "created"),
            protocol_id=self._text("protocol", "id"),
            protocol_sha256=self._text("protocol", "sha256"),
            images=self._choice(ImagePolicy, "images", "policy"),
            bundle=self._text("bundle", "id", optional=True) or None,
            database_url=self._text("database", "url", optional=True) or None,
            privacy=self._privacy(),
            design=design,
            before_designs_sha256=stamp,
        )

    def _design(self) -> tuple[ReadingDesign | None, str]:
        if "reading" not in self.content:
            return None, ""
        design = ReadingDesign(
            presentation=self._choice(Presentation, "reading", "presentation"),
            arm=self._choice(Arm, "reading", "arm"),
            seed=self._number("reading", "seed"),
        )
        readers = self._number("reading", "readers_per_case")
        return design, before_designs_sha256(design, readers_per_case=readers)

    def _privacy(self) -> Privacy:
        if "privacy" not in self.content:
            return BEFORE_PRIVACY
        return Privacy(
            dates=self._choice(DatePolicy, "privacy", "dates"),
            characteristics=self._yes_or_no("privacy", "characteristics"),
            issuers=self._yes_or_no("privacy", "issuers"),
        )

    def _value(self, table: str, key: str, *, optional: bool = False) -> object:
        section = self.content.get(table, {})
        if not isinstance(section, dict) or key not in section:
            if optional:
                return None
            raise StudyError(f"{self.path} has no {table}.{key}.", "Restore the file from a backup.")
        return section[key]

    def _text(self, table: str, key: str, *, optional: bool = False) -> str:
        value = self._value(table, key, optional=optional)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise StudyError(f"{self.path}: {table}.{key} must be a text, found {value!r}.", "Correct it.")
        return value

    def _number(self, table: str, key: str) -> int:
        value = self._value(table, key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise StudyError(
                f"{self.path}: {table}.{key} must be a whole number, found {value!r}.", "Correct it."
            )
        return value

    def _yes_or_no(self, table: str, key: str) -> bool:
        value = self._value(table, key)
        if not isinstance(value, bool):
            raise StudyError(
                f"{self.path}: {table}.{key} must be true or false, found {value!r}.", "Correct it."
            )
        return value

    def _choice(self, kind: type[E], table: str, key: str) -> E:
        value = self._text(table, key)
        try:
            return kind(value)
        except ValueError as fault:
            known = ", ".join(member.value for member in kind)
            raise StudyError(
                f"{self.path}: {table}.{key} must be one of {known}, found {value!r}.", "Correct it."
            ) from fault
