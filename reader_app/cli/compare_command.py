"""`reader-app compare-bundles`: how far two bundles agree that pre-graded the same study."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.cli import people
from reader_app.cli.screen import Screen
from reader_app.cli.study_results import counted, figure

if TYPE_CHECKING:
    from reader_app.operations.compare_bundles import BundleComparison, ItemAgreement, JointDifference

Commands = argparse._SubParsersAction  # argparse has no public name for it
SHOWN = 20
"""Differing joints that are printed; JSON has more."""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "compare-bundles",
        help="hold two bundles that pre-graded the same study against each other",
        description=(
            "Show how far two bundles agree, item by item, and the joints on which they differ most. "
            "For coordinators and auditors, at any time: no reader's grade is looked at."
        ),
        epilog=f"{_EXAMPLES}\n{people.HOW_TO_GIVE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("study", metavar="STUDY", type=Path, help="study folder")
    parser.add_argument(
        "first", metavar="A", help="a bundle: ID, ID@VERSION, or the beginning of its SHA-256"
    )
    parser.add_argument("second", metavar="B", help="another one")
    parser.add_argument("--json", action="store_true", help="print for programs")
    people.add_who(parser)
    parser.set_defaults(handler=_compare)


_EXAMPLES = """\
examples:
  reader-app compare-bundles knees knee-kl@1.0.0 knee-kl@1.1.0 --as "Ada Moreno"
"""


def _compare(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.compare_bundles import compare_bundles, comparison_values

    with people.study_as(arguments) as (study, actor):
        found = compare_bundles(study, actor, arguments.first, arguments.second)
    if arguments.json:
        screen.json(comparison_values(found))
    else:
        _show(found, screen)
    return 0


def _show(found: BundleComparison, screen: Screen) -> None:
    from reader_app.operations.compare_bundles import title

    names = title(found.first), title(found.second)
    screen.line(f"{names[0]} against {names[1]} on {counted(found.joints, 'joint')}")
    screen.line()
    screen.table(
        ("Item", "Joints", "Quadratic kappa", "Same grade", "At most one off", "Mean shift"),
        [_item_row(each) for each in found.items],
        title="Values with 95 % intervals, clustered by participant",
    )
    screen.line()
    if not found.differing:
        screen.line("Both gave the same grade everywhere.")
        return
    shown = found.differing[:SHOWN]
    screen.table(
        ("Participant", "Visit", "Side", "Item", *names),
        [_joint_row(each) for each in shown],
        title=f"{counted(found.different, 'grade')} of both differ; furthest apart (expected grade):",
    )
    if found.different > len(shown):
        screen.line(f"and {found.different - len(shown)} more")


def _item_row(each: ItemAgreement) -> tuple[str, ...]:
    values = (figure(each.kappa_quadratic), figure(each.same), figure(each.within_one))
    return each.item.key, str(each.joints), *values, f"{each.shift:+z.2f}"


def _joint_row(each: JointDifference) -> tuple[str, ...]:
    place = each.place
    return (
        place.participant,
        place.visit,
        place.side.label,
        each.item.key,
        f"{each.first} ({each.first_expected:.2f})",
        f"{each.second} ({each.second_expected:.2f})",
    )
