"""Signing a reading: what the reader states, and the password where the design asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from reader_app.errors import GradeError, PasswordNeeded, StudyDamaged
from reader_app.reading.design import PasswordPolicy, ReadingDesign, Signing
from reader_app.store.canonical import canonical
from reader_app.store.proofs import Proof, holds
from reader_app.store.records import Actor
from reader_app.store.rows import AnyRow
from reader_app.store.tables import account, design, display_check, signature

SIGNING = "sign reading "
"""What a password is typed for when a reading is signed, followed by the number of the reading."""

_DESIGN = select(design.c.content, design.c.sha256).order_by(design.c.id.desc()).limit(1)


@dataclass(frozen=True)
class SigningDetails:
    """What comes with a signature.

    Attributes
    ----------
    meaning
        What the reader was shown as the meaning of the signature.
    software
        Name and version of the program.
    proof
        Of the password, for `signing_purpose`; None where it was not typed.
    display
        The screen that the films were on; values that JSON has.
    """

    meaning: str
    software: str
    proof: Proof | None = None
    display: Mapping[str, object] = field(default_factory=dict)


def signing_purpose(reading_id: int) -> str:
    """Return what the password must be typed for to sign a reading."""
    return f"{SIGNING}{reading_id}"


def write_signature(
    connection: Connection,
    actor: Actor,
    row: AnyRow,
    details: SigningDetails,
    *,
    content_sha256: str,
    at: str,
) -> dict[str, object]:
    """Write the signature of a reading, in the transaction that locks it.

    Parameters
    ----------
    row
        The reading: its id and the hashes that it was opened with.

    Returns
    -------
    dict
        What the journal has to tell of it.

    Raises
    ------
    PasswordNeeded
        If the design asks for the password and it was not typed.
    GradeError
        If the reader was shown another meaning than the design's.
    """
    signing, design_sha256 = signing_in_force(connection, row)
    if details.meaning != signing.meaning:
        raise GradeError(
            "What a signature means in this study was changed while this case was open.",
            "Read the new sentence and lock the case again.",
        )
    told: dict[str, object] = {
        "meaning": signing.meaning,
        "password_asked": _password_asked(connection, actor, row.id, details, policy=signing.password),
        "display": {**details.display, "check": last_check(connection, actor)},
        "protocol_sha256": row.protocol_sha256,
        "design_sha256": design_sha256,
    }
    connection.execute(
        insert(signature).values(
            reading_id=row.id,
            account_id=actor.account_id,
            meaning=told["meaning"],
            at=at,
            software=details.software,
            protocol_sha256=told["protocol_sha256"],
            design_sha256=told["design_sha256"],
            content_sha256=content_sha256,
            password_asked=told["password_asked"],
            display_json=canonical(told["display"]),
        )
    )
    return told


def last_check(connection: Connection, actor: Actor) -> dict[str, object] | None:
    """Return when the actor last looked at the test pattern and whether all was seen; None for never."""
    found = connection.execute(
        select(display_check.c.at, display_check.c.passed)
        .where(display_check.c.account_id == actor.account_id)
        .order_by(display_check.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else {"at": found.at, "passed": bool(found.passed)}


def signing_in_force(connection: Connection, row: AnyRow) -> tuple[Signing, str]:
    """Return what signing a reading asks now, and the hash of the design that says so."""
    found = connection.execute(_DESIGN).one_or_none()
    if found is None:
        # A study from before designs were kept: its readings carry the hash of what it was read under.
        return Signing(), row.design_sha256
    try:
        return ReadingDesign.from_canonical(found.content).signing, found.sha256
    except ValueError as fault:
        raise StudyDamaged(
            "The reading design in the study's database cannot be read.",
            "Restore the newest file from the folder backups.",
        ) from fault


def proven_for(connection: Connection, actor: Actor, reading_id: int, proof: Proof | None) -> bool:
    """Say whether the actor's password was typed for this very reading."""
    return (
        _proven(connection, actor, proof)
        and proof is not None
        and (proof.purpose == signing_purpose(reading_id))
    )


def _proven(connection: Connection, actor: Actor, proof: Proof | None) -> bool:
    """Say whether the actor's password was typed to sign some reading since the program started."""
    if proof is None or not proof.purpose.startswith(SIGNING):
        return False
    stored = connection.execute(
        select(account.c.password_hash).where(account.c.id == actor.account_id)
    ).scalar_one()
    return holds(proof, actor.account_id, password_hash=stored)


def _password_asked(
    connection: Connection,
    actor: Actor,
    reading_id: int,
    details: SigningDetails,
    *,
    policy: PasswordPolicy,
) -> bool:
    """Say whether the password was typed for this very signature; raise where it had to be."""
    here = proven_for(connection, actor, reading_id, details.proof)
    if (policy is PasswordPolicy.EACH_LOCK and not here) or (
        policy is PasswordPolicy.FIRST_OF_SESSION and not _proven(connection, actor, details.proof)
    ):
        raise PasswordNeeded(
            "This study asks for your password to sign a reading.", "Type it and lock the case again."
        )
    return here
