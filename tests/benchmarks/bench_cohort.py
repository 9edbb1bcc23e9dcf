"""An import of thousands of files as a process of its own, killed half-way twice and resumed.

`reader-app bench cohort` prints the table, `--films N` takes another number of files; `run()` returns it. It
looks at the headers of the cohort, is killed when half of them are planned, and looks at the rest; then it
imports, is killed with SIGKILL when half of the films are in, and imports the rest by the same command. After
each kill the study is proven to be whole. Which files were opened is noted by an audit hook of the
interpreter, so that what was read twice is counted and not believed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it is loaded by its path

import pydicom

from reader_app.imaging.dicom.dataset import HEADER_KEYWORDS
from tests.benchmarks.cohort_files import write_cohort
from tests.benchmarks.measuring import Row, yes
from tests.benchmarks.watching import NAME, Importer, Watched

FILES = 10_000
MARKS = (1_000, 5_000, 10_000)
ENOUGH = 5_000
"""Files from which on a rate means something."""


def run(*, films: int = FILES) -> list[Row]:
    """Measure everything.

    Parameters
    ----------
    films
        How many files the cohort has, broken ones and duplicates included.

    Returns
    -------
    list of dict
        name, value, p95, unit, peer, peer_value, peer_p95, ratio, goal, met.
    """
    with tempfile.TemporaryDirectory(prefix="cohort-") as name:
        root = Path(name)
        started = time.perf_counter()
        cohort = write_cohort(root / "films", files=films, tell=_tell)
        wrote = time.perf_counter() - started
        study = Importer(root, cohort)
        study.command("init", str(study.folder), *_STUDY)
        rows = [_row("files written", len(cohort.files), "files", peer=f"in {wrote:.0f} s")]
        rows += _planned(study)
        rows += _imported(study)
        rows += _checked(study)
    return rows


_STUDY = ("--protocol", "knee-kl", "--title", "Cohort", "--coordinator", NAME)


# What is measured ---------------------------------------------------------------------------------------

_LOOKED_AT = "SELECT count(*) FROM import_file"
_FILMS = "SELECT count(*) FROM radiograph"


def _planned(study: Importer) -> list[Row]:
    """Look at half of the cohort, be killed, look at the rest."""
    files = len(study.cohort.files)
    bare = files / _seconds(lambda: [_header(path) for path in study.cohort.files])
    table = str(study.root / "preview.csv")
    arguments = ("import", str(study.folder), str(study.cohort.folder), "--preview", table)
    _tell("looking at the headers; to be killed half-way")
    first = study.watch(*arguments, query=_LOOKED_AT, kill_at=files // 2)
    _tell(f"killed with {first.done:,} files planned; looking at the rest")
    second = study.watch(*arguments, query=_LOOKED_AT)
    rate = second.rate
    return [
        _row("planned when killed", first.done, "files", peer="of all", peer_value=files),
        _row(
            "planned after resuming",
            second.done,
            "files",
            peer="of all",
            peer_value=files,
            met=second.done == files,
        ),
        _row("headers read twice because of the kill", len(first.read & second.read), "files"),
        _row(
            f"looking at headers, {os.cpu_count()} cores",
            rate,
            "files/s",
            peer="pydicom, same values, one core",
            peer_value=bare,
            ratio=rate / bare,
            # A small cohort is over before the program has quite started.
            goal="ratio >= 0.8" if files >= ENOUGH else "",
            met=rate / bare >= 0.8 if files >= ENOUGH else None,
        ),
        _row("memory while looking, most", max(_bytes(first, second)) / 1e6, "MB"),
        _row("processes left by the kill", first.orphans, "processes", goal="0", met=first.orphans == 0),
    ]


def _imported(study: Importer) -> list[Row]:
    """Import half of the cohort, be killed, prove the study, import the rest."""
    cohort = study.cohort
    arguments = ("import", str(study.folder), str(cohort.folder), "--json")
    _tell("importing; to be killed half-way")
    first = study.watch(*arguments, query=_FILMS, kill_at=cohort.films // 2)
    whole = (
        study.count(
            "SELECT count(*) FROM radiograph r WHERE NOT EXISTS "
            "(SELECT 1 FROM joint j WHERE j.radiograph_id = r.id)"
        )
        == 0
    )
    _tell(f"killed with {first.done:,} films in the study; proving it")
    proven = _verified(study)
    _tell("importing the rest")
    second = study.watch(*arguments, query=_FILMS)
    report = json.loads(second.output)
    rate = second.rate
    bare = _bare_rate(cohort.files[:1000])
    rows = [
        _row("films when killed", first.done, "films", peer="of all", peer_value=cohort.films),
        _row("study whole after the kill", float(proven and whole), "", goal="1", met=proven and whole),
        _row("processes left by the kill", first.orphans, "processes", goal="0", met=first.orphans == 0),
        _row(
            "films after resuming",
            second.done,
            "films",
            peer="of all",
            peer_value=cohort.films,
            goal="all",
            met=second.done == cohort.films,
        ),
        _row("added by the second run", report["added"], "films", peer="by the first", peer_value=first.done),
        _row("known to the second run", report["known"], "files"),
        _row(
            "duplicates, both runs",
            study.count("SELECT count(*) FROM import_file WHERE state = 'duplicate'"),
            "files",
            peer="planted",
            peer_value=cohort.duplicates,
        ),
        _row(
            "refused, both runs",
            study.count("SELECT count(*) FROM import_file WHERE state = 'refused'"),
            "files",
            peer="planted",
            peer_value=cohort.broken,
        ),
        _row("decoded twice because of the kill", len(first.read & second.read), "films"),
        _row("hashed twice because of the kill", len(first.opened & second.opened), "files"),
        _row(
            f"reading and storing films, {os.cpu_count()} cores",
            rate,
            "films/s",
            peer="pydicom, decode and two hashes, one core",
            peer_value=bare,
            ratio=rate / bare,
        ),
    ]
    return rows + _memory_rows(first, second)


def _memory_rows(*runs: Watched) -> list[Row]:
    """The most memory until so many films were in: flat if it does not grow with them."""
    rows: list[Row] = []
    seen = [sample for run in runs for sample in run.memory]
    least = 0
    for mark in (*(mark for mark in MARKS if mark < runs[-1].done), runs[-1].done):
        some = [memory for _, done, memory in seen if least <= done <= mark]
        if some:
            rows.append(_row(f"memory, most between {least:,} and {mark:,} films", max(some) / 1e6, "MB"))
        least = mark
    if len(rows) > 1:
        growth = rows[-1]["value"] / rows[0]["value"]
        rows[-1] |= {
            "peer": rows[0]["name"],
            "peer_value": rows[0]["value"],
            "ratio": 1 / growth,
            "goal": "ratio >= 0.8",
            "met": yes(growth <= 1.25),
        }
    return rows


def _checked(study: Importer) -> list[Row]:
    _tell("proving the whole study")
    started = time.perf_counter()
    proven = _verified(study)
    seconds = time.perf_counter() - started
    leaked = study.count("SELECT count(*) FROM participant WHERE pseudonym LIKE '%HOSPITAL%'")
    return [
        _row(
            "study whole at the end",
            float(proven),
            "",
            peer=f"verified in {seconds:.0f} s",
            goal="1",
            met=proven,
        ),
        _row("participants under their hospital's number", leaked, "participants", goal="0", met=leaked == 0),
    ]


def _verified(study: Importer) -> bool:
    """Whether the database is sound, and journal, films and copies are what they were."""
    with closing(sqlite3.connect(study.database)) as connection:
        sound = bool(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    study.command("verify", str(study.folder))  # fails unless all is well
    return sound


def _bytes(*runs: Watched) -> list[int]:
    return [memory for run in runs for _, _, memory in run.memory]


def _header(path: Path) -> object:
    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        return [dataset.get(keyword) for keyword in HEADER_KEYWORDS]
    except Exception:  # noqa: BLE001 - a broken file fails as it likes; it is one of the files all the same
        return None


def _bare_rate(paths: tuple[Path, ...]) -> float:
    def decode(path: Path) -> object:
        try:
            pixels = pydicom.dcmread(path).pixel_array
        except Exception:  # noqa: BLE001 - as above
            return None
        return hashlib.sha256(path.read_bytes()).digest(), hashlib.sha256(pixels.tobytes()).digest()

    return len(paths) / _seconds(lambda: [decode(path) for path in paths])


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _row(
    name: str,
    value: float,
    unit: str,
    *,
    peer: str = "",
    peer_value: float | None = None,
    ratio: float | None = None,
    goal: str = "",
    met: bool | None = None,
) -> Row:
    return {
        "name": name,
        "value": f"{value:,.0f}" if float(value).is_integer() else float(value),
        "unit": unit,
        "peer": peer,
        "peer_value": peer_value
        if peer_value is None or not float(peer_value).is_integer()
        else f"{peer_value:,.0f}",
        "ratio": ratio,
        "goal": goal,
        "met": "" if met is None else yes(met),
    }


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    for row in run(films=int(sys.argv[1]) if len(sys.argv) > 1 else FILES):
        print(row)
