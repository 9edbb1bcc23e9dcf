"""Scales and their levels: which grades exist, what they are called, which key sets them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from reader_app.errors import GradeError


@dataclass(frozen=True)
class Level:
    """One grade of a scale.

    Parameters
    ----------
    code
        The number that is stored and compared.
    label
        What the reader sees.
    key
        The one keyboard character that sets it.
    """

    code: int
    label: str
    key: str


@dataclass(frozen=True)
class Scale:
    """An ordered set of grades; the levels ascend by code."""

    id: str
    title: str
    levels: tuple[Level, ...]

    @cached_property
    def codes(self) -> tuple[int, ...]:
        """The codes of all levels, ascending."""
        return tuple(level.code for level in self.levels)

    def level(self, code: int) -> Level:
        """Return the level with this code.

        Raises
        ------
        GradeError
            If the scale has no such code.
        """
        for level in self.levels:
            if level.code == code:
                return level
        admitted = ", ".join(str(known) for known in self.codes)
        raise GradeError(
            f"{code} is not a grade of the scale “{self.title}”.", f"Use one of these grades: {admitted}."
        )

    def code_for_key(self, key: str) -> int | None:
        """Return the code that this keyboard character sets, or None if it sets none."""
        return next((level.code for level in self.levels if level.key == key), None)
