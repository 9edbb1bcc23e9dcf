"""Reading a report back, and kappa from another library."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sklearn.metrics import cohen_kappa_score


def read_json(report: Path) -> dict[str, Any]:
    """Return the report's JSON that lies beside its HTML."""
    content: dict[str, Any] = json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))
    return content


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table of the report."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def comparison_of(report: dict[str, Any], kind: str, second: str) -> dict[str, Any]:
    """Return the one comparison of a kind in which `second` is judged."""
    found = [one for one in report["comparisons"] if one["kind"] == kind and one["second"] == second]
    assert len(found) == 1
    one: dict[str, Any] = found[0]
    return one


def kappa_of(first: Sequence[int], second: Sequence[int], *, weights: str) -> float:
    """Cohen's kappa on the scale 0 to 4 from scikit-learn."""
    return float(cohen_kappa_score(first, second, labels=list(range(5)), weights=weights))
