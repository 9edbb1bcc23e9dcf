from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

RUNNER = Path(__file__).resolve().parents[1] / "golden_runner.py"


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_runner", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_golden_case_of_the_kinds_that_we_have_passes(shared: Path, runner: ModuleType) -> None:
    content = json.loads((shared / "golden" / "agreement.json").read_text(encoding="utf-8"))
    cases = [case for case in content["cases"] if case["statistic"] in runner.RUNNERS]
    assert {case["statistic"] for case in cases} == set(runner.RUNNERS)
    failing = {
        case["name"]: found for case in cases if (found := runner.run_case(case, content["datasets"])) != []
    }
    assert failing == {}


def test_the_runner_tells_failures_and_ends_with_the_count(tmp_path: Path) -> None:
    def case(name: str, statistic: str, estimate: float) -> dict[str, object]:
        return {
            "name": name,
            "statistic": statistic,
            "data": {"scale": [0, 1], "table": [[4, 1], [1, 4]]},
            "parameters": {"ci_level": 0.95, "weights": "none"},
            "expected": {"status": "ok", "estimate": estimate},
            "tolerance": 1e-8,
        }

    cases = [
        case("right", "cohen_kappa", 0.6),
        case("wrong", "cohen_kappa", 0.7),
        case("unknown", "tea_leaves", 0.6),
    ]
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"datasets": {}, "cases": cases}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(RUNNER), str(file)], capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[-1] == "1 passed, 2 failed"
    assert lines[0].startswith("wrong: estimate: expected 0.7, got 0.6")
    assert lines[1] == "unknown: not implemented"
