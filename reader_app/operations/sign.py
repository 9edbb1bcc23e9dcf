"""Signing: what a reader states, when the password is typed for it, and on which screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reader_app.operations.study import Study
from reader_app.reading.design import PasswordPolicy, Signing
from reader_app.settings import software_version
from reader_app.store import accounts, designs
from reader_app.store.proofs import Proof
from reader_app.store.records import Actor
from reader_app.store.signatures import SigningDetails, signing_purpose


@dataclass(frozen=True)
class SigningDemand:
    """What locking a reading asks of its reader.

    Attributes
    ----------
    meaning
        What the signature says; to be shown to who signs.
    password
        Whether the password has to be typed for it.
    """

    meaning: str
    password: bool


def signing_demand(study: Study, *, proven_in_session: bool) -> SigningDemand:
    """Return what locking the next reading asks.

    Parameters
    ----------
    proven_in_session
        Whether the reader has typed the password to sign since the log in.
    """
    signing = signing_in_force(study)
    match signing.password:
        case PasswordPolicy.NEVER:
            asks = False
        case PasswordPolicy.FIRST_OF_SESSION:
            asks = not proven_in_session
        case PasswordPolicy.EACH_LOCK:
            asks = True
    return SigningDemand(signing.meaning, asks)


def signing_in_force(study: Study) -> Signing:
    """Return what locking a reading asks now: it may have been changed since the study was opened."""
    design = designs.in_force(study.database)
    return Signing() if design is None else design.signing


def prove_to_sign(study: Study, actor: Actor, reading_id: int, *, password: str) -> Proof:
    """Check the reader's password for the signature of one reading; slow on purpose.

    Raises
    ------
    WrongPassword
        If it is wrong; wrong ones count as they do at log in.
    AccountLocked
        After too many of them.
    """
    return accounts.prove(study.database, actor, password, purpose=signing_purpose(reading_id))


def signing_details(
    study: Study,
    *,
    meaning: str | None = None,
    proof: Proof | None = None,
    display: Mapping[str, object] | None = None,
) -> SigningDetails:
    """Return what comes with a signature.

    Parameters
    ----------
    meaning
        What the reader was shown; None takes the design's own words.
    """
    return SigningDetails(
        meaning=signing_in_force(study).meaning if meaning is None else meaning,
        software=software_version(),
        proof=proof,
        display=dict(display or {}),
    )
