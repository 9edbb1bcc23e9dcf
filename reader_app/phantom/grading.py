"""Reference grades that follow from what was planted; the cuts are data, in `grading.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

from reader_app.phantom.truth import HipTruth, KneeTruth


class Kind(StrEnum):
    """What a grade is about."""

    SPUR = "spur"
    NARROWING = "narrowing"
    PRESENCE = "presence"


@dataclass(frozen=True)
class Cut:
    """How one grade follows from one measure.

    Parameters
    ----------
    item
        Feature and site of the grade.
    of
        Dotted name of the measure in the truth.
    kind
        What it is about.
    edges
        The cuts.
    rising
        True if the grade counts edges that are reached, False if those fallen short of.
    at
        The film's landmarks where it shows.
    """

    item: str
    of: str
    kind: Kind
    edges: tuple[float, ...]
    rising: bool
    at: tuple[str, ...]

    def measure(self, truth: KneeTruth | HipTruth) -> float:
        """The planted measure."""
        return _measure(truth, self.of)

    def grade(self, truth: KneeTruth | HipTruth) -> int:
        """The grade of `truth`."""
        value = self.measure(truth)
        return sum(value >= edge if self.rising else value < edge for edge in self.edges)


@dataclass(frozen=True)
class Grading:
    """All cuts of one kind of joint, and how the overall grade is made."""

    overall: str
    doubtful_spur_mm: float
    sclerosis: tuple[str, ...]
    sclerosis_from: float
    cuts: tuple[Cut, ...]

    def grades(self, truth: KneeTruth | HipTruth) -> dict[str, int]:
        """Grades by item, the overall one first."""
        found = {cut.item: cut.grade(truth) for cut in self.cuts}
        return {self.overall: self._overall(truth), **found}

    def shows_at(self, truth: KneeTruth | HipTruth) -> dict[str, tuple[str, ...]]:
        """Landmarks where grades above 0 show, by item; the overall grade shows wherever it comes from."""
        found = {cut.item: cut.at for cut in self.cuts if cut.grade(truth) > 0}
        if self._overall(truth) == 0:
            return found
        causes = [cut for cut in self.cuts if cut.kind is not Kind.PRESENCE]
        # A doubtful osteophyte has no grade of its own, and yet the overall grade of 1 may come from it.
        counted = [cut for cut in causes if cut.grade(truth) > 0] or [
            cut for cut in causes if cut.kind is Kind.SPUR and cut.measure(truth) >= self.doubtful_spur_mm
        ]
        return {self.overall: tuple(dict.fromkeys(name for cut in counted for name in cut.at)), **found}

    def _overall(self, truth: KneeTruth | HipTruth) -> int:
        """Kellgren and Lawrence's grade.

        4: grade 3 narrowing with an osteophyte. 3: grade 2 narrowing with an osteophyte, or grade 1
        narrowing with sclerosis and an osteophyte of grade 2. 2: any definite osteophyte. 1: a doubtful
        osteophyte, or narrowing alone. 0: nothing.
        """
        spurs = [cut for cut in self.cuts if cut.kind is Kind.SPUR]
        narrowing = max(cut.grade(truth) for cut in self.cuts if cut.kind is Kind.NARROWING)
        spur = max(cut.grade(truth) for cut in spurs)
        sclerotic = max(_measure(truth, name) for name in self.sclerosis) >= self.sclerosis_from
        if spur and narrowing == 3:
            return 4
        if spur and (narrowing == 2 or (narrowing == 1 and spur >= 2 and sclerotic)):
            return 3
        if spur:
            return 2
        return int(narrowing > 0 or max(cut.measure(truth) for cut in spurs) >= self.doubtful_spur_mm)


def knee_grades(knee: KneeTruth) -> dict[str, int]:
    """Grades of a knee by item (feature, or feature and site joined by an underscore)."""
    return grading("knee").grades(knee)


def hip_grades(hip: HipTruth) -> dict[str, int]:
    """Grades of a hip by item (feature, or feature and site joined by an underscore)."""
    return grading("hip").grades(hip)


@lru_cache(maxsize=2)
def grading(joint: str) -> Grading:
    """The cuts of "knee" or "hip"."""
    table = tomllib.loads(files("reader_app.phantom").joinpath("grading.toml").read_text("utf-8"))[joint]
    cuts = tuple(
        Cut(
            item=row["item"],
            of=row["of"],
            kind=Kind(row["kind"]),
            edges=tuple(row.get("at_least", row.get("below"))),
            rising="at_least" in row,
            at=tuple(row["at"]),
        )
        for row in table["grades"]
    )
    return Grading(
        overall=table["overall"],
        doubtful_spur_mm=table["doubtful_spur_mm"],
        sclerosis=tuple(table["sclerosis"]),
        sclerosis_from=table["sclerosis_from"],
        cuts=cuts,
    )


def _measure(truth: KneeTruth | HipTruth, name: str) -> float:
    value: object = truth
    for part in name.split("."):
        value = getattr(value, part)
    if not isinstance(value, int | float):
        raise TypeError(f"{name} is no number but {type(value).__name__}")
    return float(value)
