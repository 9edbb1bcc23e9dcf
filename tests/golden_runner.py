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

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reader_app.agreement import confusion, kappa, roc
from reader_app.agreement.ratings import Categories, PairTable, RatingPairs, Ratings
from reader_app.agreement.result import Estimate, Result, Undefined
from reader_app.agreement.weights import Weights, scaled_disagreement

Case = Mapping[str, Any]
Answer = dict[str, Any]
Runner = Callable[[Case, Case], Answer]

BOOTSTRAP_SEED = 20
BOOTSTRAP_REPLICATES = 4000
# Words of the reference file for a reason that we name by a code.
REASON_WORDS = {"fewer than two subjects": "too_few_subjects"}


def answer(result: Result, **more: Any) -> Answer:
    """Put a result into the words of the reference file."""
    if isinstance(result, Undefined):
        return {
            "status": "undefined",
            "reason": result.reason.value,
            "still_reported": dict(result.known),
        }
    found: Answer = {"status": "ok", "estimate": result.value, "n": result.n, **result.known}
    found["se"] = result.standard_error
    if isinstance(result.interval, Undefined):
        found |= {"ci": None, "ci_status": "undefined", "ci_reason": result.interval.reason.value}
    else:
        found["ci"] = [result.interval.low, result.interval.high]
    return found | more


def table_of(data: Case) -> PairTable:
    return PairTable(Categories(tuple(data["scale"])), np.array(data["table"], dtype=np.int64))


def pairs_of(data: Case, first: str, second: str, clusters: str | None = None) -> RatingPairs:
    ratings = Ratings.from_columns(
        Categories(tuple(data["scale"])),
        [data[first], data[second]],
        clusters=data[clusters] if clusters else None,
    )
    return ratings.pair(0, 1)


def percent_agreement(data: Case, parameters: Case) -> Answer:
    table = table_of(data)
    result = kappa.percent_agreement(table, level=parameters["ci_level"])
    return answer(result, n_agree=table.n - table.apart(1))


def within_one(data: Case, parameters: Case) -> Answer:
    return answer(kappa.percent_agreement(table_of(data), within=1, level=parameters["ci_level"]))


def weighted_agreement(data: Case, parameters: Case) -> Answer:
    return answer(kappa.weighted_percent_agreement(table_of(data), Weights(parameters["weights"])))


def cohen_kappa(data: Case, parameters: Case) -> Answer:
    name = parameters["weights"]
    if name == "custom":
        custom = np.array(data[parameters["weight_matrix_field"]], dtype=np.float64)
        return answer(
            kappa.cohen_kappa(table_of(data), scaled_disagreement(custom), level=parameters["ci_level"])
        )
    return answer(kappa.cohen_kappa(table_of(data), Weights(name), level=parameters["ci_level"]))


def clustered_kappa(data: Case, parameters: Case) -> Answer:
    pairs = pairs_of(data, "a", "b", "cluster")
    weights, level = Weights(parameters["weights"]), parameters["ci_level"]

    def robust(variance: kappa.ClusterVariance) -> Result:
        return kappa.clustered_kappa(pairs, weights, level=level, variance=variance)

    found = answer(robust(kappa.ClusterVariance.SANDWICH_NORMAL))
    small_sample = answer(robust(kappa.ClusterVariance.SANDWICH_T))
    jackknife = answer(robust(kappa.ClusterVariance.JACKKNIFE_T))
    drawn = answer(
        kappa.bootstrap_kappa(
            pairs, weights, seed=BOOTSTRAP_SEED, replicates=BOOTSTRAP_REPLICATES, level=level
        )
    )
    return found | {
        "se_cluster": found["se"],
        "se_naive": found["standard_error_independent"],
        "se_cluster_times_sqrt_K_over_Kminus1": small_sample["se"],
        "cluster_jackknife_se": jackknife["se"],
        "cluster_bootstrap_se": drawn["se"],
        "cluster_bootstrap_ci_percentile": drawn["ci"],
        "n_joints": pairs.n,
        "n_participants": pairs.n_clusters,
    }


