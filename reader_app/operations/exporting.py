"""Files that leave the study: written whole or not at all, and told of in the journal."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from reader_app.errors import StudyError
from reader_app.operations.study import Study
from reader_app.store import journal_export
from reader_app.store.records import Actor, Role


def write_export(study: Study, actor: Actor, target: Path, text: str, *, verb: str) -> Path:
    """Write a text file, replacing one of that name.

    Parameters
    ----------
    verb
        Of the journal entry, such as "export.consensus".

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StudyError
        If it cannot be written; what stood there before then stays.
    """
    target = target.expanduser()
    data = text.encode("utf-8")
    try:
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=target.stem, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            # mkstemp keeps the file to its owner; an export is meant to be passed on.
            Path(partial).chmod(0o644)
            Path(partial).replace(target)
        except OSError:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as fault:
        raise StudyError(
            f"The file {target} cannot be written: {fault.strerror or fault}.",
            "Choose another file, or free some space.",
        ) from fault
    note_file(study, actor, target.name, data, verb=verb)
    return target


def note_file(study: Study, actor: Actor, name: str, data: bytes, *, verb: str) -> None:
    """Tell the journal what left the study; an auditor changes nothing, not even the journal."""
    if actor.role is Role.COORDINATOR:
        journal_export.note_export(
            study.database, actor, verb=verb, name=name, sha256=hashlib.sha256(data).hexdigest()
        )
