"""The proof that a person typed their password just now, which cannot be made by claiming it.

It is a keyed hash (HMAC, RFC 2104) under a key that lives as long as the program, over who, what for, and
the stored password hash: a proof from elsewhere, for something else or from before a change of the
password is worth nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

_KEY = secrets.token_bytes(32)


@dataclass(frozen=True)
class Proof:
    """What `accounts.prove` hands out.

    Attributes
    ----------
    purpose
        What the password was typed for.
    code
        In hexadecimal; says nothing about the password.
    """

    account_id: int
    purpose: str
    code: str


def make_proof(account_id: int, purpose: str, *, password_hash: str) -> Proof:
    """Return the proof of a password that has been checked; for `accounts` alone."""
    return Proof(account_id, purpose, _code(account_id, purpose, password_hash))


def holds(proof: Proof, account_id: int, *, password_hash: str) -> bool:
    """Say whether this program made the proof for the account, which has the same password still."""
    expected = _code(account_id, proof.purpose, password_hash)
    return proof.account_id == account_id and hmac.compare_digest(proof.code, expected)


def _code(account_id: int, purpose: str, password_hash: str) -> str:
    text = f"{account_id}|{password_hash}|{purpose}"
    return hmac.new(_KEY, text.encode(), hashlib.sha256).hexdigest()
