"""Accounts: who they are, how they prove it, what shuts them out.

Passwords are hashed with Argon2id (RFC 9106); the parameters are those of argon2-cffi's
low-memory profile, so that a log in takes a fraction of a second on an office computer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from reader_app.errors import AccountError, AccountLocked, ReaderError, StudyFrozen, WrongPassword
from reader_app.store.access import require
from reader_app.store.database import Database, as_text
from reader_app.store.freeze import frozen_at
from reader_app.store.frozen_words import shown_time
from reader_app.store.journal import append
from reader_app.store.proofs import Proof, make_proof
from reader_app.store.records import Account, Actor, Role
from reader_app.store.tables import account

MIN_PASSWORD = 8
MAX_PASSWORD = 1024
MAX_NAME = 80
WRONG_BEFORE_LOCK = 5
LOCK = timedelta(minutes=15)
WORKS_WHILE_FROZEN = (Role.COORDINATOR, Role.AUDITOR)
"""Who may log in to a frozen study: there is nothing left to read or to adjudicate."""

_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Checked where there is no account, so that this takes as long; made by no password that anyone could find.
_NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5LWhhcy10aGlzLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


def create_first_coordinator(database: Database, name: str, password: str) -> Actor:
    """Make the account with which a new study begins.

    Raises
    ------
    AccountError
        If the study has an account already, or name or password will not do.
    """
    shown, key = _checked_name(name)
    hashed = _hash(password)
    with database.writing() as connection:
        if connection.execute(select(func.count()).select_from(account)).scalar_one():
            raise AccountError("This study has accounts already.", "Log in as coordinator to make more.")
        return _insert(connection, database, None, name=shown, key=key, hashed=hashed, role=Role.COORDINATOR)


def create_account(database: Database, actor: Actor, *, name: str, password: str, role: Role) -> Account:
    """Make an account.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    AccountError
        If the name is taken, or name or password will not do.
    """
    shown, key = _checked_name(name)
    hashed = _hash(password)
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        made = _insert(connection, database, actor, name=shown, key=key, hashed=hashed, role=role)
    return Account(made.account_id, made.name, made.role, active=True, locked_until=None)


def log_in(database: Database, name: str, password: str) -> Actor:
    """Check a password; as much work is done for a name that does not exist.

    Raises
    ------
    WrongPassword
        If name or password is wrong; it does not say which.
    AccountLocked
        From the fifth wrong password in a row on, for 15 minutes, whatever is typed.
    StudyFrozen
        For readers and adjudicators of a frozen study; only said to who knows the password.
    """
    key = _key(name)
    with database.reading() as connection:
        found = connection.execute(select(account).where(account.c.name_key == key)).one_or_none()
    right = _matches(found.password_hash if found else _NOBODYS_HASH, password) and found is not None
    with database.writing() as connection:
        # Asked again: another attempt may have ended meanwhile.
        found = connection.execute(select(account).where(account.c.name_key == key)).one_or_none()
        if found is None:
            failure: ReaderError | None = _wrong()
        else:
            actor = Actor(found.id, found.name, Role(found.role))
            failure = _locked(database, found.locked_until) or (
                None
                if right and found.active
                else _count_wrong(connection, database, actor, before=found.wrong_in_a_row)
            )
            if failure is None:
                _count_right(connection, actor)
                failure = _shut_out(connection, actor)
            if failure is None:
                append(connection, actor, "account.log-in", payload={}, at=database.now())
    # Raised outside the transaction, which has to keep the count.
    if failure is not None:
        raise failure
    return actor


def prove(database: Database, actor: Actor, password: str, *, purpose: str) -> Proof:
    """Check the password of somebody who is logged in already; wrong ones count as they do at log in.

    Parameters
    ----------
    purpose
        What it is typed for; the proof is worth nothing for anything else.

    Raises
    ------
    WrongPassword
        If it is wrong.
    AccountLocked
        From the fifth wrong password in a row on, for 15 minutes, whatever is typed.
    """
    query = select(account).where(account.c.id == actor.account_id)
    with database.reading() as connection:
        require(connection, actor, *Role)
        hashed = connection.execute(query).one().password_hash
    right = _matches(hashed, password)
    with database.writing() as connection:
        require(connection, actor, *Role)
        found = connection.execute(query).one()
        failure: AccountError | None = _locked(database, found.locked_until)
        if failure is None and right:
            _count_right(connection, actor)
        elif failure is None:
            failure = _count_wrong(
                connection, database, actor, before=found.wrong_in_a_row, what="The password is wrong."
            )
    # Raised outside the transaction, which has to keep the count.
    if failure is not None:
        raise failure
    return make_proof(actor.account_id, purpose, password_hash=hashed)


def list_accounts(database: Database, actor: Actor) -> tuple[Account, ...]:
    """Return all accounts, for the coordinator and the auditor."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        rows = connection.execute(select(account).order_by(account.c.id)).all()
    now = database.now()
    return tuple(
        Account(
            row.id,
            row.name,
            Role(row.role),
            active=row.active,
            locked_until=row.locked_until if row.locked_until and row.locked_until > now else None,
        )
        for row in rows
    )


def unlock_account(database: Database, actor: Actor, name: str) -> None:
    """Let an account try again before its time is over; for the coordinator."""
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        account_id = _named(connection, name)
        connection.execute(
            update(account).where(account.c.id == account_id).values(wrong_in_a_row=0, locked_until=None)
        )
        append(connection, actor, "account.unlock", payload={"account": account_id}, at=database.now())


