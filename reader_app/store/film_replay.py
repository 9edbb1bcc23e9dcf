"""Whether the corrections of films are what the journal tells: every one of them played again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from reader_app.store.access import require
from reader_app.store.boxes import box_of
from reader_app.store.corrections import (
    BOX_OUT,
    CALIBRATE,
    CALIBRATION,
    COPY_REMOVED,
    POLARITY,
    TEXT_CHECKED,
    box_numbers,
)
from reader_app.store.database import Database
from reader_app.store.film_records import CorrectionReport
from reader_app.store.journal import FILM
from reader_app.store.records import Actor, Role
from reader_app.store.tables import box_out, film_correction, journal, radiograph

_BATCH = 5000


@dataclass
class _Replayed:
    """One film's corrections, as the journal or the tables tell them.

    Attributes
    ----------
    calibration
        Row and column distance, marker in mm and px; None where there is none.
    file_sha256
        Of the newest blanked copy; None where the film's file was never replaced.
    leftover
        Whether a copy from before a box-out is still to be removed.
    """

    calibration: list[float] | None = None
    inverse_polarity: bool | None = None
    text_checked: bool = False
    boxes: list[list[float]] = field(default_factory=list)
    leftover: bool = False
    file_sha256: str | None = None

    def difference(self, stored: _Replayed) -> str:
        """Return what the tables hold otherwise, in words; empty where nothing differs."""
        named = {
            "its calibration": self.calibration == stored.calibration,
            "its polarity": self.inverse_polarity is stored.inverse_polarity,
            "whether its text was checked": self.text_checked is stored.text_checked,
            "its box-outs": self.boxes == stored.boxes,
            "which copies are still to be removed": self.leftover is stored.leftover,
            "its blanked copy": self.file_sha256 in (None, stored.file_sha256),
        }
        wrong = [name for name, same in named.items() if not same]
        return f"the journal tells otherwise of {' and '.join(wrong)}" if wrong else ""


def verify_corrections(database: Database, actor: Actor | None = None) -> CorrectionReport:
    """Play the journal again and compare what comes out with the stored corrections.

    Anyone may ask: the answer holds no content.

    Returns
    -------
    CorrectionReport
        The first film that differs, and how.
    """
    with database.reading() as connection:
        if actor is not None:
            require(connection, actor, *Role)
        told = _told(connection)
        checked = 0
        stored = _stored(connection, told)
        for film_id in sorted({*told, *stored}):
            reason = told.get(film_id, _Replayed()).difference(stored.get(film_id, _Replayed()))
            if reason:
                return CorrectionReport(False, checked, film_id, reason)
            checked += 1
    return CorrectionReport(True, checked)


def _told(connection: Connection) -> dict[int, _Replayed]:
    films: dict[int, _Replayed] = {}
    rows = connection.execution_options(yield_per=_BATCH).execute(
        select(journal.c.verb, journal.c.payload)
        .where(journal.c.verb.like(f"{FILM}%"))
        .order_by(journal.c.sequence)
    )
    for verb, text in rows:
        payload: dict[str, Any] = json.loads(text)
        if verb == TEXT_CHECKED:
            for film_id in payload["radiographs"]:
                films.setdefault(film_id, _Replayed()).text_checked = payload["after"]
            continue
        film = films.setdefault(payload["radiograph"], _Replayed())
        if verb == CALIBRATE:
            film.calibration = payload["after"]
        elif verb == POLARITY:
            film.inverse_polarity = payload["after"]
        elif verb == BOX_OUT:
            film.boxes = payload["after"]
            if "file" in payload:
                film.leftover = payload["file"]["before"] != payload["file"]["after"]
                film.file_sha256 = payload["file"]["after"]
        elif verb == COPY_REMOVED:
            film.leftover = False
    return films


def _stored(connection: Connection, told: dict[int, _Replayed]) -> dict[int, _Replayed]:
    """Return every film that the tables correct, as they have it."""
    boxes: dict[int, list[list[float]]] = {}
    for row in connection.execute(select(box_out).order_by(box_out.c.id)):
        box = box_of(row)
        if box is not None:
            boxes.setdefault(row.radiograph_id, []).extend(box_numbers([box]))
    rows = {row.radiograph_id: row for row in connection.execute(select(film_correction))}
    # Hashes only of films whose file was replaced: a study has many films and few of these.
    replaced = [film_id for film_id, film in told.items() if film.file_sha256 is not None]
    hashes: dict[int, str] = {}
    for film_id in replaced:
        found = connection.execute(
            select(radiograph.c.file_sha256).where(radiograph.c.id == film_id)
        ).scalar_one_or_none()
        if found is not None:
            hashes[film_id] = found
    stored: dict[int, _Replayed] = {}
    for film_id in {*boxes, *rows, *replaced}:
        held = rows.get(film_id)
        known = _Replayed(boxes=boxes.get(film_id, []), file_sha256=hashes.get(film_id))
        if held is not None:
            numbers = [getattr(held, name) for name in CALIBRATION]
            known.calibration = None if all(number is None for number in numbers) else numbers
            known.inverse_polarity = held.inverse_polarity
            known.text_checked = held.text_checked
            known.leftover = held.superseded_path is not None
        stored[film_id] = known
    return stored
