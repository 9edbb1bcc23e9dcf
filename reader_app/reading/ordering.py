"""Which radiographs make a case, in which order cases are read, under which letters readers stand."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reader_app.protocols.model import Presentation

C = TypeVar("C", bound=int)


@dataclass(frozen=True)
class FilmPlace:
    """Where a radiograph stands in the study, as far as building cases needs it."""

    radiograph_id: int
    participant_id: int
    visit_order: int


def build_cases(
    films: Iterable[FilmPlace], presentation: Presentation, *, seed: int
) -> tuple[tuple[int, ...], ...]:
    """Group radiographs into cases.

    Single presentation makes one case of each radiograph. Paired presentation makes one case of all
    radiographs of a participant: by visit where the order is known, in a random order that follows
    from the seed where it is blinded.

    Returns
    -------
    tuple of tuple of int
        Radiograph ids, case by case.
    """
    ordered = sorted(films, key=lambda film: (film.participant_id, film.visit_order, film.radiograph_id))
    if presentation is Presentation.SINGLE:
        return tuple((film.radiograph_id,) for film in ordered)
    grouped: dict[int, list[int]] = {}
    for film in ordered:
        grouped.setdefault(film.participant_id, []).append(film.radiograph_id)
    if presentation is Presentation.PAIRED_BLINDED:
        return tuple(
            tuple(sorted(ids, key=lambda film: _draw(seed, "films of a case", film)))
            for ids in grouped.values()
        )
    return tuple(tuple(ids) for ids in grouped.values())


@dataclass(frozen=True)
class ReferencedFilm:
    """A radiograph that carries reference grades.

    Attributes
    ----------
    severity
        The highest code among them.
    """

    radiograph_id: int
    participant_id: int
    severity: int


@dataclass(frozen=True)
class CalibrationCase:
    """A case that could be read for calibration: each of its radiographs has reference grades."""

    radiograph_ids: tuple[int, ...]
    participant_id: int
    severity: int


def calibration_cases(
    built: Iterable[tuple[int, ...]], films: Iterable[ReferencedFilm]
) -> tuple[CalibrationCase, ...]:
    """Return those of the cases that `build_cases` made whose radiographs all have reference grades."""
    known = {film.radiograph_id: film for film in films}
    return tuple(
        CalibrationCase(
            case, known[case[0]].participant_id, severity=max(known[film].severity for film in case)
        )
        for case in built
        if all(film in known for film in case)
    )


def choose_calibration(
    candidates: Sequence[CalibrationCase], *, number: int, seed: int
) -> tuple[tuple[int, ...], ...]:
    """Draw the cases of the calibration set.

    Severities take turns, so that rare grades are met as well as common ones: a set of nothing but
    healthy joints shows nothing of a reader. Of one participant a second case is taken only where the
    others are used up.

    Parameters
    ----------
    number
        How many are wanted; fewer come back where there are no more.
    seed
        Of the design; the same candidates and seed give the same set, in whatever order they come.

    Returns
    -------
    tuple of tuple of int
        Radiograph ids, case by case.
    """
    drawn = sorted(candidates, key=lambda case: _draw(seed, "calibration", min(case.radiograph_ids)))
    cases_of: Counter[int] = Counter()
    turns: Counter[tuple[int, int]] = Counter()
    placed: list[tuple[int, int, tuple[int, ...]]] = []
    for case in drawn:
        again = cases_of[case.participant_id]
        turn = turns[again, case.severity]
        placed.append((again, turn, case.radiograph_ids))
        cases_of[case.participant_id] += 1
        turns[again, case.severity] += 1
    # Sorting keeps the drawn order within a turn.
    placed.sort(key=lambda place: place[:2])
    return tuple(case for _, _, case in placed[: max(number, 0)])


def blinded_letters(account_ids: Sequence[C], *, seed: int, case_id: int, viewer: str) -> dict[C, str]:
    """Return the letter (A, B, ...) under which each reader stands in one case, in random order."""
    shuffled = sorted(account_ids, key=lambda account: _draw(seed, f"{viewer}|{case_id}", account))
    return {account: chr(ord("A") + place) for place, account in enumerate(shuffled)}


def _draw(seed: int, who: str, number: int) -> bytes:
    return hashlib.sha256(f"{seed}|{who}|{number}".encode()).digest()
