"""Readers who do not exist: they see the planted truth of phantoms and err as readers do, by a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide

TruthKey = tuple[str, JointSide, Item]
"""SHA-256 of the film's file, side, item."""


@dataclass(frozen=True)
class SimulatedReader:
    """One reader with a habit of erring.

    Parameters
    ----------
    name
        From which, with the joint, every error follows.
    error_rate
        Share of grades that are one grade off; the direction is as likely up as down.
    """

    name: str
    error_rate: float

    def grade(self, key: TruthKey, truth: Mapping[TruthKey, int], codes: tuple[int, ...]) -> int:
        """Return the grade that this reader gives, always the same for the same joint."""
        digest = hashlib.sha256(f"{self.name}|{key[0]}|{key[1].value}|{key[2].key}".encode()).digest()
        place = codes.index(truth[key])
        if digest[0] / 256 >= self.error_rate:
            return codes[place]
        step = 1 if digest[1] % 2 else -1
        if not 0 <= place + step < len(codes):
            step = -step
        return codes[place + step]
