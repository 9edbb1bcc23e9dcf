"""Accounts: passwords, the lock after five wrong ones, and roles."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reader_app.errors import AccountError, AccountLocked, NotAllowed, WrongPassword
from reader_app.store import accounts, journal
from reader_app.store.database import open_database
from reader_app.store.records import Actor, Role
from tests.store.conftest import PASSWORD, Study, StudyClock


def wrong(study: Study, times: int, name: str = "Rita") -> None:
    for _ in range(times):
        with pytest.raises(WrongPassword):
            accounts.log_in(study.db, name, "not the password")


def test_the_right_password_gives_the_actor(study: Study) -> None:
    actor = accounts.log_in(study.db, "  rita ", PASSWORD)
    assert (actor.name, actor.role) == ("Rita", Role.READER)


def test_wrong_name_and_wrong_password_say_the_same(study: Study) -> None:
    with pytest.raises(WrongPassword) as wrong_password:
        accounts.log_in(study.db, "Rita", "not the password")
    with pytest.raises(WrongPassword) as wrong_name:
        accounts.log_in(study.db, "Nobody", PASSWORD)
    assert str(wrong_password.value) == str(wrong_name.value)


def test_five_wrong_passwords_lock_for_fifteen_minutes(study: Study, clock: StudyClock) -> None:
    wrong(study, 4)
    with pytest.raises(AccountLocked, match=r"until \d\d:\d\d"):
        accounts.log_in(study.db, "Rita", "not the password")
    with pytest.raises(AccountLocked):
        accounts.log_in(study.db, "Rita", PASSWORD)
    clock.pass_by(timedelta(minutes=14, seconds=59))
    with pytest.raises(AccountLocked):
        accounts.log_in(study.db, "Rita", PASSWORD)
    clock.pass_by(timedelta(seconds=1))
    assert accounts.log_in(study.db, "Rita", PASSWORD).name == "Rita"


def test_after_the_lock_there_are_five_attempts_again(study: Study, clock: StudyClock) -> None:
    wrong(study, 4)
    with pytest.raises(AccountLocked):
        accounts.log_in(study.db, "Rita", "not the password")
    clock.pass_by(accounts.LOCK)
    wrong(study, 4)
    with pytest.raises(AccountLocked):
        accounts.log_in(study.db, "Rita", "not the password")


def test_a_right_password_starts_the_count_anew(study: Study) -> None:
    wrong(study, 4)
    accounts.log_in(study.db, "Rita", PASSWORD)
    wrong(study, 4)
    assert accounts.log_in(study.db, "Rita", PASSWORD).name == "Rita"


def test_the_count_of_one_account_does_not_lock_another(study: Study) -> None:
    wrong(study, 4)
    with pytest.raises(AccountLocked):
        accounts.log_in(study.db, "Rita", "not the password")
    assert accounts.log_in(study.db, "Rolf", PASSWORD).name == "Rolf"


def test_the_coordinator_sees_and_ends_a_lock(study: Study) -> None:
    wrong(study, 4)
    with pytest.raises(AccountLocked):
        accounts.log_in(study.db, "Rita", "not the password")
    locked = {each.name for each in accounts.list_accounts(study.db, study.coordinator) if each.locked_until}
    assert locked == {"Rita"}
    accounts.unlock_account(study.db, study.coordinator, "rita")
    assert accounts.log_in(study.db, "Rita", PASSWORD).name == "Rita"


@pytest.mark.parametrize("password", ["", "seven77", "x" * 1025])
def test_passwords_that_will_not_do(study: Study, password: str) -> None:
    with pytest.raises(AccountError, match="characters"):
        accounts.create_account(study.db, study.coordinator, name="New", password=password, role=Role.READER)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b", "a\u202eb"])
def test_names_that_will_not_do(study: Study, name: str) -> None:
    with pytest.raises(AccountError, match="printable"):
        accounts.create_account(study.db, study.coordinator, name=name, password=PASSWORD, role=Role.READER)


@pytest.mark.parametrize("name", ["Rita", "RITA", " rita  "])
def test_a_name_is_given_once_whatever_its_capitals(study: Study, name: str) -> None:
    with pytest.raises(AccountError, match="already"):
        accounts.create_account(study.db, study.coordinator, name=name, password=PASSWORD, role=Role.READER)


def test_only_an_empty_study_takes_a_first_coordinator(study: Study) -> None:
    with pytest.raises(AccountError, match="already"):
        accounts.create_first_coordinator(study.db, "Eve", PASSWORD)


def test_passwords_are_stored_as_argon2id_and_nowhere_else(study: Study, tmp_path: Path) -> None:
    with study.db.reading() as connection:
        hashes = connection.exec_driver_sql("SELECT password_hash FROM account").scalars().all()
    assert len(hashes) > 5
    assert all(each.startswith("$argon2id$") for each in hashes)
    assert len(set(hashes)) == len(hashes)
    with open_database(study.db.back_up(tmp_path / "everything")) as copy:
        file = copy.path
    assert PASSWORD.encode() not in file.read_bytes()


def test_changing_the_own_password(study: Study) -> None:
    rita = study.person("Rita", Role.READER)
    with pytest.raises(WrongPassword):
        accounts.change_password(study.db, rita, old="not the password", new="another sentence")
    accounts.change_password(study.db, rita, old=PASSWORD, new="another sentence")
    assert accounts.log_in(study.db, "Rita", "another sentence") == rita
    with pytest.raises(WrongPassword):
        accounts.log_in(study.db, "Rita", PASSWORD)


def test_a_forgotten_password_is_replaced_by_the_coordinator_only(study: Study) -> None:
    rita, rolf = study.person("Rita", Role.READER), study.person("Rolf", Role.READER)
    with pytest.raises(NotAllowed):
        accounts.reset_password(study.db, rolf, "Rita", password="another sentence")
    accounts.reset_password(study.db, study.coordinator, "Rita", password="another sentence")
    assert accounts.log_in(study.db, "Rita", "another sentence") == rita


def test_a_closed_account_gets_nowhere(study: Study) -> None:
    rita = study.person("Rita", Role.READER)
    accounts.close_account(study.db, study.coordinator, "Rita")
    with pytest.raises(WrongPassword):
        accounts.log_in(study.db, "Rita", PASSWORD)
    with pytest.raises(NotAllowed, match="Log in again"):
        accounts.change_password(study.db, rita, old=PASSWORD, new="another sentence")
    with pytest.raises(AccountError, match="your own"):
        accounts.close_account(study.db, study.coordinator, "Cora")


def test_an_invented_actor_gets_nowhere(study: Study) -> None:
    rita = study.person("Rita", Role.READER)
    for forged in (
        Actor(rita.account_id, "Rita", Role.COORDINATOR),
        Actor(999, "Nobody", Role.COORDINATOR),
    ):
        with pytest.raises(NotAllowed):
            accounts.list_accounts(study.db, forged)


def test_log_ins_and_locks_are_journaled(study: Study) -> None:
    accounts.log_in(study.db, "Rita", PASSWORD)
    wrong(study, 4)
    with pytest.raises(AccountLocked):
        accounts.log_in(study.db, "Rita", "not the password")
    verbs = [entry.verb for entry in journal.entries(study.db, study.person("Ada", Role.AUDITOR))]
    assert verbs[-2:] == ["account.log-in", "account.lock"]
    assert journal.verify_chain(study.db).ok
