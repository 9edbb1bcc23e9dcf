"""`reader-app protocols`: what can be graded, and whether a file of one's own is right."""

from __future__ import annotations

import argparse
from pathlib import Path

from reader_app.cli.screen import Screen

Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "protocols",
        help="list, show and check reading protocols",
        description="Protocols say what is graded, on which scale, and how disagreements are settled.",
        epilog="example:\n  reader-app protocols check my-protocol.toml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="list the protocols that come with the software")
    listing.add_argument("--json", action="store_true", help="print for programs")
    listing.set_defaults(handler=_list)
    show = verbs.add_parser("show", help="show one protocol in full")
    show.add_argument("protocol", metavar="ID|FILE", help="id of a protocol, or a protocol file")
    show.set_defaults(handler=_show)
    check = verbs.add_parser("check", help="check a protocol file; tells everything that is wrong with it")
    check.add_argument("file", metavar="FILE", type=Path, help="protocol file (TOML)")
    check.set_defaults(handler=_check)


def _list(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.protocols.describe import PROTOCOL_COLUMNS, protocol_table

    rows = protocol_table()
    if arguments.json:
        screen.json([dict(zip(PROTOCOL_COLUMNS, row, strict=True)) for row in rows])
    else:
        # Where the file lies is long, and `show` has it all.
        screen.table(PROTOCOL_COLUMNS[:-1], [row[:-1] for row in rows])
    return 0


def _show(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.protocols.describe import protocol_text
    from reader_app.protocols.loader import find_protocol, load_protocol

    path = Path(arguments.protocol).expanduser()
    is_file = path.suffix == ".toml" or path.is_file()
    protocol = load_protocol(path) if is_file else find_protocol(arguments.protocol)
    screen.line(protocol_text(protocol).rstrip("\n"))
    return 0


def _check(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.protocols.loader import load_protocol

    protocol = load_protocol(arguments.file.expanduser())
    items = len(protocol.items)
    screen.line(
        f"{arguments.file} is a valid protocol: {protocol.id} {protocol.version}, “{protocol.title}”, "
        f"{items} grade{'s' if items != 1 else ''} a {protocol.joint}, SHA-256 {protocol.sha256}."
    )
    return 0
