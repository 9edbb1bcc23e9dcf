"""Several readers and a coordinator at once, each in a program of their own: nothing acknowledged is lost."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from reader_app.errors import GradeError
from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey
from reader_app.store import cases, films, journal, replay
from reader_app.store.database import open_database
from reader_app.store.records import Actor, Role
from tests.store import grading_program
from tests.store.conftest import KL, Study, film, set_grade

READERS = ("Rita", "Rolf", "Roxana", "Ruth")
KILLED = "Rufus"
CASES = 3
SOME = 12
"""Grades that a program must have acknowledged before it is killed."""

Told = dict[str, Any]


class Program:
    """A running `grading_program`."""

    def __init__(self, process: subprocess.Popen[str], reader: Actor) -> None:
        self.process, self.reader = process, reader

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def rest(self) -> list[str]:
        """Return all that it still says; it has ended then."""
        return self.process.communicate(timeout=120)[0].split("\n")


@contextmanager
def programs(study: Study, readers: list[Actor], folder: Path) -> Iterator[list[Program]]:
    """Give a program for each reader, all ready to begin."""
    with ExitStack() as stack:
        found = []
        for reader in readers:
            complaints = stack.enter_context((folder / f"{reader.name}.txt").open("w"))
            process = subprocess.Popen(
                [sys.executable, grading_program.__file__, study.place, str(reader.account_id), reader.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                cwd=Path(__file__).parents[2],
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            found.append(Program(process, reader))
        for program in found:
            assert program.line() == "ready", (folder / f"{program.reader.name}.txt").read_text()
        yield found


def stored(study: Study, reader: Actor) -> dict[tuple[int, str], int]:
    """Return what a reader's readings hold, by joint and item."""
    with study.db.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT g.joint_id, g.item, g.code FROM grade g JOIN reading r ON r.id = g.reading_id "
            f"JOIN assignment a ON a.id = r.assignment_id WHERE a.account_id = {reader.account_id}"
        )
        return {(joint, item): code for joint, item, code in rows}


def acknowledged(lines: list[str]) -> list[Told]:
    # Whoever is killed may leave half a line.
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def test_four_readers_a_coordinator_and_a_kill_lose_nothing(study: Study, tmp_path: Path) -> None:
    study.add_cases(*(film(f"P{number:04d}") for number in range(CASES)))
    readers = [study.person(name, Role.READER) for name in (*READERS, KILLED)]
    for reader in readers:
        study.assign(reader)
    said: dict[str, list[str]] = {reader.name: [] for reader in readers}
    with programs(study, readers, tmp_path) as running:
        *living, doomed = running
        for program in running:
            program.go()
        listeners = [
            threading.Thread(target=lambda one=one: said[one.reader.name].extend(one.rest()))
            for one in living
        ]
        for listener in listeners:
            listener.start()
        said[KILLED] += [doomed.line() for _ in range(SOME)]
        doomed.process.kill()
        said[KILLED] += doomed.rest()
        imported = _import_and_assign(study, readers[0], films_each=5, times=6)
        for listener in listeners:
            listener.join()
    everything = CASES * 2 * grading_program.ITEMS
    waits: list[float] = []
    for program in living:
        name = program.reader.name
        told = acknowledged(said[name])
        assert (tmp_path / f"{name}.txt").read_text() == "", "no StudyBusy, no fault of any kind"
        assert program.process.returncode == 0
        assert len(told) == everything
        assert stored(study, program.reader) == {
            (one["joint"], f"i{one['item']}"): one["code"] for one in told
        }
        waits += [one["ms"] for one in told]
    kept = stored(study, doomed.reader)
    told = acknowledged(said[KILLED])
    assert SOME <= len(told) < everything, "it was killed in the middle"
    assert all(kept[one["joint"], f"i{one['item']}"] == one["code"] for one in told)
    # One more may have been stored and killed before it was acknowledged, but never one half.
    assert len(kept) - len(told) in (0, 1)
    assert len(films.film_places(study.db, study.coordinator)) == CASES + imported
    assert journal.verify_chain(study.db).ok
    assert replay.verify_readings(study.db).ok
    print(
        f"\n{study.db.shown.partition(':')[0]}: {len(waits)} grades of {len(living)} readers at once, "
        f"median {statistics.median(waits):.1f} ms, p95 {statistics.quantiles(waits, n=20)[-1]:.1f} ms, "
        f"longest {max(waits):.1f} ms"
    )


def _import_and_assign(study: Study, reader: Actor, *, films_each: int, times: int) -> int:
    """Do the coordinator's work, in this program, while the readers are at theirs."""
    for number in range(times):
        before = set(cases.case_ids(study.db, study.coordinator))
        new = [film(f"Q{number}-{each}") for each in range(films_each)]
        more = [one for one in study.add_cases(*new) if one not in before]
        study.assign(reader, only=more)
    return films_each * times


def test_two_windows_of_one_reader_do_not_overwrite_each_other(study: Study) -> None:
    """The second window, on another connection, still shows what was; it is told so, and nothing is lost."""
    study.add_cases(film("P0001"))
    reader = study.person("Rita", Role.READER)
    study.assign(reader)
    opened = study.open(reader)
    joint = opened.case.joints[0].id
    with open_database(study.place, clock=study.clock) as other:
        second = Study(other, study.clock, study.coordinator)
        again = second.open(reader)
        assert again.reading_id == opened.reading_id
        study.commit(reader, opened, set_grade(joint, KL, 2))
        for late in (
            set_grade(joint, KL, 3),
            set_grade(joint, KL, 3, before=1),
            set_grade(joint, KL, None, before=1),
        ):
            with pytest.raises(GradeError, match="changed elsewhere"):
                second.commit(reader, again, late)
        # What the first window did not touch is free.
        second.commit(reader, again, set_grade(joint, Item("jsn", "medial"), 1))
        second.commit(reader, second.open(reader), set_grade(joint, KL, 3, before=2))
    grades = study.open(reader).content.grades
    assert grades == {GradeKey(joint, KL): 3, GradeKey(joint, Item("jsn", "medial")): 1}
    assert journal.verify_chain(study.db).ok
