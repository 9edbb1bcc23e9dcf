"""Whether the readings are what the journal tells: every grade, box, exclusion and length played again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey
from reader_app.reading.change import Exclusion
from reader_app.reading.measurement import KeptMeasurement
from reader_app.reading.session import ReadingContent
from reader_app.store.access import require
from reader_app.store.content import content_sha256, load_content
from reader_app.store.database import Database
from reader_app.store.journal import READING
from reader_app.store.measurements import heard
from reader_app.store.records import Actor, ReplayReport, Role
from reader_app.store.tables import grade, journal, reading

_BATCH = 5000
_STAMPS = ("arm", "protocol_sha256", "design_sha256", "software")
_SECONDS = ("active_seconds", "in_sight_seconds")

Sight = tuple[bool, float]


@dataclass
class _Replayed:
    """One reading as the journal tells it."""

    assignment_id: int
    stamps: dict[str, str] = field(default_factory=dict)
    grades: dict[GradeKey, int] = field(default_factory=dict)
    boxes: dict[int, Box] = field(default_factory=dict)
    exclusions: dict[int, Exclusion] = field(default_factory=dict)
    measurements: dict[int, KeptMeasurement] = field(default_factory=dict)
    # Of each grade: whether the AI was in sight, and for how long by then.
    sights: dict[GradeKey, Sight] = field(default_factory=dict)

    def take(self, payload: dict[str, Any]) -> None:
        for each in payload["grades"]:
            key = GradeKey(each["joint"], Item.parse(each["item"]))
            _put(self.grades, key, each["after"])
            sight = (bool(payload["pregrade_in_sight"]), float(payload.get("in_sight_seconds", 0.0)))
            _put(self.sights, key, None if each["after"] is None else sight)
        for each in payload["boxes"]:
            _put(self.boxes, each["joint"], Box(*each["after"]) if each["after"] else None)
        for each in payload["exclusions"]:
            _put(self.exclusions, each["joint"], Exclusion(*each["after"]) if each["after"] else None)
        # Journals of before do not name lengths.
        for each in payload.get("measurements", ()):
            _put(self.measurements, each["number"], heard(each["after"]))

    def sha256(self) -> str:
        return content_sha256(ReadingContent(self.grades, self.boxes, self.exclusions, self.measurements))


def verify_readings(database: Database, actor: Actor | None = None) -> ReplayReport:
    """Play the journal again and compare what comes out with the stored readings.

    `journal.verify_chain` proves that the journal is whole; this, that the tables hold what it tells.
    Anyone may ask: the answer holds no content.

    Returns
    -------
    ReplayReport
        The first reading that differs, and how.
    """
    with database.reading() as connection:
        if actor is not None:
            require(connection, actor, *Role)
        checked = 0
        for reading_id, reason in _differences(connection):
            if reason:
                return ReplayReport(False, checked, reading_id, reason)
            checked += 1
    return ReplayReport(True, checked)


def _differences(connection: Connection) -> Iterator[tuple[int, str]]:
    """Give every reading once with what differs, empty where nothing does."""
    replayed: dict[int, _Replayed] = {}
    # What a second reading of the same assignment starts from.
    latest: dict[int, _Replayed] = {}
    signed: set[int] = set()
    stored = {row.id: row for row in connection.execute(select(reading))}
    rows = connection.execution_options(yield_per=_BATCH).execute(
        select(journal.c.verb, journal.c.payload)
        .where(journal.c.verb.like(f"{READING}%"))
        .order_by(journal.c.sequence)
    )
    for verb, text in rows:
        payload = json.loads(text)
        reading_id = payload["reading"]
        if reading_id not in stored:
            yield reading_id, "the journal tells of it, but it is missing"
            return
        if verb == READING + "amend":
            # What was signed stays as it was; amendments lie in a table of their own.
            continue
        if verb == READING + "open":
            begun = _begun(payload, latest.get(payload["assignment"]))
            replayed[reading_id] = latest[begun.assignment_id] = begun
        elif reading_id not in replayed:
            yield reading_id, "it was changed after it was locked, or before it was opened"
            return
        elif verb == READING + "lock":
            # Let go of as soon as it is compared: a large study has many.
            here = replayed.pop(reading_id)
            signed.add(reading_id)
            yield reading_id, _compare(connection, here, stored[reading_id], told=payload)
        else:
            replayed[reading_id].take(payload)
    for reading_id, row in stored.items():
        if reading_id in replayed:
            yield reading_id, _compare(connection, replayed[reading_id], row, told=None)
        elif reading_id not in signed:
            yield reading_id, "the journal does not tell of it"


def _begun(payload: dict[str, Any], before: _Replayed | None) -> _Replayed:
    """Return a reading as it opens: with what the one before it in the same assignment held."""
    begun = _Replayed(payload["assignment"])
    if before is not None:
        for name in ("grades", "boxes", "exclusions", "measurements", "sights"):
            setattr(begun, name, dict(getattr(before, name)))
    begun.stamps = {name: payload[name] for name in _STAMPS if name in payload}
    return begun


def _compare(connection: Connection, here: _Replayed, row: Any, *, told: dict[str, Any] | None) -> str:
    """Return what differs in words; `told` is what the journal says of the lock, None where it has none."""
    expected = here.sha256()
    if (row.locked_at is None) is not (told is None):
        return "it is locked and the journal does not tell so" if told is None else "its lock was taken off"
    if any(getattr(row, name) != value for name, value in here.stamps.items()):
        return "its arm, protocol, design or software is not that of the journal"
    if told is not None and told["content_sha256"] != row.content_sha256:
        return "its signature was changed"
    if told is not None and told["content_sha256"] != expected:
        return "it was not signed as the journal tells"
    if told is not None and any(getattr(row, name) != told[name] for name in _SECONDS if name in told):
        return "its reading time is not that of the journal"
    if content_sha256(load_content(connection, row.id, locked=False)) != expected:
        return "its grades, boxes, exclusions or lengths are not those of the journal"
    if _stored_sights(connection, row.id) != here.sights:
        return "whether the AI was in sight of its grades is not what the journal tells"
    return ""


def _stored_sights(connection: Connection, reading_id: int) -> dict[GradeKey, Sight]:
    query = select(grade.c.joint_id, grade.c.item, grade.c.pregrade_in_sight, grade.c.in_sight_seconds).where(
        grade.c.reading_id == reading_id
    )
    return {
        GradeKey(row.joint_id, Item.parse(row.item)): (row.pregrade_in_sight, row.in_sight_seconds)
        for row in connection.execute(query)
    }


def _put(into: dict[Any, Any], key: object, value: object | None) -> None:
    if value is None:
        into.pop(key, None)
    else:
        into[key] = value
