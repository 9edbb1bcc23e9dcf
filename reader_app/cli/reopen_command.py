"""`reader-app reopen`: a settled grade goes back to the adjudicators, without anybody seeing it."""

from __future__ import annotations

import argparse

from reader_app.cli import people
from reader_app.cli.screen import Screen
from reader_app.cli.study_commands import study_parser
from reader_app.errors import GradeError
from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide

Commands = argparse._SubParsersAction  # argparse has no public name for it
_SIDES = {
    "right": JointSide.RIGHT,
    "left": JointSide.LEFT,
    "unstated": JointSide.UNSTATED,
    "whole": JointSide.WHOLE,
}


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = study_parser(
        commands,
        "reopen",
        _reopen,
        help="send a settled grade back to the adjudicators, or list what is settled",
        epilog='reader-app reopen knees 12 left KL --reason "Settled on the wrong film."\n'
        "  reader-app reopen knees --list\n\n"
        "Neither shows a grade; the journal keeps what was.",
    )
    parser.add_argument(
        "case", metavar="CASE", nargs="?", type=int, help="number of the case, 12 for Case 0012"
    )
    parser.add_argument("side", metavar="SIDE", nargs="?", choices=tuple(_SIDES), help="right or left")
    parser.add_argument("item", metavar="ITEM", nargs="?", help="such as KL, or JSN:medial")
    parser.add_argument("--visit", default="", help="which film, where the item is settled on several")
    parser.add_argument("--reason", default="", help="why; it stands in the journal")
    parser.add_argument("--list", action="store_true", help="list what is settled, without grades")
    parser.add_argument("--json", action="store_true", help="print for programs")
    people.add_who(parser)


def _reopen(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations import reopen

    if arguments.list:
        return _list(arguments, screen)
    if arguments.case is None or arguments.side is None or arguments.item is None:
        raise GradeError(
            "Which settled grade is meant, is not said.",
            "Give case, side and item, as in: reader-app reopen knees 12 left KL --reason TEXT; or --list.",
        )
    with people.study_as(arguments) as (study, actor):
        place = reopen.find_settled(
            study,
            actor,
            case=arguments.case,
            side=_SIDES[arguments.side],
            item=Item.parse(arguments.item),
            visit=arguments.visit,
        )
        reopen.reopen(study, actor, place, reason=arguments.reason)
    screen.line(
        f"{place.title}, {place.side.label.lower()}, {place.item.key} waits for an adjudicator again."
    )
    return 0


def _list(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.reopen import settled_places

    with people.study_as(arguments) as (study, actor):
        found = settled_places(study, actor)
    names = {side: name for name, side in _SIDES.items()}
    if arguments.json:
        screen.json(
            [
                {
                    "case": one.place,
                    "side": names[one.side],
                    "visit": one.visit,
                    "item": one.item.key,
                    "method": one.method.value if one.method else None,
                    "adjudicator": one.adjudicator,
                    "at": one.at,
                }
                for one in found
            ]
        )
        return 0
    if not found:
        screen.line("Nothing is settled yet.")
        return 0
    screen.table(
        ("Case", "Side", "Visit", "Item", "How", "By", "When"),
        [
            (
                str(one.place),
                names[one.side],
                one.visit,
                one.item.key,
                one.method.value if one.method else "needs consensus session",
                one.adjudicator,
                one.at[:19],
            )
            for one in found
        ],
    )
    return 0
