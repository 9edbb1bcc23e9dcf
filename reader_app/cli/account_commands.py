"""`reader-app accounts`: who may do what in a study."""

from __future__ import annotations

import argparse
from pathlib import Path

from reader_app.cli import people
from reader_app.cli.screen import Screen
from reader_app.store.records import Role

Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "accounts",
        help="list, add and unlock the people of a study",
        description="List, add and unlock the people of a study. A coordinator does this.",
        epilog=f"{_EXAMPLES}\n{people.HOW_TO_GIVE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("study", metavar="STUDY", type=Path, help="study folder")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="list the accounts")
    listing.add_argument("--json", action="store_true", help="print for programs")
    people.add_who(listing)
    listing.set_defaults(handler=_list)
    add = verbs.add_parser("add", help="add an account")
    add.add_argument("name", metavar="NAME", help="of the new account")
    add.add_argument(
        "--role", choices=[role.value for role in Role], required=True, help="what the account may do"
    )
    people.add_who(add)
    add.set_defaults(handler=_add)
    unlock = verbs.add_parser("unlock", help="let a locked account try again")
    unlock.add_argument("name", metavar="NAME", help="of the account")
    people.add_who(unlock)
    unlock.set_defaults(handler=_unlock)
    password = verbs.add_parser(
        "password", help="change one's own password, or as coordinator give somebody a new one"
    )
    password.add_argument("name", metavar="NAME", help="of the account")
    people.add_who(password)
    password.set_defaults(handler=_password)


_EXAMPLES = f"""\
examples:
  reader-app accounts knees add Ben --role reader --as "Ada Moreno"
  reader-app accounts knees list --as "Ada Moreno"

The new password is asked for on the terminal, or taken from {people.NEW_PASSWORD_VARIABLE}; with
--password-stdin it is the second line.
"""


def _list(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.accounts import list_accounts

    with people.study_as(arguments) as (study, actor):
        accounts = list_accounts(study, actor)
    if arguments.json:
        screen.json(
            [
                {
                    "name": account.name,
                    "role": account.role.value,
                    "active": account.active,
                    "locked_until": account.locked_until,
                }
                for account in accounts
            ]
        )
        return 0
    rows = [
        (account.name, account.role.value, _state(account.active, account.locked_until))
        for account in accounts
    ]
    screen.table(("Name", "Role", "State"), rows)
    return 0


def _state(active: bool, locked_until: str | None) -> str:
    if not active:
        return "closed"
    return f"locked until {locked_until}" if locked_until else "active"


def _add(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.accounts import add_account

    with people.study_as(arguments) as (study, actor):
        password = people.new_password(arguments, arguments.name)
        account = add_account(study, actor, name=arguments.name, password=password, role=Role(arguments.role))
    screen.line(f"Added {account.name} as {account.role.value}.")
    return 0


def _unlock(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.accounts import unlock

    with people.study_as(arguments) as (study, actor):
        unlock(study, actor, arguments.name)
    screen.line(f"{arguments.name} can log in again.")
    return 0


def _password(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.accounts import change_password, reset_password
    from reader_app.operations.study import open_study

    with open_study(arguments.study) as study:
        actor, old = people.log_in_as(study, arguments)
        new = people.new_password(arguments, arguments.name)
        if _same(arguments.name, actor.name):
            change_password(study, actor, old=old, new=new)
        else:
            reset_password(study, actor, arguments.name, password=new)
    screen.line(f"{arguments.name} has a new password.")
    return 0


def _same(one: str, other: str) -> bool:
    """Whether two spellings name one account, as the store sees it."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
