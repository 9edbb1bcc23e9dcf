"""``python -m tests.simulation.pregrade_kills``: a pre-grade that is killed, and goes on where it was.

``reader-app pregrade`` runs as a process of its own; at random moments it is killed with SIGKILL and started
again.  In the last life the process that holds the networks is killed under it, and the run must go on by
itself.  At the end no joint may be missing or doubled, every heatmap must be readable, and ``verify`` clean.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
from PIL import Image

from reader_app.errors import StudyDamaged
from reader_app.operations.heatmaps import FOLDER, read_heatmap
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.verify import verify
from reader_app.protocols.model import Item
from reader_app.settings import resources_folder

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "knee-kl"
COORDINATOR, PASSWORD = "cora", "a simulated password"
BUNDLE = resources_folder() / "models" / "knee-kl"
FILMS, KILLS, SEED = 1000, 2, 20261121
_LOOK_SECONDS = 0.1
_GONE_SECONDS = 60.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What was there at the end.

    Attributes
    ----------
    killed_at
        How many joints were pre-graded when the run was killed.
    networks_killed_at
        Likewise, when the process with the networks was; None if it was over before.
    orphans
        Processes that outlived a killed run.
    named, files
        Heatmap files that the pre-grades name, and those that there are; empty maps are not kept.
    lives
        The last run's own report.
    """

    films: int
    killed_at: tuple[int, ...]
    networks_killed_at: int | None
    orphans: int
    report: dict[str, object]
    joints: int
    pregraded: int
    rows: int
    items: int
    unreadable: int
    named: int
    files: int
    leftovers: tuple[str, ...]
    retried: int
    verify_faults: tuple[str, ...]
    seconds: float


def faults(outcome: Outcome) -> Iterator[str]:
    """Say what is not as it must be."""
    if outcome.joints != outcome.films:
        yield f"{outcome.joints} joints of {outcome.films} films were imported"
    if outcome.pregraded != outcome.joints:
        yield f"{outcome.joints - outcome.pregraded} joints are missing"
    if outcome.rows != outcome.joints * outcome.items:
        yield f"{outcome.rows} pre-grades of {outcome.joints} joints with {outcome.items} items"
    if outcome.unreadable or outcome.files != outcome.named:
        yield f"{outcome.unreadable} of {outcome.named} heatmaps cannot be read, of {outcome.files} files"
    if outcome.leftovers:
        yield f"left behind: {', '.join(outcome.leftovers[:5])}"
    if outcome.orphans:
        yield f"{outcome.orphans} processes outlived their run"
    if outcome.report.get("pending") or outcome.report.get("faults"):
        yield f"the last run says: {outcome.report}"
    yield from outcome.verify_faults


def told(outcome: Outcome) -> Iterator[str]:
    """Say what came out."""
    yield f"{outcome.films:,} films, run killed at {', '.join(map(str, outcome.killed_at))} joints"
    if outcome.networks_killed_at is not None:
        yield (
            f"the networks' process killed at {outcome.networks_killed_at} joints; the run went on, and "
            f"{outcome.retried} joints say in their provenance that they were tried again"
        )
    yield (
        f"{outcome.pregraded:,} of {outcome.joints:,} joints pre-graded, {outcome.rows:,} pre-grades, "
        f"{outcome.files:,} heatmaps, {outcome.unreadable} unreadable, {len(outcome.leftovers)} leftovers, "
        f"{outcome.orphans} processes left"
    )
    yield f"verify: {len(outcome.verify_faults)} faults; {outcome.seconds:.0f} s in all"
    yield f"last run: {outcome.report.get('joints_per_second')} joints per second"


