"""Who is acting: a name, and a password that never stands on the command line."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reader_app.errors import AccountError
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study, open_study
from reader_app.store.records import Actor

USER_VARIABLE = "READER_APP_USER"
PASSWORD_VARIABLE = "READER_APP_PASSWORD"
NEW_PASSWORD_VARIABLE = "READER_APP_NEW_PASSWORD"

HOW_TO_GIVE = f"""\
who is acting:
  The account is given with --as NAME or the environment variable {USER_VARIABLE}.
  The password is read from the standard input with --password-stdin, else from the environment
  variable {PASSWORD_VARIABLE}, else asked for on the terminal; never give it as an argument.
"""


def add_who(parser: argparse.ArgumentParser, *, verb: bool = False) -> None:
    """Let a command be told who is acting.

    Parameters
    ----------
    verb
        The parser belongs to a verb of a command that takes the same: what was said before the verb holds
        unless it is said again.
    """
    default = argparse.SUPPRESS if verb else None
    group = parser.add_argument_group("who is acting")
    group.add_argument(
        "--as",
        dest="who",
        metavar="NAME",
        default=default,
        help=f"account; else ${USER_VARIABLE}, else asked",
    )
    add_password_stdin(group, verb=verb)


def add_password_stdin(parser: argparse._ActionsContainer, *, verb: bool = False) -> None:
    """Let a command read passwords from its standard input; `verb` as in `add_who`."""
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        default=argparse.SUPPRESS if verb else False,
        help=f"read the password from the first line of the standard input, not from ${PASSWORD_VARIABLE}",
    )


def is_named(arguments: argparse.Namespace) -> bool:
    """Whether somebody is named to act, without asking."""
    return bool(arguments.who or os.environ.get(USER_VARIABLE))


def log_in_as(study: Study, arguments: argparse.Namespace) -> tuple[Actor, str]:
    """Find out who is acting, ask for the password if need be, and log in.

    Returns
    -------
    (Actor, str)
        Who acts, and the password that proved it.

    Raises
    ------
    AccountError
        If nobody is named or no password can be had; `WrongPassword`, `AccountLocked` from the log-in.
    """
    name = _name(arguments)
    password = given_password(arguments, f"Password of {name}: ")
    return log_in(study, name, password), password


@contextmanager
def study_as(arguments: argparse.Namespace) -> Iterator[tuple[Study, Actor]]:
    """Open the study that the arguments name and log in; raises like `open_study` and `log_in_as`."""
    with open_study(arguments.study) as study:
        actor, _ = log_in_as(study, arguments)
        yield study, actor


def given_password(arguments: argparse.Namespace, prompt: str, *, twice: bool = False) -> str:
    """Return the acting account's password from where the arguments say.

    Raises
    ------
    AccountError
        If there is none and no terminal to ask on.
    """
    if arguments.password_stdin:
        return _line_of_stdin()
    password = os.environ.get(PASSWORD_VARIABLE)
    if password:
        return password
    return _asked(prompt, PASSWORD_VARIABLE, twice=twice)


def new_password(arguments: argparse.Namespace, name: str) -> str:
    """Return the password that an account is to get; with --password-stdin it is the next line."""
    if arguments.password_stdin:
        return _line_of_stdin()
    password = os.environ.get(NEW_PASSWORD_VARIABLE)
    if password:
        return password
    return _asked(f"New password of {name}: ", NEW_PASSWORD_VARIABLE, twice=True)


def _name(arguments: argparse.Namespace) -> str:
    name = arguments.who or os.environ.get(USER_VARIABLE)
    if name:
        return str(name)
    if _can_ask():
        return input("Account: ").strip()
    raise AccountError(
        "Nobody is named who does this.", f"Give --as NAME, or set the environment variable {USER_VARIABLE}."
    )


def _line_of_stdin() -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise AccountError(
            "The standard input gives no password.", "Send it as a line of its own, for example from a file."
        )
    return line


def _asked(prompt: str, variable: str, *, twice: bool) -> str:
    if not _can_ask():
        raise AccountError(
            "No password is given and there is no terminal to ask on.",
            f"Set the environment variable {variable}, or use --password-stdin.",
        )
    password = getpass.getpass(prompt)
    if twice and getpass.getpass("The same again: ") != password:
        raise AccountError("The two passwords differ.", "Type the same password twice.")
    return password


def _can_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
