"""The figures of a bundle against reference grades, and the files that hold them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reader_app.agreement import confusion, kappa, roc
from reader_app.agreement.ratings import Categories, RatingPairs, cluster_numbers
from reader_app.agreement.result import Estimate, Interval, Reason, Result, Undefined, bounded
from reader_app.agreement.weights import Weights
from reader_app.ai.pipeline import JointPreGrade
from reader_app.ai.prediction import Prediction
from reader_app.errors import StudyError
from reader_app.operations.labels import LabelledJoint
from reader_app.protocols.model import Item

LEVEL = 0.95
EVALUATION_FILE = "evaluation.json"
PREDICTIONS_FILE = "predictions.csv"


@dataclass(frozen=True)
class Graded:
    """A joint with its reference grades and what the bundle says."""

    joint: LabelledJoint
    answer: JointPreGrade


@dataclass(frozen=True)
class Unreadable:
    """A joint that could not be graded, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class GradeLine:
    """One grade of the scale: how many joints have it, and how many of those the bundle finds."""

    code: int
    support: int
    recall: Result
    precision: Result


@dataclass(frozen=True)
class ItemFigures:
    """How a bundle does on one item; all intervals are clustered by participant, except of `grades`.

    Attributes
    ----------
    matrix
        Rows are the reference, columns the bundle, in the order of `codes`.
    present_from
        From which grade on a finding is present, by the protocol; None without such a cut.
    auc
        Of presence, by the summed probability of the grades from there on.
    """

    item: Item
    codes: tuple[int, ...]
    joints: int
    participants: int
    accuracy: Result
    within_one: Result
    balanced_accuracy: Result
    kappa_linear: Result
    kappa_quadratic: Result
    matrix: tuple[tuple[int, ...], ...]
    grades: tuple[GradeLine, ...]
    present_from: int | None
    auc: Result
    sensitivity: Result
    specificity: Result


@dataclass(frozen=True)
class Evaluation:
    """All that an evaluation found.

    Attributes
    ----------
    facts
        What was evaluated on what, by name.
    """

    facts: Mapping[str, str]
    figures: tuple[ItemFigures, ...]
    graded: tuple[Graded, ...]
    unreadable: tuple[Unreadable, ...]
    notes: tuple[str, ...]


def item_figures(
    item: Item, codes: tuple[int, ...], graded: Sequence[Graded], *, present_from: int | None
) -> ItemFigures:
    """Compute the figures of one item over the joints that have a reference grade for it."""
    used = [each for each in graded if item in each.joint.grades]
    categories = Categories(codes)
    clusters = cluster_numbers([each.joint.participant for each in used])
    pairs = RatingPairs(
        categories,
        categories.positions(each.joint.grades[item] for each in used),
        categories.positions(each.answer.predictions[item].code for each in used),
        clusters,
    )

    def kappa_with(weights: Weights) -> Result:
        return bounded(kappa.clustered_kappa(pairs, weights, level=LEVEL), -1, 1)

    no_cut = Undefined(Reason.NOT_COMPUTED, "the protocol says from no grade on that the finding is present")
    area: Result = no_cut
    sensitivity: Result = no_cut
    specificity: Result = no_cut
    if present_from is not None and used:
        cut = categories.position(present_from)
        scores = [_presence(each.answer.predictions[item], codes[cut:]) for each in used]
        area = roc.auc(pairs.first >= cut, np.array(scores), clusters=clusters, level=LEVEL)
        shares = confusion.clustered_presence(pairs, cut, level=LEVEL)
        sensitivity, specificity = shares.sensitivity, shares.specificity
    return ItemFigures(
        item=item,
        codes=codes,
        joints=pairs.n,
        participants=pairs.n_clusters,
        accuracy=kappa.clustered_percent_agreement(pairs, level=LEVEL),
        within_one=kappa.clustered_percent_agreement(pairs, within=1, level=LEVEL),
        balanced_accuracy=confusion.clustered_balanced_accuracy(pairs, level=LEVEL),
        kappa_linear=kappa_with(Weights.LINEAR),
        kappa_quadratic=kappa_with(Weights.QUADRATIC),
        matrix=tuple(tuple(int(count) for count in row) for row in pairs.table.counts),
        grades=tuple(
            GradeLine(line.code, line.support, line.recall, line.precision)
            for line in confusion.per_grade(pairs.table, level=LEVEL)
        ),
        present_from=present_from,
        auc=area,
        sensitivity=sensitivity,
        specificity=specificity,
    )


