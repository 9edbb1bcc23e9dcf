"""``reader-app export``: the consensus as a table, and the flow of the study as a drawing."""

from __future__ import annotations

import argparse
from pathlib import Path

from reader_app.cli import people
from reader_app.cli.screen import Screen
from reader_app.cli.study_commands import study_parser
from reader_app.cli.study_results import counted

CONSENSUS, FLOW = "consensus", "flow"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = study_parser(
        commands,
        "export",
        _export,
        help="write the consensus as CSV or JSON, or the flow of the study as SVG",
        epilog="reader-app export knees consensus --to consensus.csv\n"
        "reader-app export knees flow --to flow.svg\n\n"
        "The consensus has a row for each joint and feature with every reading, the final grade and how it "
        "came about;\nexclusions and what is not graded stand in it too. Participants keep their pseudonyms.",
    )
    parser.add_argument("what", choices=(CONSENSUS, FLOW), help="what to write")
    parser.add_argument("--to", metavar="FILE", type=Path, required=True, help="file to write")
    parser.add_argument("--names", action="store_true", help="name readers instead of numbering them")
    people.add_who(parser)


def _export(arguments: argparse.Namespace, screen: Screen) -> int:
    with people.study_as(arguments) as (study, actor):
        if arguments.what == CONSENSUS:
            from reader_app.operations.export_consensus import export_consensus

            rows = export_consensus(study, actor, arguments.to, names=arguments.names)
            screen.line(f"{counted(rows, 'row')} written to {arguments.to}.")
        else:
            from reader_app.operations.flow import export_flow

            flow = export_flow(study, actor, arguments.to)
            screen.line(
                f"{counted(flow.imported.joints, 'joint')} imported, {flow.complete.joints} read by all "
                f"their readers, {flow.final.joints} with all final grades: drawn in {arguments.to}."
            )
    return 0
