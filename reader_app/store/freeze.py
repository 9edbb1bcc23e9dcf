"""Whether the study is frozen, and what may then still be written: asked wherever the journal grows."""

from __future__ import annotations

from sqlalchemy import Connection, select

from reader_app.store.frozen_words import frozen_in_words
from reader_app.store.tables import study_state
from reader_app.store.triggers import WRITTEN_WHILE_FROZEN

FROZEN_AT = select(study_state.c.frozen_at).where(study_state.c.id == 1)
"""Since when, None where grades are still given; built once, as every keystroke asks."""


def frozen_at(connection: Connection) -> str | None:
    """Return since when the study is frozen, UTC, ISO 8601; None where it is not."""
    return connection.execute(FROZEN_AT).scalar_one_or_none()


def is_frozen(connection: Connection) -> bool:
    """Say whether the study is frozen: nothing of its grades can change any more."""
    return frozen_at(connection) is not None


def require_writing_allowed(frozen_since: str | None, verb: str) -> None:
    """Raise where a frozen study is to be written.

    Parameters
    ----------
    frozen_since
        What `frozen_at` says.
    verb
        Of the journal entry that tells what is about to be done.

    Raises
    ------
    StudyFrozen
        In words, unless the verb is one of those that change nothing of the results.
    """
    if frozen_since is not None and verb not in WRITTEN_WHILE_FROZEN:
        raise frozen_in_words(frozen_since)
