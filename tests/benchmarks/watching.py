"""Runs the program as a user does, in a process of its own, and looks on: progress, memory, files opened."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from reader_app.cli.people import NEW_PASSWORD_VARIABLE, PASSWORD_VARIABLE, USER_VARIABLE
from reader_app.settings import HOME_VARIABLE
from tests.benchmarks.cohort_files import Cohort

NAME, PASSWORD = "Ada", "a long sentence"
STEP_SECONDS = 0.1
ORPHAN_SECONDS = 10.0
_HOOK = """
import os, sys
folder, log = os.environ["COHORT_FOLDER"], os.environ["COHORT_LOG"]
out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = os.fsdecode(arguments[0])
        if path.startswith(folder):
            os.write(out, f"{os.getpid()} {path}\\n".encode())
sys.addaudithook(note)
"""


@dataclass
class Watched:
    """What was seen of a process while it ran.

    Attributes
    ----------
    memory
        Seconds since it began, what had been done by then, and the memory of it and all its children.
    seconds
        How long it ran.
    opened, read
        The files of the cohort that were opened by any process, and those that worker processes opened.
    """

    memory: list[tuple[float, int, int]] = field(default_factory=list)
    seconds: float = 0.0
    done: int = 0
    output: str = ""
    orphans: int = 0
    opened: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()

    @property
    def rate(self) -> float:
        """Things done a second while any were done, without the start of the program."""
        before, most = self.memory[0][1], self.memory[-1][1]
        begun = next((sample for sample in self.memory if sample[1] > before), None)
        ended = next((sample for sample in self.memory if sample[1] == most), None)
        if begun is None or ended is None or ended[0] <= begun[0]:
            return (self.done - before) / self.seconds
        return (ended[1] - begun[1]) / (ended[0] - begun[0])


class Importer:
    """Runs the commands of the program on one study, as a user does."""

    def __init__(self, root: Path, cohort: Cohort) -> None:
        self.root = root
        self.cohort = cohort
        self.folder = root / "study"
        self._hook = root / "hook"
        self._hook.mkdir()
        (self._hook / "sitecustomize.py").write_text(_HOOK, encoding="utf-8")
        self._runs = 0

    @property
    def database(self) -> Path:
        """The study's database."""
        return self.folder / "study.db"

    def count(self, query: str) -> int:
        """Ask the database beside the running import; 0 while there is no answer."""
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5)) as connection:
                return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    def command(self, *arguments: str) -> str:
        """Run a command to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "reader_app", *arguments],
            env=self._environment({}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"reader-app {arguments[0]} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def watch(self, *arguments: str, query: str, kill_at: int | None = None) -> Watched:
        """Run a command, look at the database and the memory meanwhile, and kill it where asked.

        Parameters
        ----------
        query
            Counts what is done.
        kill_at
            SIGKILL when so much is done.
        """
        self._runs += 1
        log = self.root / f"opened-{self._runs}.txt"
        variables = {
            "PYTHONPATH": str(self._hook),
            "COHORT_FOLDER": str(self.cohort.folder),
            "COHORT_LOG": str(log),
        }
        seen = Watched()
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "reader_app", *arguments],
            env=self._environment(variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        talk = _Reader(process)
        family: set[int] = set()
        while process.poll() is None:
            family = _family(process.pid) or family
            seen.done = self.count(query)
            seen.memory.append((time.perf_counter() - started, seen.done, _memory(family)))
            if kill_at is not None and seen.done >= kill_at:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(STEP_SECONDS)
        process.wait()
        seen.seconds = time.perf_counter() - started
        seen.output, said = talk.text()
        if kill_at is None and process.returncode != 0:
            raise RuntimeError(f"reader-app {arguments[0]} failed: {said}")
        seen.orphans = _left_after(family - {process.pid})
        seen.done = self.count(query)
        if log.exists():
            notes = [line.partition(" ") for line in log.read_text(encoding="utf-8").splitlines()]
            seen.opened = frozenset(path for _, _, path in notes)
            seen.read = frozenset(path for pid, _, path in notes if int(pid) != process.pid)
        return seen

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        own = {USER_VARIABLE: NAME, PASSWORD_VARIABLE: PASSWORD, HOME_VARIABLE: str(self.root / "home")}
        return {**os.environ, **own, NEW_PASSWORD_VARIABLE: PASSWORD, **more}


class _Reader:
    """Takes what a process prints, so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._texts = ["", ""]
        self._threads = [
            threading.Thread(target=self._read, args=(place, stream))
            for place, stream in enumerate((process.stdout, process.stderr))
            if stream is not None
        ]
        for thread in self._threads:
            thread.start()

    def text(self) -> tuple[str, str]:
        for thread in self._threads:
            thread.join()
        return self._texts[0], self._texts[1]

    def _read(self, place: int, stream: IO[str]) -> None:
        self._texts[place] = stream.read()


def _family(pid: int) -> set[int]:
    """A process and all its descendants, on systems that tell."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found, waiting = set(), [pid]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting.extend(children.get(one, []))
    return found


def _memory(family: set[int]) -> int:
    """Bytes that the processes hold in memory, what they share counted once."""
    total = 0
    for pid in family:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(1024 * int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total


def _left_after(pids: set[int]) -> int:
    """How many of the processes are still there when they have had time to notice that they are alone."""
    end = time.monotonic() + ORPHAN_SECONDS
    left = pids
    while left and time.monotonic() < end:
        left = {pid for pid in left if _alive(pid)}
        time.sleep(STEP_SECONDS)
    return len(left)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