def close_account(database: Database, actor: Actor, name: str) -> None:
    """Shut an account for good; what it did stays. For the coordinator, who cannot close their own.

    Raises
    ------
    AccountError
        If there is no such account, or it is the actor's own.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        account_id = _named(connection, name)
        if account_id == actor.account_id:
            raise AccountError("You cannot close your own account.", "Ask another coordinator.")
        connection.execute(update(account).where(account.c.id == account_id).values(active=False))
        append(connection, actor, "account.close", payload={"account": account_id}, at=database.now())


def change_password(database: Database, actor: Actor, *, old: str, new: str) -> None:
    """Change one's own password.

    Raises
    ------
    WrongPassword
        If the old one is wrong.
    AccountError
        If the new one will not do.
    """
    hashed = _hash(new)
    with database.reading() as connection:
        require(connection, actor, *Role)
        stored = connection.execute(
            select(account.c.password_hash).where(account.c.id == actor.account_id)
        ).scalar_one()
    if not _matches(stored, old):
        raise WrongPassword(
            "The old password is wrong.", "Type it again, or ask the coordinator for a new one."
        )
    _store_password(database, actor, account_id=actor.account_id, hashed=hashed)


def reset_password(database: Database, actor: Actor, name: str, *, password: str) -> None:
    """Give somebody a new password and unlock the account; for the coordinator."""
    hashed = _hash(password)
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR)
        account_id = _named(connection, name)
    _store_password(database, actor, account_id=account_id, hashed=hashed)


def _store_password(database: Database, actor: Actor, *, account_id: int, hashed: str) -> None:
    with database.writing() as connection:
        require(connection, actor, *(Role if account_id == actor.account_id else (Role.COORDINATOR,)))
        connection.execute(
            update(account)
            .where(account.c.id == account_id)
            .values(password_hash=hashed, wrong_in_a_row=0, locked_until=None)
        )
        append(connection, actor, "account.password", payload={"account": account_id}, at=database.now())


def _insert(
    connection: Connection,
    database: Database,
    actor: Actor | None,
    *,
    name: str,
    key: str,
    hashed: str,
    role: Role,
) -> Actor:
    try:
        made = connection.execute(
            insert(account).values(
                name=name,
                name_key=key,
                role=role.value,
                password_hash=hashed,
                active=True,
                wrong_in_a_row=0,
                locked_until=None,
                created_at=database.now(),
            )
        ).inserted_primary_key
    except IntegrityError as error:
        raise AccountError(f"There is an account named “{name}” already.", "Choose another name.") from error
    account_id = int(made[0]) if made else 0
    payload = {"account": account_id, "name": name, "role": role.value}
    append(connection, actor, "account.create", payload=payload, at=database.now())
    return Actor(account_id, name, role)


def _count_right(connection: Connection, actor: Actor) -> None:
    connection.execute(
        update(account).where(account.c.id == actor.account_id).values(wrong_in_a_row=0, locked_until=None)
    )


def _shut_out(connection: Connection, actor: Actor) -> StudyFrozen | None:
    since = frozen_at(connection)
    if since is None or actor.role in WORKS_WHILE_FROZEN:
        return None
    return StudyFrozen(
        f"The study has been frozen since {shown_time(since)}: nothing is left to read or to adjudicate.",
        "Ask the coordinator, who can unfreeze it with a reason.",
    )


def _count_wrong(
    connection: Connection,
    database: Database,
    actor: Actor,
    *,
    before: int,
    what: str = "Name or password is wrong.",
) -> AccountError:
    wrong = before + 1
    if wrong < WRONG_BEFORE_LOCK:
        connection.execute(
            update(account).where(account.c.id == actor.account_id).values(wrong_in_a_row=wrong)
        )
        return _wrong(what)
    until = as_text(database.clock() + LOCK)
    # The count starts anew, so that once the time is over there are five attempts again.
    connection.execute(
        update(account).where(account.c.id == actor.account_id).values(wrong_in_a_row=0, locked_until=until)
    )
    append(connection, actor, "account.lock", payload={"until": until}, at=database.now())
    return _locked(database, until) or _wrong(what)


def _locked(database: Database, until: str | None) -> AccountLocked | None:
    if until is None or until <= database.now():
        return None
    local = datetime.fromisoformat(until).astimezone()
    return AccountLocked(
        f"This account is locked until {local:%H:%M} after {WRONG_BEFORE_LOCK} wrong passwords in a row.",
        "Wait until then, or ask the coordinator to unlock it.",
    )


def _wrong(what: str = "Name or password is wrong.") -> WrongPassword:
    return WrongPassword(what, "Type it again; capitals matter in the password.")


def _named(connection: Connection, name: str) -> int:
    found = connection.execute(
        select(account.c.id).where(account.c.name_key == _key(name))
    ).scalar_one_or_none()
    if found is None:
        raise AccountError(
            f"There is no account named “{name}”.", "Look the name up in the list of accounts."
        )
    return int(found)


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()


def _checked_name(name: str) -> tuple[str, str]:
    shown = " ".join(name.split())
    if not shown or len(shown) > MAX_NAME or not shown.isprintable():
        raise AccountError(
            "The name of an account needs 1 to 80 printable characters.", "Choose another name."
        )
    return shown, _key(shown)


def _hash(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise AccountError(
            f"The password has fewer than {MIN_PASSWORD} characters.",
            "Choose a longer one; a sentence is best.",
        )
    if len(password) > MAX_PASSWORD:
        raise AccountError(f"The password has more than {MAX_PASSWORD} characters.", "Choose a shorter one.")
    return _HASHER.hash(password)


def _matches(hashed: str, password: str) -> bool:
    try:
        # Cut, so that nobody keeps the computer busy with a password of a gigabyte.
        return _HASHER.verify(hashed, password[: MAX_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False
