"""How each kind of reference case is put to `reader_app.agreement`, and the answer into its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from reader_app.agreement import (
    alpha,
    chance,
    confusion,
    dependent,
    kappa,
    measurements,
    panel,
    roc,
    symmetry,
)
from reader_app.agreement.ratings import Categories, PairTable, RatingPairs, Ratings
from reader_app.agreement.result import (
    Estimate,
    Interval,
    Result,
    SignificanceTest,
    TestResult,
    Undefined,
)
from reader_app.agreement.weights import Weights, scaled_disagreement

Case = Mapping[str, Any]
Answer = dict[str, Any]
Runner = Callable[[Case, Case], Answer]

BOOTSTRAP_SEED = 20
BOOTSTRAP_REPLICATES = 2500


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


def ratings_of(data: Case) -> Ratings:
    """Ratings as they are, or one row per joint of a table."""
    scale = Categories(tuple(data["scale"]))
    if "ratings" in data:
        columns = list(zip(*data["ratings"], strict=True))
        return Ratings.from_columns(scale, columns)
    counts = np.array(data["table"], dtype=np.int64)
    rows, columns_of = np.indices(counts.shape)
    times = counts.ravel()
    positions = np.column_stack([np.repeat(rows.ravel(), times), np.repeat(columns_of.ravel(), times)])
    return Ratings(scale, positions, np.arange(len(positions)))


def of_chance(coefficient: chance.Coefficient) -> Runner:
    def run(data: Case, parameters: Case) -> Answer:
        ratings = ratings_of(data)
        weights, level = Weights(parameters.get("weights", "none")), parameters["ci_level"]

        def by(method: chance.ErrorMethod) -> Answer:
            return answer(chance.chance_corrected(ratings, coefficient, weights, level=level, error=method))

        found = by(chance.ErrorMethod.AUTO)
        if found.get("n_single_rating"):
            gwet, jackknife = by(chance.ErrorMethod.LINEARISED), by(chance.ErrorMethod.JACKKNIFE)
            found |= {"se_irrcac": gwet["se"], "ci_irrcac": gwet.get("ci")}
            found |= {"se_jackknife": jackknife["se"], "ci_jackknife": jackknife.get("ci")}
        if coefficient is chance.Coefficient.FLEISS and weights is Weights.NONE:
            null = chance.fleiss_null_test(ratings)
            if null is not None:
                found |= {"se_null": null[0], "z_null": null[1]}
        return found

    return run


def krippendorff(data: Case, parameters: Case) -> Answer:
    metric = alpha.Metric(parameters.get("metric", "nominal"))
    found = answer(alpha.krippendorff_alpha(ratings_of(data), metric))
    return found | {"n_units": found.get("n")}


def light(data: Case, parameters: Case) -> Answer:
    found = panel.light_kappa(ratings_of(data), Weights(parameters["weights"]))
    undefined = [
        [*pair, result.reason.value]
        for pair, result in found.pairwise.items()
        if isinstance(result, Undefined)
    ]
    values = {
        f"{one}-{other}": result.value
        for (one, other), result in found.pairwise.items()
        if isinstance(result, Estimate)
    }
    told = answer(found.mean) | {"pairwise": values, "undefined_pairs": undefined}
    return told | {"still_reported": {"undefined_pairs": undefined}}


def summary_counts(data: Case, parameters: Case) -> Answer:
    return {"status": "ok", **asdict(panel.panel_counts(ratings_of(data)))}


def all_agree(data: Case, parameters: Case) -> Answer:
    return answer(panel.all_agree(ratings_of(data), within=parameters["max_range"]))


def of_test(test: Callable[[PairTable], TestResult]) -> Runner:
    def run(data: Case, parameters: Case) -> Answer:
        return tested(test(table_of(data)))

    return run


def tested(result: TestResult) -> Answer:
    if isinstance(result, Undefined):
        return {"status": "undefined", "reason": result.reason.value, "still_reported": dict(result.known)}
    assert isinstance(result, SignificanceTest)
    known = dict(result.known)
    corrected = {"chi2_cc": known.get("chi2_corrected"), "p_cc": known.get("p_corrected")}
    if known.get("b") == known.get("c"):
        # The file leaves the corrected figures of equal counts out of the comparison.
        corrected = {"chi2_cc": None, "p_cc": None}
    found: Answer = {"status": "ok", "chi2": result.statistic, "z": result.statistic, "df": result.degrees}
    found |= {"p": result.p, **known, **corrected}
    if result.difference is not None:
        told = answer(result.difference)
        found |= {"difference": told["estimate"], "se": told["se"], "ci": told["ci"]}
    return found


def prevalence_and_bias(data: Case, parameters: Case) -> Answer:
    prevalence = answer(symmetry.prevalence_index(table_of(data)))
    bias = answer(symmetry.bias_index(table_of(data)))
    return prevalence | {"prevalence_index": prevalence.get("estimate"), "bias_index": bias.get("estimate")}


def of_icc(form: measurements.Icc) -> Runner:
    def run(data: Case, parameters: Case) -> Answer:
        values = np.array(data["ratings"], dtype=np.float64)
        return answer(measurements.intraclass_correlation(values, form, level=parameters["ci_level"]))

    return run


def bland_altman(data: Case, parameters: Case) -> Answer:
    x, y = (np.array(data[name], dtype=np.float64) for name in ("x", "y"))
    found = measurements.bland_altman(x, y, level=parameters["ci_level"], z=parameters["z"])
    if isinstance(found, Undefined):
        return answer(found)

    def ends(interval: object) -> list[float]:
        assert isinstance(interval, Interval)
        return [interval.low, interval.high]

    return {
        "status": "ok",
        "n": found.n,
        "bias": found.bias.value,
        "sd": found.sd,
        "loa": [found.lower, found.upper],
        "bias_ci": ends(found.bias.interval),
        "loa_lower_ci_1986": ends(found.lower_interval_1986),
        "loa_upper_ci_1986": ends(found.upper_interval_1986),
        "loa_lower_ci_1999": ends(found.lower_interval),
        "loa_upper_ci_1999": ends(found.upper_interval),
    }


def delong_test(data: Case, parameters: Case) -> Answer:
    positive, score = _scores(data, parameters)
    other = np.array(data["score2"], dtype=np.float64)
    return _classes(tested(roc.compare_auc(positive, score, other, level=parameters["ci_level"])))


def dependent_kappas(data: Case, parameters: Case) -> Answer:
    weights = Weights(parameters["weights"])
    one, other = (pairs_of(data, "ref", name) for name in ("a", "b"))
    found = tested(dependent.compare_kappas(one, other, weights, level=parameters["ci_level"]))
    n = one.n

    def without(joint: int) -> float:
        keep = np.arange(n) != joint
        values = []
        for pairs in (one, other):
            kept = RatingPairs(pairs.categories, pairs.first[keep], pairs.second[keep], np.arange(n - 1))
            result = kappa.cohen_kappa(kept.table, weights)
            assert isinstance(result, Estimate)
            values.append(result.value)
        return values[0] - values[1]

    if found["status"] == "ok":
        left = np.array([without(joint) for joint in range(n)])
        found["jackknife_se"] = float(np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum()))
    return found


def stratified_bootstrap(data: Case, parameters: Case) -> Answer:
    name, _, weights = parameters["of"].partition("/")
    statistics: Mapping[str, Callable[[PairTable], Result]] = {
        "cohen_kappa": lambda table: kappa.cohen_kappa(table, Weights(weights)),
        "balanced_accuracy": confusion.balanced_accuracy,
        "mse": confusion.mean_squared_error,
    }
    table = pairs_of(data, "y_true", "y_pred").table
    level = parameters["ci_level"]
    return answer(
        dependent.stratified_bootstrap(
            table, statistics[name], seed=BOOTSTRAP_SEED, replicates=BOOTSTRAP_REPLICATES, level=level
        )
    )


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
    "percent_agreement_pairwise": of_chance(chance.Coefficient.PERCENT_AGREEMENT),
    "scott_pi": of_chance(chance.Coefficient.FLEISS),
    "fleiss": of_chance(chance.Coefficient.FLEISS),
    "conger": of_chance(chance.Coefficient.CONGER),
    "gwet": of_chance(chance.Coefficient.GWET),
    "bp": of_chance(chance.Coefficient.BRENNAN_PREDIGER),
    "pabak": of_chance(chance.Coefficient.BRENNAN_PREDIGER),
    "krippendorff": krippendorff,
    "light": light,
    "summary_counts": summary_counts,
    "all_raters_agree": all_agree,
    "all_raters_within_one": all_agree,
    "bowker": of_test(symmetry.bowker_test),
    "stuart_maxwell": of_test(symmetry.stuart_maxwell_test),
    "mcnemar": of_test(symmetry.mcnemar_test),
    "prevalence_bias_index": prevalence_and_bias,
    **{form.value: of_icc(form) for form in measurements.Icc if form is not measurements.Icc.ONE_WAY_MEAN},
    "bland_altman": bland_altman,
    "delong_test": delong_test,
    "dependent_kappas": dependent_kappas,
    "stratified_bootstrap_ci": stratified_bootstrap,
}
