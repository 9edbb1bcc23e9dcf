"""The journal in a file: for the archive, and to prove later that nothing of it was written anew.

The chain proves that no entry was changed by itself. Somebody with the database and our source could still
write the whole chain anew; an export that was kept elsewhere shows that too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reader_app.errors import StudyError
from reader_app.operations.progress import Progress, Report, silent
from reader_app.operations.study import Study
from reader_app.store import journal_export
from reader_app.store.journal_records import ExportedEntry
from reader_app.store.records import Actor, Role

AT_ONCE = 2000


def export_journal(study: Study, actor: Actor, target: Path, *, progress: Report = silent) -> int:
    """Write the journal, one entry a line (JSON), whole or not at all.

    What carries grades stands there without its payload for a coordinator, until the study is frozen.

    Returns
    -------
    int
        How many entries were written.

    Raises
    ------
    NotAllowed
        If the acting account is neither coordinator nor auditor.
    StudyError
        If the file cannot be written.
    """
    target = target.expanduser()
    partial = target.with_name(target.name + ".part")
    digest, number = hashlib.sha256(), 0
    try:
        with partial.open("wb") as stream:
            for entry in _entries(study, actor):
                line = (json.dumps(_line(entry), ensure_ascii=True) + "\n").encode("ascii")
                digest.update(line)
                stream.write(line)
                number += 1
                if number % AT_ONCE == 0:
                    progress(Progress(number, 0, "journal"))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)
    except OSError as fault:
        raise StudyError(
            f"The journal cannot be written to {target}: {fault.strerror or fault}.",
            "Choose another file, or free some space.",
        ) from fault
    finally:
        partial.unlink(missing_ok=True)
    # An auditor changes nothing, not even the journal.
    if actor.role is Role.COORDINATOR:
        journal_export.note_export(
            study.database, actor, verb="export.journal", name=target.name, sha256=digest.hexdigest()
        )
    return number


def unlike_export(study: Study, exported: Path) -> str:
    """Compare the study's journal with an export of earlier.

    Returns
    -------
    str
        What differs first, as a sentence; empty where every exported entry is still there as it was.

    Raises
    ------
    StudyError
        If the file cannot be read, or is no exported journal.
    """
    for batch in _batches(exported.expanduser()):
        first = journal_export.first_unlike(study.database, None, batch)
        if first is not None:
            return f"Entry {first} of the journal is not the one that stands in {exported.name}."
    return ""


def _entries(study: Study, actor: Actor) -> Iterator[ExportedEntry]:
    after = 0
    while batch := journal_export.export_entries(study.database, actor, after=after, limit=AT_ONCE):
        yield from batch
        after = batch[-1].sequence


def _line(entry: ExportedEntry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "at": entry.at,
        "account": entry.account_id,
        "verb": entry.verb,
        "payload": None if entry.payload is None else json.loads(entry.payload),
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def _batches(exported: Path) -> Iterator[dict[int, str]]:
    batch: dict[int, str] = {}
    number = 0
    try:
        with exported.open(encoding="utf-8") as stream:
            for line in stream:
                number += 1
                entry = json.loads(line)
                batch[int(entry["sequence"])] = str(entry["hash"])
                if len(batch) == AT_ONCE:
                    yield batch
                    batch = {}
    except OSError as fault:
        raise StudyError(
            f"The exported journal {exported} cannot be read: {fault.strerror or fault}.", "Check the name."
        ) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise StudyError(
            f"{exported} is no exported journal: line {number} is none of its entries.",
            "Choose a file that “reader-app journal” has written.",
        ) from fault
    if not number:
        raise StudyError(f"{exported} is empty.", "Choose a file that “reader-app journal” has written.")
    yield batch
