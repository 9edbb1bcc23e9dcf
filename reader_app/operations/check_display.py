"""Whether a person's screen shows what a film holds: asked as often as the design says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reader_app.operations.sign import signing_in_force
from reader_app.operations.study import Study
from reader_app.reading.design import DisplayPolicy
from reader_app.store import display_checks
from reader_app.store.display_checks import DisplayCheck
from reader_app.store.records import Actor


def display_check_due(study: Study, actor: Actor, *, checked_in_session: bool, screen: str) -> bool:
    """Say whether the acting person has to look at the test pattern before the next film.

    Parameters
    ----------
    checked_in_session
        Whether they have since they logged in, on this screen.
    screen
        Name of the screen that films are shown on: another one has not been checked.
    """
    match signing_in_force(study).display_check:
        case DisplayPolicy.NEVER:
            return False
        case DisplayPolicy.EACH_SESSION:
            return not checked_in_session
        case DisplayPolicy.DAILY:
            last = display_checks.own_last_check(study.database, actor)
            return last is None or last.screen.get("name") != screen or not _today(study, last.at)


def save_display_check(study: Study, actor: Actor, *, passed: bool, screen: Mapping[str, object]) -> None:
    """Keep what the acting person saw of the test pattern."""
    display_checks.save_check(study.database, actor, passed=passed, screen=screen)


def failed_displays(study: Study, actor: Actor) -> tuple[DisplayCheck, ...]:
    """Return the newest check of every person and screen, where not all of the pattern was seen.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator or an auditor.
    """
    newest = {
        (each.account_id, each.screen.get("name")): each
        for each in display_checks.all_checks(study.database, actor)
    }
    return tuple(each for each in newest.values() if not each.passed)


def _today(study: Study, at: str) -> bool:
    # The day of whoever sits at the screen, not of Greenwich.
    return datetime.fromisoformat(at).astimezone().date() == study.database.clock().astimezone().date()
