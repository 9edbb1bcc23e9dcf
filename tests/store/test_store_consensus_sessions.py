"""Consensus sessions in the store: who takes part, who is refused, what is settled there."""

from __future__ import annotations

import pytest

from reader_app.errors import AccountError, GradeError, NotAllowed, WrongPassword
from reader_app.protocols.model import Resolution
from reader_app.reading.adjudication import Method
from reader_app.store import (
    adjudications,
    consensus_sessions,
    journal,
    results,
)
from reader_app.store.adjudication_records import Disagreement, Rules
from reader_app.store.records import Role
from tests.store.adjudicating import (
    AT,
    MATCH,
    adjudicator,
    queue,
    read,
    settle,
    two_differ,
)
from tests.store.conftest import PASSWORD, Study, film
from tests.store.rules import rules


@pytest.fixture
def two_read(study: Study) -> Study:
    """One film: Rita says 1 and Rolf 3 on the right joint, both 1 on the left one."""
    return two_differ(study)


# Consensus sessions -------------------------------------------------------------------------------


def seat(study: Study, name: str, password: str = PASSWORD) -> consensus_sessions.Seat:
    return consensus_sessions.take_seat(study.db, adjudicator(study), name=name, password=password)


def together(study: Study, *names: str, by: Rules = MATCH, code: int = 2) -> Disagreement:
    return adjudications.settle_item(
        study.db,
        adjudicator(study),
        by,
        AT,
        code=code,
        rationale="both heard",
        seats=[seat(study, name) for name in names],
    )


def test_a_consensus_is_settled_with_all_readers_of_the_case_and_says_who_they_were(two_read: Study) -> None:
    settle(two_read, 2, MATCH)
    after = together(two_read, "Rolf", "Rita", code=4)
    assert after.settled is not None
    assert (after.settled.code, after.settled.third_code, after.settled.method) == (
        4,
        2,
        Method.CONSENSUS_SESSION,
    )
    assert after.settled.participants == (), "an adjudicator is not told by number either"
    accounts = sorted(two_read.person(name, Role.READER).account_id for name in ("Rita", "Rolf"))
    (kept,) = results.all_settled(two_read.db, two_read.person("Ada", Role.AUDITOR))
    assert sorted(kept.participants) == accounts
    entry = journal.entries(two_read.db, two_read.person("Ada", Role.AUDITOR))[-1]
    assert (entry.verb, entry.payload["participants"]) == ("adjudication.settle", accounts)


@pytest.mark.parametrize("names", [("Rita",), ("Rita", "Roxana"), ("Rita", "Rolf", "Roxana")])
def test_who_is_no_reader_of_the_case_is_refused_without_a_name(
    two_read: Study, names: tuple[str, ...]
) -> None:
    settle(two_read, 2, MATCH)
    with pytest.raises(NotAllowed) as refusal:
        together(two_read, *names)
    assert not any(name in str(refusal.value) for name in ("Rita", "Rolf", "Roxana"))
    (one,) = queue(two_read, MATCH)
    assert one.needs_consensus


def test_who_graded_like_nobody_may_still_think_again(two_read: Study) -> None:
    assert settle(two_read, 2, MATCH).needs_consensus
    after = settle(two_read, 3, MATCH)
    assert after.settled is not None
    assert (after.settled.code, after.settled.method) == (3, Method.THIRD_READER)


def test_what_a_session_settled_is_changed_in_a_session_only(two_read: Study) -> None:
    settle(two_read, 2, MATCH)
    together(two_read, "Rita", "Rolf", code=4)
    with pytest.raises(NotAllowed, match="in a consensus session only"):
        settle(two_read, 3, MATCH, why="I think otherwise")


def test_a_consensus_needs_a_word_on_how_it_came_about(two_read: Study) -> None:
    settle(two_read, 2, MATCH)
    with pytest.raises(GradeError, match="a word on how"):
        adjudications.settle_item(
            two_read.db,
            adjudicator(two_read),
            MATCH,
            AT,
            code=2,
            rationale=" ",
            seats=[seat(two_read, name) for name in ("Rita", "Rolf")],
        )


def test_a_live_consensus_asks_for_no_third_grade_before(two_read: Study) -> None:
    live = rules(Resolution.LIVE_CONSENSUS)
    (one,) = queue(two_read, live)
    assert one.needs_consensus
    with pytest.raises(NotAllowed, match="in a consensus session only"):
        settle(two_read, 1, live)
    assert together(two_read, "Rita", "Rolf", by=live, code=3).open is False


def test_wrong_passwords_of_a_session_count_as_at_log_in(two_read: Study) -> None:
    for _ in range(4):
        with pytest.raises(WrongPassword):
            seat(two_read, "Rita", "wrong")
    with pytest.raises(AccountError, match="locked until"):
        seat(two_read, "Rita", "wrong")
    with pytest.raises(AccountError, match="locked until"):
        seat(two_read, "Rita")


def test_only_readers_sit_down_and_nobody_twice(two_read: Study) -> None:
    settle(two_read, 2, MATCH)
    with pytest.raises(NotAllowed, match="Only readers"):
        seat(two_read, "Agnes")
    with pytest.raises(NotAllowed, match="sits twice"):
        together(two_read, "Rita", "Rita")


def test_a_proof_that_nobody_typed_a_password_for_opens_nothing(two_read: Study) -> None:
    settle(two_read, 2, MATCH)
    rita = seat(two_read, "Rita")
    rolf = two_read.person("Rolf", Role.READER)
    claimed = consensus_sessions.Seat(
        "Rolf", type(rita.proof)(rolf.account_id, rita.proof.purpose, rita.proof.code)
    )
    with pytest.raises(NotAllowed, match="not in this session"):
        adjudications.settle_item(
            two_read.db,
            adjudicator(two_read),
            MATCH,
            AT,
            code=2,
            rationale="claimed",
            seats=[rita, claimed],
        )


def test_a_session_knows_which_cases_its_readers_share(study: Study) -> None:
    study.add_cases(film("P1"), film("P2"))
    study.assign(study.person("Rita", Role.READER), only=[1, 2])
    study.assign(study.person("Rolf", Role.READER), only=[1])
    study.assign(study.person("Roxana", Role.READER), only=[2])
    for name, number in (("Rita", 2), ("Rolf", 1), ("Roxana", 1)):
        for _ in range(number):
            read(study, name, 1)
    adam = adjudicator(study)
    for names, shared in ((("Rita", "Rolf"), {1}), (("Roxana", "Rita"), {2}), (("Rolf", "Roxana"), set())):
        seats = [seat(study, name) for name in names]
        assert consensus_sessions.cases_of(study.db, adam, seats) == shared
