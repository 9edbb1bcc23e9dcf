"""The parser of all commands, and the way from arguments to an exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from reader_app.cli import (
    bundle_commands,
    compare_command,
    design_commands,
    export_command,
    film_commands,
    freeze_commands,
    inspect_commands,
    journal_commands,
    localizer_command,
    model_commands,
    people,
    protocol_commands,
    quality_command,
    reopen_command,
    server_commands,
    study_commands,
)
from reader_app.cli.screen import Screen
from reader_app.settings import software_version

_DESCRIPTION = (
    "Read osteoarthritis radiograph studies: grades, AI pre-grades, adjudication, agreement reports."
)

_EPILOG = f"""\
a study from beginning to end:
  export {people.USER_VARIABLE}="Ada Moreno" {people.PASSWORD_VARIABLE}="a long sentence"
  reader-app init knees --protocol knee-kl --title "Knees 2024" --coordinator "Ada Moreno"
  reader-app accounts knees add Ben --role reader
  reader-app import knees /data/radiographs --manifest /data/radiographs.csv
  reader-app pregrade knees
  reader-app run knees
  reader-app freeze knees --reason "All readings are locked and settled."
  reader-app report knees --out knees-report

{people.HOW_TO_GIVE}
exit codes: 0 done; 1 done, and something was found wrong; 2 a fault with its remedy; 70 a fault of ours.
"""


def run_command(argv: Sequence[str]) -> int:
    """Carry out one command.

    Parameters
    ----------
    argv
        Without the program's name.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    ReaderError
        If something is wrong that the user can do something about.
    """
    parser = make_parser()
    try:
        arguments = parser.parse_args(list(argv))
    except SystemExit as end:  # argparse has said what is wrong, or printed the help
        return end.code if isinstance(end.code, int) else 2
    handler = getattr(arguments, "handler", None)
    if handler is None:
        parser.print_help()
        return 2
    return int(handler(arguments, Screen()))


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="reader-app",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=software_version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_window_commands(commands)
    study_commands.add_to(commands)
    design_commands.add_to(commands)
    server_commands.add_to(commands)
    freeze_commands.add_to(commands)
    reopen_command.add_to(commands)
    export_command.add_to(commands)
    journal_commands.add_to(commands)
    quality_command.add_to(commands)
    inspect_commands.add_to(commands)
    film_commands.add_to(commands)
    protocol_commands.add_to(commands)
    bundle_commands.add_to(commands)
    model_commands.add_to(commands)
    compare_command.add_to(commands)
    localizer_command.add_to(commands)
    return parser


def _add_window_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """For the help only: `__main__` starts these two before a command line is parsed."""
    run = commands.add_parser(
        "run",
        help="open the window",
        description="Open the window, which needs no command line at all.",
        allow_abbrev=False,
    )
    run.add_argument("study", metavar="STUDY", nargs="?", help="study folder to open")
    demo = commands.add_parser(
        "demo",
        help="play the whole job on phantom radiographs",
        description=(
            "Make phantom radiographs and play the whole job on them: import, pre-grade, two readers, "
            "adjudication, report. Screenshots and report end up in the folder that it names."
        ),
        allow_abbrev=False,
    )
    demo.add_argument("further", metavar="...", nargs=argparse.REMAINDER, help="passed to the demo")
