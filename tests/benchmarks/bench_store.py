"""How fast a keystroke is durable and a worklist opens, beside a bare sqlite3 insert in the same run.

`python tests/benchmarks/bench_store.py` prints the table; `run()` returns it.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey
from reader_app.reading.change import Change, GradeChange
from reader_app.store import accounts, readings
from reader_app.store.database import Database, create_database, open_database
from reader_app.store.records import Actor, Role
from tests.postgres_server import USER, ServerMissing, running_server

RADIOGRAPHS = 100_000
GRADES_PER_READING = 15
SCREEN = 500
"""Cases that a worklist page fetches at once."""
READERS = ("Rita", "Rolf")
PASSWORD = "correct horse"
_BARE_TABLE = "CREATE TABLE bare_grade (reading_id INTEGER, joint_id INTEGER, item TEXT, code INTEGER)"

Row = dict[str, Any]


def run(*, keystrokes: int = 200, radiographs: int = RADIOGRAPHS) -> list[Row]:
    """Measure everything.

    Returns
    -------
    list of dict
        name, value, unit, peer, peer_value, ratio (the peer's time over ours: above 1 is faster), goal.
    """
    with tempfile.TemporaryDirectory() as folder:
        bare = _bare_inserts(Path(folder) / "bare.db", keystrokes)
        small = _keystrokes(Path(folder) / "small.db", radiographs=100, keystrokes=keystrokes)
        big_path = Path(folder) / "big.db"
        big = _keystrokes(big_path, radiographs=radiographs, keystrokes=keystrokes)
        opening, whole, fetch = _worklists(big_path)
    server = _on_a_server(keystrokes)
    size = f"{radiographs:,} radiographs, {radiographs * GRADES_PER_READING * len(READERS):,} grades"
    whole_peer = "sqlite3 fetchall of the whole worklist"
    peer = "one sqlite3 insert, synchronous=FULL"
    return [
        _row("keystroke to durable commit, 100 radiographs, p95", _p95(small), peer, _p95(bare), goal=10.0),
        _row(f"keystroke to durable commit, {size}, p95", _p95(big), peer, _p95(bare), goal=10.0),
        _row("keystroke to durable commit, median", statistics.median(big), peer, statistics.median(bare)),
        *server,
        _row(
            f"worklist opens (progress and first {SCREEN} cases), {size}, median",
            statistics.median(opening),
            whole_peer,
            statistics.median(fetch),
            goal=100.0,
        ),
        _row("worklist, every case of it", statistics.median(whole), whole_peer, statistics.median(fetch)),
    ]


def _on_a_server(keystrokes: int) -> list[Row]:
    """Measure the same on PostgreSQL; nothing, with a sentence why, where no server can be started."""
    try:
        with running_server(in_memory=False) as server:
            name = server.new()
            with server.connect(name, user=USER) as connection:
                connection.execute(_BARE_TABLE)
                bare = _times(
                    lambda number: connection.execute(
                        "INSERT INTO bare_grade VALUES (1, 2, %s, 3)", (f"i{number}",)
                    ),
                    keystrokes,
                )
                connection.execute("DROP TABLE bare_grade")
            ours = _keystrokes(server.url(name), radiographs=100, keystrokes=keystrokes)
    except ServerMissing as reason:
        print(f"Nothing was measured on PostgreSQL: {reason}.")
        return []
    peer = "one psycopg insert, synchronous_commit=on"
    return [
        _row("keystroke to durable commit, PostgreSQL, p95", _p95(ours), peer, _p95(bare), goal=10.0),
        _row(
            "keystroke to durable commit, PostgreSQL, median",
            statistics.median(ours),
            peer,
            statistics.median(bare),
        ),
    ]


def _row(name: str, value: float, peer: str, peer_value: float, *, goal: float | None = None) -> Row:
    return {
        "name": name,
        "value": round(value, 3),
        "unit": "ms",
        "peer": peer,
        "peer_value": round(peer_value, 3),
        "ratio": round(peer_value / value, 3),
        "goal": goal,
    }


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _times(work: Callable[[int], object], count: int) -> list[float]:
    """Return the milliseconds of each call."""
    times = []
    for number in range(count):
        begin = time.perf_counter()
        work(number)
        times.append((time.perf_counter() - begin) * 1000)
    return times


def _bare_inserts(path: Path, count: int) -> list[float]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(_BARE_TABLE)
        return _times(
            lambda number: connection.execute("INSERT INTO bare_grade VALUES (1, 2, ?, 3)", (f"i{number}",)),
            count,
        )


def _keystrokes(path: Path | str, *, radiographs: int, keystrokes: int) -> list[float]:
    with create_database(path) as db:
        reader = _fill(db, radiographs)
        opened = readings.open_reading(
            db, reader, 1, protocol_sha256="p", design_sha256="d", software="bench"
        )
        joint = opened.case.joints[0].id

        def press(number: int) -> None:
            change = Change(
                "set-grade", grades=(GradeChange(GradeKey(joint, Item(f"bench{number}")), None, 2),)
            )
            readings.commit_change(db, reader, opened.reading_id, change, pregrade_in_sight=False)

        return _times(press, keystrokes)


def _worklists(path: Path) -> tuple[list[float], list[float], list[float]]:
    with open_database(path) as db:
        reader = accounts.log_in(db, READERS[0], PASSWORD)

        def first_screen(_: int) -> object:
            return readings.worklist_progress(db, reader), readings.worklist(db, reader, limit=SCREEN)

        opening = _times(first_screen, 9)
        whole = _times(lambda _: readings.worklist(db, reader), 9)
    query = "SELECT id, place, state, graded FROM assignment WHERE account_id = ? ORDER BY place"
    with closing(sqlite3.connect(path)) as connection:
        fetch = _times(lambda _: connection.execute(query, (reader.account_id,)).fetchall(), 9)
    return opening, whole, fetch


def _fill(db: Database, radiographs: int) -> Actor:
    """Put a study of this size into the tables by plain SQL: two readers have read all and locked nothing."""
    cora = accounts.create_first_coordinator(db, "Cora", PASSWORD)
    people = [
        accounts.create_account(db, cora, name=name, password=PASSWORD, role=Role.READER) for name in READERS
    ]
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {radiographs}) "
    items = (
        "(" + " UNION ALL ".join(f"SELECT 'i{number}' AS item" for number in range(GRADES_PER_READING)) + ")"
    )
    statements = [
        f"INSERT INTO participant (id, pseudonym) {numbers} SELECT i, 'P' || i FROM n",
        "INSERT INTO radiograph (id, participant_id, path, file_sha256, pixel_sha256, visit, visit_order, "
        'rows, columns, laterality, "view", format, spacing_kind, spacing_reason, phantom, notes_json, '
        "added_at, source_sha256, body_part) "
        f"{numbers} SELECT i, i, '/films/' || i, 'f' || i, 'p' || i, 'Baseline', 0, "
        "3000, 2500, 'B', 'PA', 'DICOM', 'calibrated', '', false, '[]', '', 's' || i, '' FROM n",
        f"INSERT INTO joint (id, radiograph_id, side) {numbers} SELECT 2 * i, i, 'R' FROM n",
        f"INSERT INTO joint (id, radiograph_id, side) {numbers} SELECT 2 * i + 1, i, 'L' FROM n",
        f"INSERT INTO study_case (id, presentation, created_at) {numbers} SELECT i, 'single', '' FROM n",
        f"INSERT INTO case_film (case_id, place, radiograph_id) {numbers} SELECT i, 0, i FROM n",
    ]
    statements.extend(
        "INSERT INTO assignment (account_id, case_id, pass_number, place, arm, state, graded) "
        f"{numbers} SELECT {person.id}, i, 1, i, 'unaided', 'open', {GRADES_PER_READING} FROM n"
        for person in people
    )
    statements += [
        "INSERT INTO reading (assignment_id, arm, protocol_sha256, design_sha256, software, opened_at, "
        "active_seconds) SELECT id, arm, 'p', 'd', 'bench', '', 0 FROM assignment",
        "INSERT INTO grade (reading_id, joint_id, item, code, pregrade_in_sight, at) "
        "SELECT r.id, 2 * a.case_id, i.item, r.id - 5 * (r.id / 5), false, "
        "'2026-01-01T00:00:00.000000+00:00' "
        f"FROM reading r JOIN assignment a ON a.id = r.assignment_id CROSS JOIN {items} i",
        "ANALYZE",
    ]
    for statement in statements:
        with db.writing() as connection:
            connection.exec_driver_sql(statement)
    return Actor(people[0].id, people[0].name, Role.READER)


if __name__ == "__main__":
    for row in run():
        ours = f"{row['name']:85} {row['value']:8.2f} {row['unit']}"
        print(
            f"{ours}   {row['peer']}: {row['peer_value']:.2f}, ratio {row['ratio']:.2f}, goal {row['goal']}"
        )
