"""Every function of the store, called by everyone who may, on everything there is: no secret comes back.

Which functions there are and who may call them, the list of roles says; a new one is walked by itself.
"""

from __future__ import annotations

import pytest

from reader_app.store.records import Role
from tests.store.conftest import NOTE, RITA_CODE, ROLF_CODE, Study
from tests.store.test_store_blinding import PREGRADE_MARKS, as_text, outcome
from tests.store.test_store_roles import FUNCTIONS, MAY, example_arguments

IDS = range(1, 9)
_ONE = ("radiograph_id", "assignment_id", "reading_id", "joint_id", "case_id")
_SEVERAL = ("radiograph_ids", "assignment_ids", "joint_ids", "ids")
CHANGE_WHO_IS_WHO = {"accounts.change_password", "accounts.close_account", "accounts.reset_password"}
"""Not called here: they would shut out those who ask next."""


def walk(study: Study, role: Role) -> dict[str, str]:
    """Return all that comes back, refusals included, by function."""
    people = {
        Role.COORDINATOR: study.coordinator,
        Role.READER: study.person("Rita", Role.READER),
        Role.ADJUDICATOR: study.person("Adam", Role.ADJUDICATOR),
    }
    actor = people[role]
    found: dict[str, str] = {}
    for name in sorted(name for name, roles in MAY.items() if role in roles):
        if name in CHANGE_WHO_IS_WHO or name == "moving.move_database":
            continue
        function = FUNCTIONS[name]
        usual = example_arguments(function)
        if name == "consensus_sessions.take_seat":
            # Whoever takes a seat types the own name, so that it is known at the screen.
            usual["name"] = "Somebody"
        heard: list[object] = []
        for number in IDS:
            arguments = usual | {key: number for key in _ONE if key in usual}
            arguments |= {key: [number] for key in _SEVERAL if key in usual}
            heard.append(outcome(lambda: function(study.db, actor, **arguments)))  # noqa: B023
            if arguments == usual and number == 1 and not set(usual) & {*_ONE, *_SEVERAL}:
                break
        found[name] = as_text([each for each in heard if not callable(each)])
    return found


@pytest.mark.parametrize("role", [Role.READER, Role.ADJUDICATOR, Role.COORDINATOR])
def test_everything_that_a_role_may_call_is_called(full: Study, role: Role) -> None:
    walked = set(walk(full, role))
    assert walked | CHANGE_WHO_IS_WHO | {"moving.move_database"} >= {
        name for name, roles in MAY.items() if role in roles
    }


def test_no_function_tells_a_reader_of_others(full: Study) -> None:
    for name, text in walk(full, Role.READER).items():
        for secret in ("rolf", "roxana", "cora", "agnes", str(ROLF_CODE), NOTE.casefold(), "pseudonym"):
            assert secret not in text, f"{name} tells a reader “{secret}”"
        for mark in PREGRADE_MARKS:
            assert mark not in text, f"{name} tells an unaided reader of the AI: “{mark}”"


def test_no_function_tells_an_adjudicator_who_is_who(full: Study) -> None:
    for name, text in walk(full, Role.ADJUDICATOR).items():
        for secret in ("rita", "rolf", "roxana", "pseudonym", NOTE.casefold(), *PREGRADE_MARKS):
            assert secret not in text, f"{name} tells an adjudicator “{secret}”"


def test_no_function_tells_a_coordinator_a_grade_before_the_freeze(full: Study) -> None:
    for name, text in walk(full, Role.COORDINATOR).items():
        for secret in (str(RITA_CODE), str(ROLF_CODE), NOTE.casefold()):
            assert secret not in text, f"{name} tells a coordinator “{secret}” before the freeze"
