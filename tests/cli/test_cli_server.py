"""A study on a server from the command line: made there, and taken there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COORDINATOR
from tests.postgres_server import PostgresServer

Cli = Callable[..., Any]


@pytest.fixture
def place(postgres: PostgresServer) -> Iterator[str]:
    """The address of an empty database."""
    name = postgres.new()
    yield postgres.url(name)
    postgres.drop(name)


def init(cli: Cli, folder: Path, *more: str) -> Any:
    return cli(
        *("init", folder, "--protocol", "knee-kl", "--title", "Knees", "--coordinator", COORDINATOR, *more)
    )


def test_a_study_is_made_on_a_server(cli: Cli, tmp_path: Path, films: Path, place: str) -> None:
    made = init(cli, tmp_path / "knees", "--database", place)
    assert made.code == 0, made.err
    assert "on the server postgresql://" in made.out
    assert cli("import", tmp_path / "knees", films).code == 0
    assert cli("verify", tmp_path / "knees", "--as", COORDINATOR).code == 0
    assert not (tmp_path / "knees" / "study.db").exists()
    refused = init(cli, tmp_path / "others", "--database", place)
    assert refused.code == 2
    assert "never share" in refused.sentence


def test_a_study_is_taken_to_a_server(cli: Cli, study: Path, films: Path, place: str) -> None:
    cli("import", study, films)
    moved = cli("move", study, "--to", place)
    assert moved.code == 0, moved.err
    assert moved.out.startswith("Moved 3 films, 0 grades and ")
    assert "closes it and opens it again" in moved.out
    assert cli("verify", study, "--as", COORDINATOR).code == 0
    again = cli("move", study, "--to", place)
    assert (again.code, "already" in again.sentence) == (2, True)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("postgresql://ada:geheim@localhost/knees", "holds a password"),
        ("mysql://localhost/knees", "mysql"),
        ("knees", "not the address of a database server"),
        ("postgresql://ada@localhost:1/knees", "cannot be reached"),
    ],
)
def test_an_address_that_will_not_do_is_one_sentence(cli: Cli, study: Path, address: str, word: str) -> None:
    refused = cli("move", study, "--to", address)
    assert refused.code == 2
    assert word in refused.sentence
    assert "geheim" not in refused.err
    assert cli("status", study).code == 0
