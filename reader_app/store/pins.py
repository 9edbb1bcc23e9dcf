"""A PIN for one session at one screen: kept as a hash in memory, never stored.

It opens nothing but the covered window of who is logged in already, and only a few times.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from reader_app.errors import AccountError

SHORTEST, LONGEST = 4, 8
TRIES = 3
"""After so many wrong ones in a row only the password helps."""

_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


class SessionPin:
    """A PIN that its person chose for this session.

    Parameters
    ----------
    digits
        4 to 8 of them, not all the same.

    Raises
    ------
    AccountError
        If it will not do.
    """

    def __init__(self, digits: str) -> None:
        if not (SHORTEST <= len(digits) <= LONGEST and digits.isascii() and digits.isdigit()):
            raise AccountError(f"A PIN has {SHORTEST} to {LONGEST} digits.", "Choose another one.")
        if len(set(digits)) == 1:
            raise AccountError("A PIN of one digit over and over is no secret.", "Choose another one.")
        self._hash = _HASHER.hash(digits)
        self._wrong = 0

    @property
    def used_up(self) -> bool:
        """Whether it was wrong too often: it opens nothing any more."""
        return self._wrong >= TRIES

    def opens(self, digits: str) -> bool:
        """Say whether these are the digits; slow on purpose, for a thread of its own."""
        if self.used_up:
            return False
        try:
            # Cut, so that nobody keeps the computer busy.
            _HASHER.verify(self._hash, digits[: LONGEST + 1])
        except VerificationError:
            self._wrong += 1
            return False
        self._wrong = 0
        return True
