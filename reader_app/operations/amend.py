"""Amending a locked reading: what is changed after the signature, why, and what becomes of it."""

from __future__ import annotations

from reader_app.errors import GradeError
from reader_app.operations.sign import prove_to_sign, signing_in_force
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.change import Exclusion
from reader_app.reading.design import PasswordPolicy
from reader_app.store import amendments
from reader_app.store.amendment_records import Amendment, OwnAmendment
from reader_app.store.records import Actor

SETTLEMENT_STANDS = (
    "Should it have been adjudicated already, the final grade stands until the coordinator re-opens it."
)
"""Said after every amendment: whether it was adjudicated, a reader is not told."""


def amend(
    study: Study,
    actor: Actor,
    reading_id: int,
    joint_id: int,
    item: Item | None,
    *,
    after: int | Exclusion | None,
    reason: str,
    password: str = "",
) -> OwnAmendment:
    """Amend one grade, or the exclusion of one joint (item None), of an own locked reading.

    Parameters
    ----------
    after
        The grade's code; or the exclusion, None to take it back.
    password
        Needed where the design asks for one to sign.

    Raises
    ------
    GradeError
        If the protocol does not admit it, the reading is not locked, or the reason is missing.
    NotAllowed
        If the reading is not the actor's own.
    WrongPassword, AccountLocked, PasswordNeeded
        If the design asks for the password and it is wrong or missing.
    StudyFrozen
        If the study is frozen.
    """
    if item is not None and isinstance(after, int):
        study.protocol.item_scale(item).level(after)
    if isinstance(after, Exclusion) and after.reason_id not in {
        known.id for known in study.protocol.exclusion_reasons
    }:
        raise GradeError(
            f"The protocol has no exclusion reason “{after.reason_id}”.", "Choose one of its list."
        )
    if not reason.strip():
        # Before the password: checking that takes a while.
        raise GradeError("An amendment needs a reason.", "Say in a few words why it is changed.")
    asks = signing_in_force(study).password is not PasswordPolicy.NEVER
    proof = prove_to_sign(study, actor, reading_id, password=password) if asks and password else None
    return amendments.amend(
        study.database, actor, reading_id, joint_id, item, after=after, reason=reason, proof=proof
    )


def own_amendments(study: Study, actor: Actor, reading_id: int) -> tuple[OwnAmendment, ...]:
    """Return what the acting reader amended in an own reading, oldest first."""
    return amendments.own_amendments(study.database, actor, reading_id)


def all_amendments(study: Study, actor: Actor) -> tuple[Amendment, ...]:
    """Return every amendment, oldest first.

    Before the freeze a coordinator learns who amended what and when, but neither grades nor reasons.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator or an auditor.
    """
    return amendments.all_amendments(study.database, actor)


def value_words(study: Study, item: Item | None, value: int | Exclusion | None) -> str:
    """Return a grade, or an exclusion, as a table shows it."""
    if isinstance(value, Exclusion):
        titles = {reason.id: reason.title for reason in study.protocol.exclusion_reasons}
        title = titles.get(value.reason_id, value.reason_id)
        return f"excluded: {title}, {value.note}" if value.note else f"excluded: {title}"
    if value is None:
        return "not graded" if item is not None else "not excluded"
    return str(value)
