"""Benchmarks are found by name, run as their files say, and long ones only where they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from reader_app.errors import MissingPart
from reader_app.operations.bench import ON_REQUEST, benchmarks, run_benchmark


def test_without_a_name_all_run_but_those_that_take_very_long() -> None:
    assert set(ON_REQUEST) <= set(benchmarks(*ON_REQUEST))
    usual = benchmarks()
    assert {"display", "import", "store"} <= set(usual)
    assert not ON_REQUEST & set(usual)
    assert all(path.is_file() for path in usual.values())


def test_a_name_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(MissingPart, match="no benchmark “dispaly”") as raised:
        benchmarks("dispaly")
    assert "display" in raised.value.next_step


def test_a_number_of_films_reaches_the_benchmark_that_takes_one(tmp_path: Path) -> None:
    sized = tmp_path / "bench_sized.py"
    sized.write_text("def run(*, films=7):\n    yield {'name': 'films', 'value': films}\n", encoding="utf-8")
    assert run_benchmark(sized) == ({"name": "films", "value": 7},)
    assert run_benchmark(sized, films=3) == ({"name": "films", "value": 3},)
    plain = tmp_path / "bench_plain.py"
    plain.write_text("def run():\n    return []\n", encoding="utf-8")
    with pytest.raises(MissingPart, match="does not take a number of films"):
        run_benchmark(plain, films=3)
