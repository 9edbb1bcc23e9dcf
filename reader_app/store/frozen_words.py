"""What is said to whoever wants to write into a frozen study, by the triggers and by us."""

from __future__ import annotations

from datetime import datetime

from reader_app.errors import StudyFrozen

FROZEN = "the study is frozen"
"""What the triggers say."""

_WAY_OUT = "Reports, exports and backups still work; a coordinator can unfreeze the study, with a reason."


def frozen_in_words(frozen_since: str = "") -> StudyFrozen:
    """Return the sentence for whoever wants to write into a frozen study."""
    since = f" since {shown_time(frozen_since)}" if frozen_since else ""
    return StudyFrozen(f"The study has been frozen{since}: nothing in it can be changed any more.", _WAY_OUT)


def shown_time(stored: str) -> str:
    """Return a stored time as the clock on the wall shows it."""
    return f"{datetime.fromisoformat(stored).astimezone():%Y-%m-%d %H:%M}"
