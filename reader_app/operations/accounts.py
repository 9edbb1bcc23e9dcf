"""The people of a study."""

from __future__ import annotations

from reader_app.operations.assign import assign_all
from reader_app.operations.study import Study
from reader_app.store import accounts as stored
from reader_app.store.records import Account, Actor, Role


def add_account(study: Study, actor: Actor, *, name: str, password: str, role: Role) -> Account:
    """Add a person; a reader gets a worklist at once.

    Raises
    ------
    AccountError
        If the name is taken, or name or password will not do.
    NotAllowed
        If the acting account is no coordinator.
    """
    account = stored.create_account(study.database, actor, name=name, password=password, role=role)
    if role is Role.READER:
        assign_all(study, actor)
    return account


def list_accounts(study: Study, actor: Actor) -> tuple[Account, ...]:
    """Return the people of the study; coordinators and auditors only."""
    return stored.list_accounts(study.database, actor)


def unlock(study: Study, actor: Actor, name: str) -> None:
    """Let a locked account try again; coordinators only."""
    stored.unlock_account(study.database, actor, name)


def change_password(study: Study, actor: Actor, *, old: str, new: str) -> None:
    """Change one's own password.

    Raises
    ------
    WrongPassword
        If the old one is wrong.
    AccountError
        If the new one will not do.
    """
    stored.change_password(study.database, actor, old=old, new=new)


def reset_password(study: Study, actor: Actor, name: str, *, password: str) -> None:
    """Give somebody a new password and unlock the account; coordinators only.

    Raises
    ------
    AccountError
        If there is no such account, or the password will not do.
    """
    stored.reset_password(study.database, actor, name, password=password)
