"""The hip study from empty folder to frozen database, through the operations that the window uses.

Two readers work in processes of their own, at the same time, and are killed at random; an adjudicator settles
what they differ on; then the study is frozen, reported and verified.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from reader_app.operations import adjudicate, freeze
from reader_app.operations.accounts import add_account
from reader_app.operations.design import set_design
from reader_app.operations.flow import flow_numbers
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.report import report_of
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.verify import VerifyReport, verify
from reader_app.reading.design import Rereads
from reader_app.reading.presets import from_preset
from reader_app.report.flow import FlowNumbers
from reader_app.report.model import Comparison, ComparisonKind
from reader_app.store import films as stored_films
from reader_app.store import rereads, results
from reader_app.store.records import Actor, Role
from tests.simulation.agent import PASSWORD
from tests.simulation.films import write_films
from tests.simulation.population import ADJUDICATOR, READERS, SEED, seen_grades
from tests.simulation.population import films as cohort

COORDINATOR, AUDITOR = "cora", "ada"
PRESET = "hip-oarsi-2020"
REREAD_PERCENT = 2
LIVES = (8.0, 40.0)
"""Between so many seconds a reader's process lives before it is killed."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What the simulation ended with.

    Attributes
    ----------
    acknowledged, lost
        Grades and locks that the study said it has, and those of them that it has not.
    rereads
        Joints that a reader graded twice, unaware of it.
    """

    films: int
    joints: int
    kills: int
    acknowledged: int
    lost: tuple[str, ...]
    settled: int
    rereads: int
    flow: FlowNumbers
    between_readers: tuple[Comparison, ...]
    verified: VerifyReport
    seconds: float


class Simulation:
    """One run in one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        films: int,
        joints: int,
        tell: Tell,
        lives: tuple[float, float] = LIVES,
    ) -> None:
        self._folder = folder
        self._study = folder / "study"
        self._films = tuple(cohort(films, joints))
        self._joints = joints
        self._tell = tell
        self._kills = 0
        self._lives = lives
        self._random = Random(SEED)
        self._numbers: dict[int, int] = {}

    def run(self) -> Outcome:
        """Play the study to its end."""
        begun = time.monotonic()
        self._found()
        self._read()
        settled = self._adjudicate()
        with self._as(COORDINATOR) as (study, coordinator):
            freeze.freeze(study, coordinator, password=PASSWORD, reason="The last case is settled.")
            self._tell("frozen")
            report = report_of(study, coordinator)
            flow = flow_numbers(study, coordinator)
            repeated = len(rereads.pairs(study.database, coordinator))
            self._tell("verifying")
            verified = verify(study, coordinator)
        acknowledged, lost = self._held_against_acknowledged()
        return Outcome(
            films=len(self._films),
            joints=self._joints,
            kills=self._kills,
            acknowledged=acknowledged,
            lost=lost,
            settled=settled,
            rereads=repeated,
            flow=flow,
            between_readers=tuple(
                each for each in report.of_kind(ComparisonKind.READERS) if each.target.final
            ),
            verified=verified,
            seconds=time.monotonic() - begun,
        )

    def _found(self) -> None:
        self._tell(f"writing {len(self._films):,} films")
        manifest = write_films(self._folder / "films", self._films)
        choices = NewStudy("hip-oarsi", "Simulated hips", COORDINATOR, PASSWORD, seed=SEED)
        with create_study(self._study, choices) as study:
            coordinator = log_in(study, COORDINATOR, PASSWORD)
            design = from_preset(PRESET, study.protocol, seed=SEED)
            design = replace(design, rereads=Rereads(percent=REREAD_PERCENT))
            study = set_design(study, coordinator, design)
            for name, role in (
                *((reader.name, Role.READER) for reader in READERS),
                (ADJUDICATOR.name, Role.ADJUDICATOR),
                (AUDITOR, Role.AUDITOR),
            ):
                add_account(study, coordinator, name=name, password=PASSWORD, role=role)
            self._tell("importing")
            done = import_films(study, coordinator, manifest.parent, manifest=manifest)
        if done.added != len(self._films) or done.faults:
            raise AssertionError(f"{done.added} of {len(self._films)} films imported: {done.faults[:3]}")

    # Reading ------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Let both readers work until both are through twice: the second time for each other's exclusions."""
        for once in ("reading", "checking exclusions"):
            self._tell(once)
            left = {reader.name: self._start(reader.name) for reader in READERS}
            deaths = {name: self._death() for name in left}
            while left:
                time.sleep(0.05)
                for name, process in list(left.items()):
                    code = process.poll()
                    if code is None and time.monotonic() > deaths[name]:
                        process.send_signal(signal.SIGKILL)
                        process.wait()
                        self._kills += 1
                    elif code == 0:
                        del left[name]
                        continue
                    elif code is not None and code != -signal.SIGKILL:
                        raise AssertionError(f"{name} ended with {code}")
                    if process.poll() is not None:
                        left[name], deaths[name] = self._start(name), self._death()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        told = self._folder / f"{name}.jsonl"
        return subprocess.Popen(
            [sys.executable, "-m", "tests.simulation.agent", str(self._study), name, str(told)]
        )

    def _death(self) -> float:
        # A little longer each time: on a slow machine a reader must get somewhere between two kills.
        return time.monotonic() + self._random.uniform(*self._lives) * (1 + self._kills / 10)

    # Adjudication -------------------------------------------------------------------------------

    def _adjudicate(self) -> int:
        self._tell("adjudicating")
        with self._as(ADJUDICATOR.name) as (study, actor):
            queue = [one for one in adjudicate.queue(study, actor) if one.open]
            places = self._places(study)
            for one in queue:
                film, side = places[one.joint_id]
                seen = seen_grades(ADJUDICATOR, self._films[film], side)[one.item.feature_id]
                adjudicate.settle_disagreement(study, actor, one, code=seen)
        return len(queue)

    def _places(self, study: Study) -> dict[int, tuple[int, str]]:
        """Return number of the film and side of every joint, as the auditor knows them."""
        auditor = log_in(study, AUDITOR, PASSWORD)
        records = stored_films.all_radiographs(study.database, auditor)
        numbers = {record.id: int(Path(record.path).stem) for record in records}
        return {
            joint.joint_id: (numbers[joint.radiograph_id], joint.side.value)
            for joint in results.joint_places(study.database, auditor)
        }

    # The end ------------------------------------------------------------------------------------

    def _held_against_acknowledged(self) -> tuple[int, tuple[str, ...]]:
        """Compare what the readers were told is stored with what is in the tables, re-reads included."""
        with closing(sqlite3.connect(self._study / "study.db")) as database:
            stored: dict[tuple[object, ...], object] = {
                (reading, joint, item): code
                for reading, joint, item, code in database.execute(
                    "SELECT reading_id, joint_id, item, code FROM grade"
                )
            }
            stored |= dict.fromkeys(
                database.execute("SELECT id FROM reading WHERE locked_at IS NOT NULL"), "locked"
            )
        told: dict[tuple[object, ...], object] = {}
        number = 0
        for reader in READERS:
            for line in (self._folder / f"{reader.name}.jsonl").read_text(encoding="utf-8").splitlines():
                # The last line before a kill may be cut off: then nobody was told.
                if line.endswith("]") and not line.endswith('"seen"]'):
                    *key, value = json.loads(line)
                    told[tuple(key)] = value
                    number += 1
        lost = tuple(
            f"{key}: told {value}, found {stored.get(key)}"
            for key, value in told.items()
            if stored.get(key) != value
        )
        return number, lost

    @contextmanager
    def _as(self, name: str) -> Iterator[tuple[Study, Actor]]:
        with open_study(self._study) as study:
            yield study, log_in(study, name, PASSWORD)