class PregradeKills:
    """One study in one folder, pre-graded by processes that are killed."""

    def __init__(self, folder: Path, *, films: int, kills: int = KILLS, seed: int = SEED, tell: Tell) -> None:
        self._folder, self._films, self._kills, self._tell = folder, films, kills, tell
        self._study = folder / "study"
        self._random = Random(seed)

    def run(self) -> Outcome:
        """Import, pre-grade with kills, and look at what is there."""
        begun = time.monotonic()
        self._import()
        places = sorted(self._random.sample(range(1, max(2, self._films - self._films // 4)), self._kills))
        killed, orphans = [], 0
        for place in places:
            at, left = self._killed_life(place)
            killed.append(at)
            orphans += left
            self._tell(f"killed at {at} joints, {left} processes left")
        networks, report = self._last_life()
        self._tell(f"done: {report}")
        return self._outcome(tuple(killed), networks, orphans, report, begun)

    def _import(self) -> None:
        films = self._folder / "films"
        write_films(films, self._films)
        made = NewStudy(
            protocol="knee-kl", title="Kills", coordinator=COORDINATOR, password=PASSWORD, seed=SEED
        )
        with closing(create_study(self._study, made)) as study:
            cora = log_in(study, COORDINATOR, PASSWORD)
            import_films(study, cora, films, manifest=films / "manifest.csv")
        self._tell(f"{self._films} films imported")

    def _life(self) -> subprocess.Popen[str]:
        words = ["pregrade", str(self._study), "--bundle", str(BUNDLE), "--device", "cpu", "--json"]
        with (self._folder / "stderr.txt").open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "reader_app", *words, "--as", COORDINATOR, "--password-stdin"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert process.stdin is not None
        process.stdin.write(PASSWORD + "\n")
        process.stdin.close()
        return process

    def _killed_life(self, place: int) -> tuple[int, int]:
        """Let a run live until so many joints are stored, kill it, and count what outlives it."""
        with self._life() as process:
            self._wait_for(place, process)
            family = children(process.pid)
            process.send_signal(signal.SIGKILL)
            process.wait()
        return self._stored(), len(_still_there(family))

    def _last_life(self) -> tuple[int | None, dict[str, object]]:
        at = None
        with self._life() as process:
            place = self._random.randint(self._stored() + 1, self._films)
            self._wait_for(place, process)
            for child in children(process.pid):
                if holds_networks(child):
                    os.kill(child, signal.SIGKILL)
                    at = self._stored()
            assert process.stdout is not None
            said = process.stdout.read()
        report: dict[str, object] = json.loads(said)
        return at, report

    def _wait_for(self, place: int, process: subprocess.Popen[str]) -> None:
        while self._stored() < place:
            if process.poll() is not None and self._stored() < place:
                said = (self._folder / "stderr.txt").read_text(encoding="utf-8")
                raise RuntimeError(f"the run ended before {place} joints: {said}")
            time.sleep(_LOOK_SECONDS)

    def _stored(self) -> int:
        return int(self._asked("SELECT count(DISTINCT joint_id) FROM pregrade"))

    def _asked(self, query: str) -> int:
        with closing(sqlite3.connect(self._study / "study.db")) as connection:
            ((found,),) = connection.execute(query).fetchall()
        return int(found)

    def _outcome(
        self,
        killed: tuple[int, ...],
        networks: int | None,
        orphans: int,
        report: dict[str, object],
        begun: float,
    ) -> Outcome:
        heatmaps = self._study / FOLDER
        files = [path for path in heatmaps.rglob("*") if path.is_file()]
        with closing(open_study(self._study)) as study:
            faults = verify(study, log_in(study, COORDINATOR, PASSWORD)).faults
            unreadable = self._unreadable(study)
        return Outcome(
            films=self._films,
            killed_at=killed,
            networks_killed_at=networks,
            orphans=orphans,
            report=report,
            joints=self._asked("SELECT count(*) FROM joint WHERE side <> 'W'"),
            pregraded=self._stored(),
            rows=self._asked("SELECT count(*) FROM pregrade"),
            items=self._asked("SELECT count(DISTINCT item) FROM pregrade"),
            unreadable=unreadable,
            named=self._asked("SELECT count(DISTINCT heatmap_file) FROM pregrade"),
            files=sum(path.suffix == ".npz" for path in files),
            leftovers=tuple(path.name for path in files if path.suffix != ".npz"),
            retried=self._asked("SELECT count(*) FROM provenance WHERE details_json LIKE '%retried%'"),
            verify_faults=tuple(map(str, faults)),
            seconds=time.monotonic() - begun,
        )

    def _unreadable(self, study: Study) -> int:
        bad = 0
        with closing(sqlite3.connect(self._study / "study.db")) as connection:
            rows = connection.execute(
                "SELECT heatmap_file, item FROM pregrade WHERE heatmap_file IS NOT NULL"
            ).fetchall()
        for file, item in rows:
            try:
                read_heatmap(study.folder, file, Item.parse(item))
            except StudyDamaged:
                bad += 1
        return bad


def write_films(folder: Path, number: int) -> None:
    """Write films of single knees and their manifest: real ones as far as there are, else synthetic ones."""
    folder.mkdir(parents=True)
    real = sorted(REAL.rglob("*.webp"))
    rows = []
    for place in range(number):
        if place < len(real):
            name = f"{place:05}{real[place].suffix}"
            (folder / name).write_bytes(real[place].read_bytes())
        else:
            name = f"{place:05}.png"
            Image.fromarray(synthetic(place)).save(folder / name, compress_level=1)
        rows.append((name, f"K{place:05}", "Baseline", "RL"[place % 2], "knee-pa"))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "participant", "visit", "side", "view"])
        writer.writerows(rows)


def synthetic(number: int) -> npt.NDArray[np.uint8]:
    """Return a square picture with one bright leg and a dark joint line; the same for the same number."""
    random = np.random.default_rng([SEED, number])
    down, across = np.mgrid[:224, :224].astype(np.float32)
    leg = 200 * np.exp(-(((across - 112) / random.uniform(50, 70)) ** 2))
    line = 1 - 0.6 * np.exp(-(((down - random.uniform(100, 124)) / random.uniform(3, 9)) ** 2))
    noise = random.normal(0, 6, (224, 224))
    picture: npt.NDArray[np.uint8] = np.clip(leg * line + 15 + noise, 0, 255).astype(np.uint8)
    return picture


def children(process_id: int) -> list[int]:
    """Return the processes that a process has started, and theirs."""
    found: list[int] = []
    for file in Path(f"/proc/{process_id}/task").glob("*/children"):
        try:
            direct = [int(word) for word in file.read_text(encoding="ascii").split()]
        except OSError:
            continue
        for child in direct:
            found += [child, *children(child)]
    return found


def holds_networks(process_id: int) -> bool:
    """Whether a process has torch loaded."""
    try:
        return "libtorch" in Path(f"/proc/{process_id}/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _still_there(family: list[int]) -> list[int]:
    """Give processes a while to notice that their parent is gone; return those that do not."""
    patience = time.monotonic() + _GONE_SECONDS
    while (left := [each for each in family if _lives(each)]) and time.monotonic() < patience:
        time.sleep(_LOOK_SECONDS)
    return left


def _lives(process_id: int) -> bool:
    try:
        status = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def main() -> int:
    """Run, say what came out, and return 1 where anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=FILMS)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--folder", type=Path, help="to keep the study; by default it is thrown away")
    chosen = parser.parse_args()
    begun = time.monotonic()

    def tell(sentence: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {sentence}", flush=True)

    with tempfile.TemporaryDirectory(prefix="kills-") as temporary:
        folder = chosen.folder or Path(temporary)
        kills = PregradeKills(folder, films=chosen.films, kills=chosen.kills, seed=chosen.seed, tell=tell)
        outcome = kills.run()
    for sentence in told(outcome):
        print(sentence)
    wrong = tuple(faults(outcome))
    for sentence in wrong:
        print(f"FAULT: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
