"""Kept lengths in the database: durable, journaled, signed, and only their reader's to change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from reader_app.errors import GradeError, NotAllowed
from reader_app.imaging.spacing import Spacing, SpacingKind, unknown_spacing
from reader_app.protocols.model import Arm
from reader_app.reading.change import Change, MeasurementChange
from reader_app.reading.measurement import KeptMeasurement, measured
from reader_app.reading.session import ReadingContent
from reader_app.store import journal, replay
from reader_app.store.canonical import canonical, sha256_of
from reader_app.store.content import content_sha256
from reader_app.store.measurements import heard, told
from reader_app.store.records import Actor, OpenReading, Role
from tests.store.conftest import KL, Study, film, set_grade

SPACINGS = (
    Spacing(0.15, 0.3, SpacingKind.CALIBRATED, "A marker."),
    unknown_spacing("The file gives no pixel spacing."),
)


def kept(
    radiograph_id: int, *, end: tuple[float, float] = (110, 20.1), spacing: Spacing = SPACINGS[0]
) -> KeptMeasurement:
    return KeptMeasurement(radiograph_id, (10, 20.1), end, measured((10, 20.1), end, spacing))


def keep(number: int, line: KeptMeasurement) -> Change:
    return Change("keep-measurement", measurements=(MeasurementChange(number, None, line),))


@pytest.fixture
def rolf(written: Study) -> Actor:
    rolf = written.person("Rolf", Role.READER)
    written.assign(rolf)
    return rolf


def content_of(study: Study, reader: Actor) -> ReadingContent:
    return study.open(reader).content


def film_of(opened: OpenReading) -> int:
    return opened.case.films[0].radiograph_id


def test_what_was_kept_is_there_when_the_case_is_opened_again(written: Study, rolf: Actor) -> None:
    opened = written.open(rolf)
    lines = {number: kept(film_of(opened), spacing=spacing) for number, spacing in enumerate(SPACINGS, 1)}
    for number, line in lines.items():
        written.commit(rolf, opened, keep(number, line))
    assert content_of(written, rolf).measurements == lines
    written.commit(rolf, opened, keep(1, lines[1]).inverse())
    assert content_of(written, rolf).measurements == {2: lines[2]}
    assert replay.verify_readings(written.db).ok


def test_the_journal_tells_of_kept_and_removed_lengths(written: Study, rolf: Actor) -> None:
    opened = written.open(rolf)
    line = kept(film_of(opened))
    written.commit(rolf, opened, keep(1, line))
    written.commit(
        rolf, opened, Change("remove-measurement", measurements=(MeasurementChange(1, line, None),))
    )
    auditor = written.person("Ada", Role.AUDITOR)
    first, second = journal.entries(written.db, auditor)[-2:]
    assert (first.verb, second.verb) == ("reading.keep-measurement", "reading.remove-measurement")
    assert first.payload["measurements"] == [{"number": 1, "before": None, "after": told(line)}]
    assert second.payload["measurements"] == [{"number": 1, "before": told(line), "after": None}]


def test_a_length_that_another_window_took_away_is_not_changed(written: Study, rolf: Actor) -> None:
    opened = written.open(rolf)
    line = kept(film_of(opened))
    written.commit(rolf, opened, keep(1, line))
    with pytest.raises(GradeError, match="changed elsewhere"):
        written.commit(rolf, opened, keep(1, line))
    written.commit(rolf, opened, keep(1, line).inverse())
    with pytest.raises(GradeError, match="changed elsewhere"):
        written.commit(rolf, opened, keep(1, line).inverse())


def test_a_film_of_another_case_takes_no_length(written: Study, rolf: Actor) -> None:
    opened, other = written.open(rolf, 1), written.open(rolf, 2)
    with pytest.raises(NotAllowed, match="film does not belong"):
        written.commit(rolf, opened, keep(1, kept(film_of(other))))
    assert content_of(written, rolf).measurements == {}


def test_nobody_keeps_a_length_in_the_reading_of_another(written: Study, rolf: Actor) -> None:
    opened = written.open(rolf)
    rita = written.person("Rita", Role.READER)
    with pytest.raises(NotAllowed, match="not yours"):
        written.commit(rita, opened, keep(1, kept(film_of(opened))))


def test_a_lock_signs_the_lengths_and_closes_them(written: Study, rolf: Actor) -> None:
    opened = written.open(rolf)
    line = kept(film_of(opened))
    written.commit(rolf, opened, keep(1, line))
    written.lock(rolf, opened)
    for change in (keep(2, line), keep(1, line).inverse()):
        with pytest.raises(GradeError, match="locked"):
            written.commit(rolf, opened, change)
    locked = content_of(written, rolf)
    assert locked.measurements == {1: line}
    with written.db.reading() as connection:
        signed = connection.exec_driver_sql(
            f"SELECT content_sha256 FROM reading WHERE id = {opened.reading_id}"
        ).scalar()
    assert signed == content_sha256(locked)
    with pytest.raises(IntegrityError, match="locked reading"), written.db.writing() as connection:
        connection.exec_driver_sql("UPDATE measurement SET mm = 1")
    assert replay.verify_readings(written.db).ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE measurement SET mm = 1.0",
        "UPDATE measurement SET kind = 'geometry'",
        "DELETE FROM measurement",
    ],
)
def test_a_length_changed_past_the_store_is_found(written: Study, rolf: Actor, statement: str) -> None:
    opened = written.open(rolf)
    written.commit(rolf, opened, keep(1, kept(film_of(opened))))
    written.past_the_store(statement)
    report = replay.verify_readings(written.db)
    assert (report.ok, report.first_broken) == (False, opened.reading_id)
    assert "lengths" in report.reason


def test_the_second_stage_starts_with_the_lengths_of_the_first(study: Study) -> None:
    rita = study.person("Rita", Role.READER)
    study.add_cases(film("P0001"))
    study.assign(rita, Arm.UNAIDED_THEN_AIDED)
    first = study.open(rita)
    line = kept(film_of(first))
    study.commit(rita, first, keep(1, line))
    study.lock(rita, first)
    second = study.open(rita)
    assert second.reading_id != first.reading_id
    assert second.content.measurements == {1: line}
    assert replay.verify_readings(study.db).ok


def test_a_reading_without_lengths_has_the_hash_that_it_always_had(written: Study, rolf: Actor) -> None:
    opened = written.open(rolf)
    joint = opened.case.joints[0].id
    written.commit(rolf, opened, set_grade(joint, KL, 2))
    before = {"grades": [[joint, "kl", 2]], "boxes": [], "exclusions": []}
    assert content_sha256(content_of(written, rolf)) == sha256_of(before)
    written.commit(rolf, opened, keep(1, kept(film_of(opened))))
    assert content_sha256(content_of(written, rolf)) != sha256_of(before)


@given(
    st.tuples(st.floats(0, 4000), st.floats(0, 4000)),
    st.tuples(st.integers(0, 4000), st.integers(0, 4000)),
    st.sampled_from(SPACINGS),
)
def test_the_journal_gives_back_what_it_was_told(
    start: tuple[float, float], end: tuple[float, float], spacing: Spacing
) -> None:
    line = KeptMeasurement(3, start, end, measured(start, end, spacing))
    assert heard(told(line)) == line
    assert heard(None) is None
    assert told(None) is None
    assert canonical(told(heard(told(line)))) == canonical(told(line))
