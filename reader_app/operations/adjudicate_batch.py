"""Settling small differences together: a list with a proposal each, confirmed at once, stored one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reader_app.errors import NotAllowed
from reader_app.operations.adjudicate import settle_item
from reader_app.operations.study import Study
from reader_app.reading.consensus import trivial_proposal
from reader_app.store.adjudication_records import Disagreement
from reader_app.store.records import Actor


@dataclass(frozen=True)
class Proposal:
    """An open disagreement with the grade that is proposed for it."""

    disagreement: Disagreement
    code: int


def proposals(study: Study, queue: Sequence[Disagreement]) -> tuple[Proposal, ...]:
    """Return the small differences of a queue: one grade apart, on the same side of every cut.

    Raises
    ------
    NotAllowed
        Where the design wants the adjudicator to grade before seeing what the readers gave.
    """
    if study.design.adjudication.third_blind:
        raise NotAllowed(
            "In this study the adjudicator grades each joint before seeing the readers' grades.",
            "Settle them one by one.",
        )
    found: list[Proposal] = []
    for one in queue:
        if one.settled is not None or one.together or one.rejected:
            continue
        code = trivial_proposal(study.protocol, study.design, one.item, [given for _, given in one.grades])
        if code is not None:
            found.append(Proposal(one, code))
    return tuple(found)


def settle_batch(
    study: Study,
    actor: Actor,
    chosen: Sequence[Proposal],
    *,
    progress: Callable[[int], None] | None = None,
) -> tuple[Disagreement, ...]:
    """Settle the chosen ones with their proposals, each by itself, with how it came about as rationale.

    Parameters
    ----------
    progress
        Called after each with how many are stored.

    Returns
    -------
    tuple of Disagreement
        As they stand afterwards.

    Raises
    ------
    NotAllowed
        Where the design wants the third grade first.
    GradeError
        If one has been settled or changed meanwhile; those before it are stored.
    """
    allowed = {one.disagreement.at for one in proposals(study, [each.disagreement for each in chosen])}
    if len(allowed) != len(chosen):
        raise NotAllowed(
            "Only open differences of one grade that cross no cut are settled together.",
            "Settle the others one by one.",
        )
    after: list[Disagreement] = []
    words = f"Confirmed in a batch of {len(chosen)}: the worse of two neighbouring grades."
    for number, one in enumerate(chosen, start=1):
        after.append(settle_item(study, actor, one.disagreement, code=one.code, rationale=words))
        if progress is not None:
            progress(number)
    return tuple(after)
