"""How well a localizer finds what is on composed films, after the same choice of joints as in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from reader_app.ai.choose_joints import Detection, FilmFacts, choose_joints
from reader_app.ai.located import Located
from reader_app.ai.nets.detectors import Detector, detections_on
from reader_app.ai.training.composed import JOINT, MARKER, PROSTHESIS, ComposedFilm, Target
from reader_app.ai.training.localizer_films import FilmSet
from reader_app.imaging.geometry import Box, Side

FOUND = 0.5
"""IoU from which a joint counts as found."""

_AS_GOOD = 0.005
"""Scores that lie no further apart are about the same."""

_THRESHOLDS = tuple(round(0.2 + 0.05 * step, 2) for step in range(13))


@dataclass(frozen=True)
class LocalizerFigures:
    """What a localizer reaches on films.

    Attributes
    ----------
    threshold
        The confidence that gives these figures.
    joints, prostheses, letters
        How many are on the films.
    iou, iou_low
        Mean, and 5th percentile, over the joints that were found.
    missed
        Joints without a box of `FOUND` or more.
    too_many
        Boxes of joints where there is none, a prosthesis included.
    prostheses_left_out
        Of the prostheses, those that were found as such.
    letters_read
        Of the lead letters, those that were read; `letters_misread` were taken for the other one.
    """

    threshold: float
    films: int
    joints: int
    prostheses: int
    letters: int
    iou: float
    iou_low: float
    missed: int
    too_many: int
    prostheses_left_out: int
    letters_read: int
    letters_misread: int

    @property
    def score(self) -> float:
        """What epoch and threshold are chosen by: overlap of what is right, less what is wrong."""
        known = max(self.joints + self.prostheses, 1)
        right = self.iou * (self.joints - self.missed) + self.prostheses_left_out
        return (right - 0.5 * self.too_many) / known

    def __str__(self) -> str:
        return (
            f"IoU {self.iou:.3f}, missed {self.missed} of {self.joints}, {self.too_many} too many, "
            f"{self.prostheses_left_out} of {self.prostheses} prostheses left out, "
            f"{self.letters_read} of {self.letters} letters read"
        )


def measure(
    detector: Detector, films: FilmSet, *, size: int, classes: Sequence[str], joint: str, batch: int = 16
) -> LocalizerFigures:
    """Return the figures at the confidence that was chosen by `best_threshold`."""
    seen: list[tuple[ComposedFilm, list[Detection]]] = []
    detector.eval()
    with torch.inference_mode():
        for start in range(0, len(films), batch):
            part = [films.film(number) for number in range(start, min(start + batch, len(films)))]
            found = detections_on(
                detector, [film.pixels for film in part], size=size, classes=classes, device="cpu"
            )
            seen += zip(part, found, strict=True)
    return best_threshold([figures(seen, threshold, joint) for threshold in _THRESHOLDS])


def best_threshold(found: Sequence[LocalizerFigures]) -> LocalizerFigures:
    """Return the figures of the confidence in the middle of those that score about as well as the best.

    Composed films are clearer than real ones: at the end of the range that still does well on them, a
    little less or more would miss joints or see what is not there.
    """
    best = max(each.score for each in found)
    good = [each for each in found if each.score >= best - _AS_GOOD]
    return good[len(good) // 2]


def figures(
    seen: Sequence[tuple[ComposedFilm, Sequence[Detection]]], threshold: float, joint: str
) -> LocalizerFigures:
    """Return the figures at one confidence."""
    counts = dict.fromkeys(
        ("joints", "prostheses", "letters", "missed", "too_many", "left_out", "read", "misread"), 0
    )
    overlaps: list[float] = []
    for film, detections in seen:
        rows, columns = film.pixels.shape
        facts = FilmFacts(rows, columns, Side.RIGHT, "U", joint)
        located = choose_joints(detections, facts, threshold=threshold, method="measured")
        _count_joints(film.targets, located, counts, overlaps)
        _count_letters(film.targets, detections, threshold, counts)
    return LocalizerFigures(
        threshold=threshold,
        films=len(seen),
        joints=counts["joints"],
        prostheses=counts["prostheses"],
        letters=counts["letters"],
        iou=float(np.mean(overlaps)) if overlaps else 0.0,
        iou_low=float(np.percentile(overlaps, 5.0)) if overlaps else 0.0,
        missed=counts["missed"],
        too_many=counts["too_many"],
        prostheses_left_out=counts["left_out"],
        letters_read=counts["read"],
        letters_misread=counts["misread"],
    )


def _count_joints(
    targets: Sequence[Target], located: Located, counts: dict[str, int], overlaps: list[float]
) -> None:
    joints = [target.box for target in targets if target.label == JOINT]
    prostheses = [target.box for target in targets if target.label == PROSTHESIS]
    found = [each.box for each in located.joints]
    best = [_best(box, found) for box in joints]
    overlaps += [value for value in best if value >= FOUND]
    counts["joints"] += len(joints)
    counts["missed"] += sum(value < FOUND for value in best)
    counts["too_many"] += sum(_best(box, joints) < FOUND for box in found)
    counts["prostheses"] += len(prostheses)
    counts["left_out"] += sum(
        _best(box, [each.box for each in located.left_out]) >= FOUND for box in prostheses
    )


def _count_letters(
    targets: Sequence[Target], detections: Sequence[Detection], threshold: float, counts: dict[str, int]
) -> None:
    letters = [each for each in detections if each.label.startswith(MARKER) and each.confidence >= threshold]
    for target in targets:
        if not target.label.startswith(MARKER):
            continue
        near: Mapping[str, float] = {
            each.label: each.confidence
            for each in sorted(letters, key=lambda each: each.confidence)
            if each.box.iou(target.box) >= 0.3
        }
        answer = max(near, key=lambda label: near[label], default=None)
        counts["letters"] += 1
        counts["read"] += answer == target.label
        counts["misread"] += answer is not None and answer != target.label


def _best(box: Box, others: Sequence[Box]) -> float:
    return max((box.iou(other) for other in others), default=0.0)