def confusion_matrix(data: Case, parameters: Case) -> Answer:
    return {"status": "ok", "matrix": pairs_of(data, "y_true", "y_pred").table.counts.tolist()}


def per_grade(data: Case, parameters: Case) -> Answer:
    grades = confusion.per_grade(pairs_of(data, "y_true", "y_pred").table)
    columns = {
        "sensitivity_recall": [grade.recall for grade in grades],
        "specificity": [grade.specificity for grade in grades],
        "ppv_precision": [grade.precision for grade in grades],
        "npv": [grade.negative_predictive_value for grade in grades],
        "f1": [grade.f1 for grade in grades],
    }
    values = {
        name: [result.value if isinstance(result, Estimate) else None for result in results]
        for name, results in columns.items()
    }
    undefined = {
        name: [grade.code for grade, value in zip(grades, column, strict=True) if value is None]
        for name, column in values.items()
    }
    return {"status": "ok", **values, "undefined": undefined}


def of_classification(statistic: Callable[[PairTable], Result]) -> Runner:
    def run(data: Case, parameters: Case) -> Answer:
        table = pairs_of(data, "y_true", "y_pred").table
        used = table.counts.sum(axis=1) > 0
        if statistic is confusion.macro_f1:
            used |= table.counts.sum(axis=0) > 0
        averaged = [code for code, here in zip(table.categories.codes, used, strict=True) if here]
        found = answer(statistic(table))
        assert found.get("grades_averaged", len(averaged)) == len(averaged)
        return found | {"grades_averaged": averaged}

    return run


def of_presence(name: str) -> Runner:
    def run(data: Case, parameters: Case) -> Answer:
        pairs = pairs_of(data, "y_true", "y_pred")
        cut = pairs.categories.position(parameters["positive"])
        return answer(getattr(confusion.presence(pairs.table, cut, level=parameters["ci_level"]), name))

    return run


def roc_auc(data: Case, parameters: Case) -> Answer:
    positive, score = _scores(data, parameters)
    found = answer(roc.auc(positive, score, level=parameters["ci_level"]))
    return _classes(found)


def average_precision(data: Case, parameters: Case) -> Answer:
    return _classes(answer(roc.average_precision(*_scores(data, parameters))))


def _scores(data: Case, parameters: Case) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    positive = np.array(data["y"]) == parameters["positive"]
    return positive, np.array(data[parameters.get("score", "score1")], dtype=np.float64)


def _classes(found: Answer) -> Answer:
    names = {"n_positive": "n_pos", "n_negative": "n_neg"}
    inner = {names.get(key, key): value for key, value in found.get("still_reported", {}).items()}
    return {names.get(key, key): value for key, value in found.items()} | {"still_reported": inner}


RUNNERS: Mapping[str, Runner] = {
    "percent_agreement": percent_agreement,
    "percent_agreement_within_one": within_one,
    "weighted_percent_agreement": weighted_agreement,
    "cohen_kappa": cohen_kappa,
    "clustered_kappa": clustered_kappa,
    "confusion_matrix": confusion_matrix,
    "per_grade": per_grade,
    "accuracy": of_classification(confusion.accuracy),
    "balanced_accuracy": of_classification(confusion.balanced_accuracy),
    "f1_macro": of_classification(confusion.macro_f1),
    "mse": of_classification(confusion.mean_squared_error),
    "sensitivity": of_presence("sensitivity"),
    "specificity": of_presence("specificity"),
    "ppv": of_presence("positive_predictive_value"),
    "npv": of_presence("negative_predictive_value"),
    "roc_auc": roc_auc,
    "average_precision": average_precision,
}

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
        # The jackknife is another estimator of the same error; the file gives it for orientation.
        if path in ("cluster_bootstrap_se", "cluster_jackknife_se"):
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
