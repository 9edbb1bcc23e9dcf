"""What was measured on a machine is remembered; a damaged file costs a measurement at most."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.ai.fast import (
    CHOICES_FILE,
    Backend,
    Choice,
    Situation,
    begin,
    cpu_name,
    fast_folder,
    find_backend,
    recall,
    remember,
    situation,
    usable_threads,
)
from reader_app.errors import MissingPart
from reader_app.settings import HOME_VARIABLE

HERE = Situation("a CPU", 2, "ab" * 32, ("torch 1.0",))
MEASURED = Choice(Backend.OPENVINO, {Backend.EAGER: 20.0, Backend.CHANNELS_LAST: 15.0, Backend.OPENVINO: 9.5})


def test_a_choice_is_remembered_for_its_situation_alone(tmp_path: Path) -> None:
    remember(HERE, MEASURED, tmp_path)
    assert recall(HERE, tmp_path) == MEASURED
    for other in (
        Situation("another CPU", 2, "ab" * 32, ("torch 1.0",)),
        Situation("a CPU", 4, "ab" * 32, ("torch 1.0",)),
        Situation("a CPU", 2, "cd" * 32, ("torch 1.0",)),
        Situation("a CPU", 2, "ab" * 32, ("torch 1.1",)),
    ):
        assert recall(other, tmp_path) is None
        remember(other, Choice(Backend.EAGER, {Backend.EAGER: 1.0}), tmp_path)
    assert recall(HERE, tmp_path) == MEASURED
    assert [file.name for file in tmp_path.iterdir()] == [CHOICES_FILE]


def test_after_two_processes_that_did_not_come_back_torch_is_taken(tmp_path: Path) -> None:
    begin(HERE, tmp_path)
    assert recall(HERE, tmp_path) is None  # to be measured once more: the window may have been closed
    begin(HERE, tmp_path)
    given_up = recall(HERE, tmp_path)
    assert given_up is not None
    assert given_up.backend is Backend.CHANNELS_LAST
    remember(HERE, MEASURED, tmp_path)
    begin(HERE, tmp_path)
    assert recall(HERE, tmp_path) == MEASURED  # while one more network is compiled
    begin(HERE, None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b'{"format": 2, "choices": {}}',
        b'{"format": 1, "choices": []}',
        b"[" * 100_000,
        b" " * 2_000_000,
    ],
)
def test_a_damaged_file_holds_no_choice_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CHOICES_FILE).write_bytes(content)
    assert recall(HERE, tmp_path) is None
    remember(HERE, MEASURED, tmp_path)
    assert recall(HERE, tmp_path) == MEASURED


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@given(entry=json_values | st.fixed_dictionaries({"backend": json_values, "milliseconds": json_values}))
def test_an_entry_that_makes_no_sense_is_no_choice(
    tmp_path_factory: pytest.TempPathFactory, entry: object
) -> None:
    import json

    folder = tmp_path_factory.mktemp("fast")
    table = {"format": 1, "choices": {HERE.key: entry}}
    (folder / CHOICES_FILE).write_text(json.dumps(table), encoding="utf-8")
    found = recall(HERE, folder)
    assert found is None or found.backend in found.milliseconds


def test_without_a_folder_nothing_is_kept_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(HERE, MEASURED, None)
    assert recall(HERE, None) is None
    (tmp_path / "home").write_text("a file where the folder should be", encoding="utf-8")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    assert fast_folder() is None


def test_the_situation_names_machine_threads_and_libraries() -> None:
    here = situation("ef" * 32, usable_threads())
    assert here.cpu == cpu_name() != ""
    assert here.threads >= 1
    assert any(version.startswith("torch ") for version in here.versions)
    assert here.key.count("\n") == 0


def test_an_unknown_backend_is_refused_with_those_that_there_are() -> None:
    assert find_backend("openvino") is Backend.OPENVINO
    with pytest.raises(MissingPart, match="no backend “warp”") as raised:
        find_backend("warp")
    assert "channels-last" in raised.value.next_step


@pytest.mark.skipif(not hasattr(os, "getloadavg"), reason="this system tells no load")
def test_what_was_measured_on_a_busy_machine_is_measured_anew_on_a_quiet_one(tmp_path: Path) -> None:
    # No machine has a load below 0 or above a million for each thread.
    always_busy, never_busy = replace(HERE, threads=-1), replace(HERE, threads=1_000_000)
    remember(always_busy, MEASURED, tmp_path)
    assert recall(always_busy, tmp_path) == MEASURED  # still busy: better than nothing
    file = tmp_path / CHOICES_FILE
    file.write_text(file.read_text().replace("-1 threads", "1000000 threads"))
    assert recall(never_busy, tmp_path) is None
    remember(never_busy, MEASURED, tmp_path)
    assert recall(never_busy, tmp_path) == MEASURED
