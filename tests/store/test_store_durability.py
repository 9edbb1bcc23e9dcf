"""Killed, or two at once: what was acknowledged is there."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey
from reader_app.store import journal
from reader_app.store.database import open_database
from reader_app.store.records import Role
from tests.store.conftest import KL, Study, film, set_grade

ENOUGH = 40

# Commits one grade after the other, for ever, and says so only when the store has said so.
_COMMIT_FOR_EVER = """
import sys
from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey
from reader_app.reading.change import Change, GradeChange
from reader_app.store import readings
from reader_app.store.database import open_database
from reader_app.store.records import Actor, Role

path, account, reading, joint = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
db = open_database(path)
actor = Actor(account, "Rita", Role.READER)
number = 0
while True:
    change = Change("set-grade", grades=(GradeChange(GradeKey(joint, Item(f"i{number}")), None, number % 5),))
    readings.commit_change(db, actor, reading, change, pregrade_in_sight=False)
    print(number, flush=True)
    number += 1
"""


def test_a_kill_loses_no_acknowledged_grade(study: Study) -> None:
    study.add_cases(film("P0001"))
    reader = study.person("Rita", Role.READER)
    study.assign(reader)
    opened = study.open(reader)
    joint = opened.case.joints[0].id
    study.db.close()
    arguments = [study.place, str(reader.account_id), str(opened.reading_id), str(joint)]
    with subprocess.Popen(
        [sys.executable, "-c", _COMMIT_FOR_EVER, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(ENOUGH)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().split()]
    assert len(acknowledged) >= ENOUGH
    with open_database(study.place) as db:
        content = Study(db, study.clock, study.coordinator).open(reader).content
        assert journal.verify_chain(db).ok
    for number in acknowledged:
        assert content.grades[GradeKey(joint, Item(f"i{number}"))] == number % 5
    # One more may have been stored and killed before it was acknowledged, but never one half.
    assert len(content.grades) - len(acknowledged) in (0, 1)


def test_two_readers_in_two_threads_lose_nothing(study: Study) -> None:
    _write_at_once(study, separate_connections=False)


def test_two_programs_at_once_lose_nothing(study: Study) -> None:
    _write_at_once(study, separate_connections=True)


def _write_at_once(study: Study, *, separate_connections: bool) -> None:
    study.add_cases(film("P0001"))
    people = [study.person(name, Role.READER) for name in ("Rita", "Rolf")]
    for reader in people:
        study.assign(reader)
    faults: list[BaseException] = []
    barrier = threading.Barrier(len(people))

    def work(number: int) -> None:
        reader = people[number]
        db = open_database(study.place) if separate_connections else study.db
        mine = Study(db, study.clock, study.coordinator)
        try:
            opened = mine.open(reader)
            barrier.wait(timeout=30)
            for place in range(30):
                for joint in opened.case.joints:
                    mine.commit(reader, opened, set_grade(joint.id, Item(f"i{place}"), number))
        except BaseException as error:  # noqa: BLE001 - told in the main thread
            faults.append(error)
        finally:
            if separate_connections:
                db.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    for number, reader in enumerate(people):
        grades = study.open(reader).content.grades
        assert len(grades) == 60
        assert set(grades.values()) == {number}
    report = journal.verify_chain(study.db)
    assert report.ok
    assert report.entries >= 120


def test_the_same_grade_from_two_windows_is_taken_once(study: Study) -> None:
    study.add_cases(film("P0001"))
    reader = study.person("Rita", Role.READER)
    study.assign(reader)
    opened = study.open(reader)
    joint = opened.case.joints[0].id
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def press(code: int) -> None:
        barrier.wait(timeout=30)
        try:
            study.commit(reader, opened, set_grade(joint, KL, code))
            outcomes.append(f"stored {code}")
        except Exception as error:  # noqa: BLE001 - its kind is what is asserted
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=press, args=(code,)) for code in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = study.open(reader).content.grades[GradeKey(joint, KL)]
    assert sorted(outcomes) == ["GradeError", f"stored {kept}"]
