"""`reader-app journal`: the study's history in a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from reader_app.cli import people
from reader_app.cli.screen import Screen
from reader_app.cli.study_commands import study_parser

Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = study_parser(
        commands,
        "journal",
        _journal,
        help="write the journal into a file, one entry a line",
        epilog="reader-app journal knees --to knees-2026-11.jsonl --as Ada\n\n"
        "Keep the file elsewhere: “reader-app verify knees --journal FILE” then proves that nothing\n"
        "before it was written anew. Until the freeze a coordinator's file is without grades.",
    )
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="file to write (JSON lines)")
    people.add_who(parser)


def _journal(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.export_journal import export_journal
    from reader_app.operations.study import open_study

    with open_study(arguments.study) as study:
        actor, _ = people.log_in_as(study, arguments)
        with screen.progress("Writing the journal") as tell:
            number = export_journal(study, actor, arguments.to, progress=tell)
    screen.line(f"{number:,} {'entry' if number == 1 else 'entries'} written to {arguments.to}.")
    return 0
