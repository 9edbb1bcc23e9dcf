"""Values of interest: windows and look-up tables, as a file states them or a reader sets them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

AUTOMATIC = "automatic"
"""Name of the window that is found from the pixels; no window or table of a file may have it."""


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056), PS3.3 C.11.2.1.2 and C.11.2.1.3."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True)
class Window:
    """A window over modality values.

    Parameters
    ----------
    center, width
        In modality values (after the modality LUT).
    function
        How values between the edges are mapped.
    name
        What a reader picks it by, e.g. the file's Window Center & Width Explanation.

    Raises
    ------
    ValueError
        If a number is not finite or the width is not allowed for the function
        (PS3.3 C.11.2.1.2: at least 1 for LINEAR, above 0 otherwise).
    """

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR
    name: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.center) and math.isfinite(self.width)):
            raise ValueError(f"a window needs finite numbers: center {self.center}, width {self.width}")
        least = 1.0 if self.function is VoiFunction.LINEAR else 0.0
        if self.width < least or self.width == 0.0:
            raise ValueError(f"a window of width {self.width:g} is not allowed for {self.function}")


@dataclass(frozen=True, eq=False)
class LookupTable:
    """A modality or VOI look-up table (PS3.3 C.11.1.1 and C.11.2.1.1).

    Parameters
    ----------
    first_value
        Input value that is mapped to the first entry; anything lower maps there too, anything beyond the
        last entry maps to the last.
    values
        Entries, uint16, shape (n,).
    bits
        Bits of an entry; the output of a VOI table spans 0 .. 2**bits - 1.
    name
        LUT Explanation, or a name made from its place.
    """

    first_value: int
    values: npt.NDArray[np.uint16]
    bits: int
    name: str = ""

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or self.values.size == 0:
            raise ValueError("a look-up table needs at least one entry in one dimension")
        if not 1 <= self.bits <= 16:
            raise ValueError(f"a look-up table of {self.bits} bits is not allowed")

    @property
    def descending(self) -> bool:
        """Whether larger inputs come out darker, so that the table itself turns the polarity round."""
        return bool(int(self.values[-1]) < int(self.values[0]))


Voi = Window | LookupTable
"""What may be applied to modality values before presentation."""


def named_apart(choices: Iterable[Voi]) -> tuple[Voi, ...]:
    """Give each window and table a name that is not empty and that no other one has, nor the automatic one.

    What has such a name already comes back as it is, the same object.
    """
    named: list[Voi] = []
    taken = {AUTOMATIC}
    for place, choice in enumerate(choices, start=1):
        kind = "table" if isinstance(choice, LookupTable) else "window"
        wished = choice.name.strip() or f"{kind} {place}"
        name, number = wished, 2
        while name in taken:
            name, number = f"{wished} ({number})", number + 1
        taken.add(name)
        named.append(choice if name == choice.name else replace(choice, name=name))
    return tuple(named)
