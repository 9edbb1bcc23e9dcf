"""A program of its own that grades one case after the other, as fast as the store takes it.

``python tests/store/grading_program.py PLACE ACCOUNT NAME`` waits for a line, then grades every joint of the
account's worklist in some items, and prints each grade, and the milliseconds it took, once it is durable.
"""

from __future__ import annotations

import json
import sys
import time

from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey
from reader_app.reading.change import Change, GradeChange
from reader_app.store import readings
from reader_app.store.database import open_database
from reader_app.store.records import Actor, Role

ITEMS = 10
STAMPS = {"protocol_sha256": "p" * 64, "design_sha256": "d" * 64, "software": "grading program"}


def grade_all(place: str, actor: Actor) -> None:
    """Grade the whole worklist and say so."""
    with open_database(place) as db:
        worklist = readings.worklist(db, actor)
        print("ready", flush=True)
        sys.stdin.readline()
        for entry in worklist:
            opened = readings.open_reading(db, actor, entry.assignment_id, **STAMPS)
            for joint in opened.case.joints:
                for number in range(ITEMS):
                    code = (joint.id + number + actor.account_id) % 5
                    key = GradeKey(joint.id, Item(f"i{number}"))
                    change = Change("set-grade", grades=(GradeChange(key, None, code),))
                    begin = time.perf_counter()
                    readings.commit_change(db, actor, opened.reading_id, change, pregrade_in_sight=False)
                    took = (time.perf_counter() - begin) * 1000
                    told = {"joint": joint.id, "item": number, "code": code, "ms": round(took, 2)}
                    print(json.dumps(told), flush=True)
    print("done", flush=True)


if __name__ == "__main__":
    grade_all(sys.argv[1], Actor(int(sys.argv[2]), sys.argv[3], Role.READER))
