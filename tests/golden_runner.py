"""Run a file of reference cases against `reader_app.agreement`.

Usage: ``python tests/golden_runner.py FILE.json``. Every failing case is a line with its name, what was
expected and what came; the last line is ``N passed, N failed``. A kind of statistic that the program does
not have yet fails as "not implemented".
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.golden_kinds import RUNNERS

Case = Mapping[str, Any]

# Words of the reference file for a reason that we name by a code.
REASON_WORDS = {"fewer than two subjects": "too_few_subjects"}

# Fields of the reference that are remarks, or a second opinion for the reader of the file.
REMARKS = {"reason_text", "note", "cc_note", "rows", "cols", "accept_df_alternative"}


def differences(
    expected: Any, got: Any, *, tolerance: Callable[[str, float], float], path: str = ""
) -> list[str]:
    """List where `got` is not `expected`; fields that only `got` has do not matter."""
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping):
            return [f"{path}: expected {expected}, got {got}"]
        found = []
        for key, value in expected.items():
            if key not in REMARKS:
                found += differences(
                    value, got.get(key), tolerance=tolerance, path=f"{path}.{key}".strip(".")
                )
        return found
    if isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            return [f"{path}: expected {expected}, got {got}"]
        return [
            line
            for one, other in zip(expected, got, strict=True)
            for line in differences(one, other, tolerance=tolerance, path=path)
        ]
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        if isinstance(got, (int, float)) and abs(got - expected) <= tolerance(path, expected):
            return []
    elif isinstance(expected, str):
        if got == REASON_WORDS.get(expected, expected):
            return []
    elif got == expected:
        return []
    return [f"{path}: expected {expected}, got {got}"]


def tolerance_of(case: Case) -> Callable[[str, float], float]:
    """Absolute tolerance of each field of a case."""
    stated = case["tolerance"]
    if not isinstance(stated, Mapping):
        return lambda *_: float(stated)

    def allowed(path: str, expected: float) -> float:
        if path == "cluster_bootstrap_se":
            return float(stated["bootstrap_se_relative"]) * abs(expected)
        if path == "cluster_bootstrap_ci_percentile":
            return float(stated["bootstrap_ci_endpoint"])
        if path == "se" and "se_relative" in stated:
            return float(stated["se_relative"]) * abs(expected)
        if path == "ci" and "ci_endpoint" in stated:
            return float(stated["ci_endpoint"])
        if path in stated:
            return float(stated[path])
        return float(stated.get("se_cluster", stated["estimate"]))

    return allowed


def run_case(case: Case, datasets: Mapping[str, Case]) -> list[str] | None:
    """Differences of a case (none: passed), or None where its kind is not implemented."""
    runner = RUNNERS.get(case["statistic"])
    if runner is None:
        return None
    data = datasets[case["data"]["ref"]] if "ref" in case["data"] else case["data"]
    got = runner(data, case["parameters"])
    return differences(case["expected"], got, tolerance=tolerance_of(case))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python tests/golden_runner.py FILE.json")
        return 2
    content = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    passed = failed = 0
    for case in content["cases"]:
        found = run_case(case, content.get("datasets", {}))
        if found == []:
            passed += 1
            continue
        failed += 1
        print(f"{case['name']}: {'; '.join(found) if found else 'not implemented'}")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
