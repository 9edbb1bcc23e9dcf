"""Opening a settled grade again: the coordinator's verb, which shows and needs no grade."""

from __future__ import annotations

from reader_app.errors import GradeError
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide
from reader_app.store import reopening
from reader_app.store.adjudication_records import SettledPlace
from reader_app.store.records import Actor


def settled_places(study: Study, actor: Actor) -> tuple[SettledPlace, ...]:
    """Return what has been settled, by whom and how, without any grade.

    Raises
    ------
    NotAllowed
        Unless the acting account is coordinator or auditor.
    """
    return reopening.settled_places(study.database, actor)


def find_settled(
    study: Study, actor: Actor, *, case: int, side: JointSide, item: Item, visit: str = ""
) -> SettledPlace:
    """Return the settled item that a person means by the number of the case, the side and the item.

    Parameters
    ----------
    visit
        Where a case has several films of the side; empty where one is settled only.

    Raises
    ------
    GradeError
        If nothing is settled there, or on several visits.
    """
    study.protocol.item_scale(item)
    here = [
        place
        for place in settled_places(study, actor)
        if (place.place, place.side, place.item) == (case, side, item)
        and (not visit or place.visit.casefold() == visit.casefold())
    ]
    if not here:
        raise GradeError(
            f"Nothing is settled on case {case}, {side.label.lower()}, {item.key}"
            + (f", {visit}." if visit else "."),
            "Look at the list of settled items: reader-app reopen STUDY --list.",
        )
    if len(here) > 1:
        visits = ", ".join(place.visit or f"joint {place.joint_id}" for place in here)
        raise GradeError(
            f"{item.key} of case {case} is settled on {len(here)} films: {visits}.", "Say which with --visit."
        )
    return here[0]


def reopen(study: Study, actor: Actor, place: SettledPlace, *, reason: str) -> None:
    """Take a settlement back: the item waits for an adjudicator again, and the journal keeps what was.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator.
    GradeError
        Without a reason, or where nothing is settled any more.
    """
    reopening.reopen(study.database, actor, place.case_id, place.joint_id, place.item, reason=reason)
