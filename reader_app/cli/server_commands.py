"""The command that takes a study to a database server."""

from __future__ import annotations

import argparse

from reader_app.cli import people
from reader_app.cli.screen import Screen
from reader_app.cli.study_commands import Commands, study_parser


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = study_parser(
        commands,
        "move",
        _move,
        help="take a study from its own file to a PostgreSQL server, for readers on several computers",
        epilog="reader-app move knees --to postgresql://reader@db.example/knees\n\n"
        "The database must be there and empty. The password belongs into ~/.pgpass or PGPASSWORD.",
    )
    parser.add_argument("--to", metavar="URL", required=True, help="postgresql://user@host:port/database")
    people.add_who(parser)


def _move(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.move import move_to_server

    with people.study_as(arguments) as (study, actor):
        report = move_to_server(study, actor, arguments.to)
    moved = report.moved
    screen.line(
        f"Moved {moved.films} films, {moved.grades} grades and {moved.entries - 1} journal entries to "
        f"{moved.address}; the copy is the same."
    )
    screen.line(f"The study as it was before is in {report.backup}.")
    for note in report.notes:
        screen.line(note)
    return 0
