"""The amendments of a study as lines of its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from reader_app.operations.amend import all_amendments, value_words
from reader_app.operations.study import Study
from reader_app.report.amendments import AmendmentLine
from reader_app.store.records import Actor

EXCLUSION = "exclusion"


def amendment_lines(
    study: Study,
    actor: Actor,
    *,
    readers: Mapping[int, str],
    visit: Callable[[str, str], str],
    film: Callable[[int], str],
) -> Iterator[AmendmentLine]:
    """Give every amendment, oldest first.

    Parameters
    ----------
    readers
        What readers are called in the report, by account.
    visit, film
        What a visit of a participant, and a radiograph, are called in it.
    """
    for each in all_amendments(study, actor):
        yield AmendmentLine(
            at=each.at,
            reader=readers.get(each.account_id, each.reader),
            participant=each.participant,
            visit=visit(each.participant, each.visit),
            radiograph=film(each.radiograph_id),
            side=each.side.label,
            feature=each.item.feature_id if each.item else EXCLUSION,
            site=each.item.site_id if each.item else None,
            before=value_words(study, each.item, each.before),
            after=value_words(study, each.item, each.after),
            reason=each.reason,
        )
