"""Coming back to a window that covered itself: the same person's password, or the PIN of the session."""

from __future__ import annotations

from reader_app.errors import WrongPassword
from reader_app.operations.study import Study
from reader_app.store import accounts
from reader_app.store.pins import SessionPin
from reader_app.store.records import Actor

UNLOCKING = "unlock the window"


def choose_pin(digits: str) -> SessionPin:
    """Return a PIN for this session; slow on purpose.

    Raises
    ------
    AccountError
        If it will not do.
    """
    return SessionPin(digits)


def unlock(study: Study, actor: Actor, secret: str, *, pin: SessionPin | None) -> None:
    """Check password or PIN of the person who is logged in; slow on purpose.

    Parameters
    ----------
    pin
        The session's PIN, in place of the password; None asks for the password.

    Raises
    ------
    WrongPassword
        If it is wrong; a wrong password counts as at log in.
    AccountLocked
        After too many wrong passwords.
    NotAllowed
        If the account was closed meanwhile.
    """
    if pin is None or pin.used_up:
        accounts.prove(study.database, actor, secret, purpose=UNLOCKING)
    elif not pin.opens(secret):
        if pin.used_up:
            raise WrongPassword("The PIN was wrong three times.", "Type your password.")
        raise WrongPassword("The PIN is wrong.", "Type it again.")