def evaluation_values(evaluation: Evaluation) -> dict[str, Any]:
    """Return everything but the single joints as plain values for JSON."""
    return {
        **evaluation.facts,
        "level": LEVEL,
        "items": [_item_values(figures) for figures in evaluation.figures],
        "graded": len(evaluation.graded),
        "unreadable": [{"image": each.name, "reason": each.reason} for each in evaluation.unreadable],
        "notes": list(evaluation.notes),
    }


def write_evaluation(evaluation: Evaluation, folder: Path) -> tuple[Path, Path]:
    """Write ``evaluation.json`` and ``predictions.csv``.

    Raises
    ------
    StudyError
        If the folder cannot be written.
    """
    figures, predictions = folder / EVALUATION_FILE, folder / PREDICTIONS_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with predictions.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(_prediction_rows(evaluation))
        text = json.dumps(evaluation_values(evaluation), indent=2, ensure_ascii=False)
        figures.write_text(text + "\n", encoding="utf-8")
    except OSError as fault:
        raise StudyError(
            f"The evaluation cannot be written to {folder}: {fault.strerror or fault}.",
            "Choose another folder with --out, or free some space.",
        ) from fault
    return figures, predictions


def _presence(prediction: Prediction, codes: Iterable[int]) -> float:
    return sum(prediction.probabilities.get(code, 0.0) for code in codes)


def _item_values(figures: ItemFigures) -> dict[str, Any]:
    names = ("accuracy", "within_one", "balanced_accuracy", "kappa_linear", "kappa_quadratic")
    present = ("auc", "sensitivity", "specificity")
    return {
        "item": figures.item.key,
        "codes": list(figures.codes),
        "joints": figures.joints,
        "participants": figures.participants,
        **{name: result_values(getattr(figures, name)) for name in names},
        "matrix": [list(row) for row in figures.matrix],
        "grades": [
            {
                "code": line.code,
                "support": line.support,
                "recall": result_values(line.recall),
                "precision": result_values(line.precision),
            }
            for line in figures.grades
        ],
        "present_from": figures.present_from,
        **{name: result_values(getattr(figures, name)) for name in present},
    }


def result_values(result: Result) -> dict[str, Any]:
    """Return a figure as plain values for JSON."""
    if isinstance(result, Estimate):
        return {
            "value": result.value,
            "n": result.n,
            "standard_error": result.standard_error,
            "interval": _interval_values(result.interval),
        }
    return {"undefined": result.reason.value, "because": result.sentence}


def _interval_values(interval: Interval | Undefined) -> dict[str, Any]:
    if isinstance(interval, Undefined):
        return {"undefined": interval.reason.value, "because": interval.sentence}
    return {
        "low": interval.low,
        "high": interval.high,
        "level": interval.level,
        "method": interval.method.value,
    }


def _prediction_rows(evaluation: Evaluation) -> Iterable[list[object]]:
    codes = sorted({code for figures in evaluation.figures for code in figures.codes})
    yield [
        *("image", "participant", "side", "item", "reference", "graded", "expected", "entropy"),
        *("out_of_distribution", "unlike_training"),
        *(f"p_{code}" for code in codes),
    ]
    for each in evaluation.graded:
        # An image stands for its participant where the table names none; its path is nobody's business.
        nobody = each.joint.participant.startswith("image:")
        for figures in evaluation.figures:
            prediction = each.answer.predictions[figures.item]
            yield [
                each.joint.name,
                "" if nobody else each.joint.participant,
                each.joint.side.value,
                figures.item.key,
                each.joint.grades.get(figures.item, ""),
                prediction.code,
                f"{prediction.expected:.6f}",
                f"{prediction.entropy:.6f}",
                f"{each.answer.out_of_distribution:.6f}",
                int(each.answer.unlike_training),
                *(
                    f"{prediction.probabilities[code]:.6f}" if code in prediction.probabilities else ""
                    for code in codes
                ),
            ]
