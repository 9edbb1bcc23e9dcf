"""Which designs a study has had: newest first, with who and why, and not for readers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reader_app.errors import NotAllowed
from reader_app.operations.accounts import add_account
from reader_app.operations.design import set_design
from reader_app.operations.design_history import as_in_force, history
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, create_study
from reader_app.store.records import Role

PASSWORD = "carla-coordinates"


def test_the_newest_design_comes_first_and_names_who_and_why(tmp_path: Path) -> None:
    choices = NewStudy(protocol="knee-kl", title="Knees", coordinator="Carla", password=PASSWORD)
    with create_study(tmp_path / "study", choices) as study:
        carla = log_in(study, "Carla", PASSWORD)
        add_account(study, carla, name="Dora", password="dora-coordinates", role=Role.COORDINATOR)
        dora = log_in(study, "Dora", "dora-coordinates")
        changed = set_design(study, dora, replace(study.design, block_size=40), reason=" Blocks of a week. ")
        newest, first = history(study, carla)
        assert (newest.design, newest.who, newest.reason) == (changed.design, "Dora", "Blocks of a week.")
        assert (first.design, first.who, first.reason) == (study.design, "Carla", "")
        assert newest.sha256 == changed.design.sha256


def test_an_open_study_learns_of_a_design_that_another_program_put_in_force(tmp_path: Path) -> None:
    choices = NewStudy(protocol="knee-kl", title="Knees", coordinator="Carla", password=PASSWORD)
    with create_study(tmp_path / "study", choices) as study:
        assert as_in_force(study) is study
        carla = log_in(study, "Carla", PASSWORD)
        set_design(study, carla, replace(study.design, session_minutes=4))
        assert as_in_force(study).design.session_minutes == 4
        assert as_in_force(study).database is study.database


def test_a_reader_does_not_see_the_history(tmp_path: Path) -> None:
    choices = NewStudy(protocol="knee-kl", title="Knees", coordinator="Carla", password=PASSWORD)
    with create_study(tmp_path / "study", choices) as study:
        carla = log_in(study, "Carla", PASSWORD)
        add_account(study, carla, name="Anna", password="anna-reads-films", role=Role.READER)
        with pytest.raises(NotAllowed):
            history(study, log_in(study, "Anna", "anna-reads-films"))
