"""`reader-app freeze`, `unfreeze` and `amendments`: when results are final, what was changed once signed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reader_app.cli import people
from reader_app.cli.screen import Screen
from reader_app.cli.study_commands import study_parser

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.reading.change import Exclusion
    from reader_app.store.amendment_records import Amendment

Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    freezing = study_parser(
        commands,
        "freeze",
        _freeze,
        help="freeze a study: no grade can change any more, and its coordinator sees the results",
        epilog='reader-app freeze knees --reason "All readings are locked and settled."\n\n'
        "What is still to be read, settled or confirmed is listed and nothing happens, unless told to go on.",
    )
    freezing.add_argument("--reason", required=True, help="why now; it stands in the journal")
    freezing.add_argument(
        "--although-unfinished", action="store_true", help="go on where something is still to be done"
    )
    people.add_who(freezing)
    unfreezing = study_parser(
        commands,
        "unfreeze",
        _unfreeze,
        help="let a frozen study be read and adjudicated again",
        epilog='reader-app unfreeze knees --reason "Film 12 was read from the wrong side."',
    )
    unfreezing.add_argument("--reason", required=True, help="why; it stands in the journal")
    people.add_who(unfreezing)
    listing = study_parser(
        commands,
        "amendments",
        _amendments,
        help="list what readers changed after they had signed",
        epilog="reader-app amendments knees --as Ada",
    )
    listing.add_argument("--json", action="store_true", help="print for programs")
    people.add_who(listing)


def _freeze(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.freeze import freeze
    from reader_app.operations.study import open_study

    with open_study(arguments.study) as study:
        actor, password = people.log_in_as(study, arguments)
        since = freeze(
            study,
            actor,
            password=password,
            reason=arguments.reason,
            although_unfinished=arguments.although_unfinished,
        )
    screen.line(f"The study is frozen since {since.astimezone():%Y-%m-%d %H:%M}.")
    return 0


def _unfreeze(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.freeze import unfreeze
    from reader_app.operations.study import open_study

    with open_study(arguments.study) as study:
        actor, password = people.log_in_as(study, arguments)
        unfreeze(study, actor, password=password, reason=arguments.reason)
    screen.line("The study can be read and adjudicated again.")
    return 0


def _amendments(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.amend import all_amendments

    with people.study_as(arguments) as (study, actor):
        found = all_amendments(study, actor)
        rows = [_row(study, each) for each in found]
    if arguments.json:
        screen.json([_values(each) for each in found])
        return 0
    if not rows:
        screen.line("Nothing was amended.")
        return 0
    screen.table(
        ("When", "Reader", "Case", "Participant", "Side", "What", "From", "To", "Settled before", "Why"), rows
    )
    if any(each.hidden for each in found):
        screen.line("Grades and reasons are shown once the study is frozen.")
    return 0


def _row(study: Study, each: Amendment) -> tuple[str, ...]:
    from reader_app.operations.amend import value_words

    def words(value: int | Exclusion | None) -> str:
        return "hidden" if each.hidden else value_words(study, each.item, value)

    return (
        each.at[:19],
        each.reader,
        str(each.case_id),
        each.participant,
        each.side.label,
        each.item.key if each.item else "exclusion",
        words(each.before),
        words(each.after),
        "yes" if each.settled else "no",
        "hidden" if each.hidden else each.reason,
    )


def _values(each: Amendment) -> dict[str, object]:
    from reader_app.reading.change import Exclusion

    def plain(value: object) -> object:
        return [value.reason_id, value.note] if isinstance(value, Exclusion) else value

    return {
        "at": each.at,
        "reader": each.reader,
        "case": each.case_id,
        "reading": each.reading_id,
        "participant": each.participant,
        "visit": each.visit,
        "joint": each.joint_id,
        "side": each.side.value,
        "item": each.item.key if each.item else "exclusion",
        "before": plain(each.before),
        "after": plain(each.after),
        "reason": each.reason,
        "settled_before": each.settled,
        "hidden": each.hidden,
    }
