"""Participant identifiers are replaced at the door of a study.

A pseudonym is a keyed hash of the identifier, so that a later import finds the same participant
without any list of identifiers being kept. The key lies in a file of its own in the study folder.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from reader_app.errors import StudyDamaged, StudyError

KEY_FILE = "pseudonyms.key"
_KEY_BYTES = 32
_LETTERS = 8


@dataclass(frozen=True)
class Pseudonyms:
    """Makes pseudonyms with the key of one study."""

    key: bytes

    def of(self, identifier: str) -> str:
        """Return the pseudonym of a participant: the same for the same identifier, always."""
        digest = hmac.digest(self.key, identifier.strip().encode("utf-8", "replace"), "sha256")
        return "P-" + base64.b32encode(digest).decode("ascii")[:_LETTERS]


def pseudonyms_of(folder: Path, *, may_make: bool) -> Pseudonyms:
    """Read the key of a study; make it where the study has none yet.

    Parameters
    ----------
    may_make
        Whether the study is still empty. With participants in it, a missing key is a loss.

    Raises
    ------
    StudyDamaged
        If the key is gone though participants were imported with it, or is no key.
    StudyError
        If it cannot be read or written.
    """
    path = folder / KEY_FILE
    try:
        if path.exists():
            key = bytes.fromhex(path.read_text(encoding="ascii").strip())
        elif may_make:
            key = secrets.token_bytes(_KEY_BYTES)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(key.hex())
        else:
            raise StudyDamaged(
                f"{path} is gone, so that new films cannot be matched with known participants.",
                "Restore it from a backup of the study folder.",
            )
    except OSError as fault:
        raise StudyError(
            f"{path} cannot be used: {fault.strerror or fault}.", "Check the rights on the study folder."
        ) from fault
    except ValueError as fault:
        raise StudyDamaged(f"{path} is damaged.", "Restore it from a backup of the study folder.") from fault
    if len(key) != _KEY_BYTES:
        raise StudyDamaged(f"{path} is damaged.", "Restore it from a backup of the study folder.")
    return Pseudonyms(key)
