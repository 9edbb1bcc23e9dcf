"""Who is acting."""

from __future__ import annotations

from reader_app.operations.study import Study
from reader_app.store import accounts
from reader_app.store.records import Actor


def log_in(study: Study, name: str, password: str) -> Actor:
    """Check name and password and return the acting account.

    Raises
    ------
    WrongPassword
        If they do not fit; it is not said which of the two is wrong.
    AccountLocked
        After too many wrong passwords, until a time that the sentence names.
    """
    return accounts.log_in(study.database, name, password)
