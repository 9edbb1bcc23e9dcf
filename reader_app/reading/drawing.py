"""Chance that is the same every time: numbers that follow from a seed, a purpose and a number."""

from __future__ import annotations

import hashlib


def draw(seed: int, what_for: str, number: int) -> bytes:
    """Return 32 bytes that sort things into a random order."""
    return hashlib.sha256(f"{seed}|{what_for}|{number}".encode()).digest()


def share(seed: int, what_for: str, number: int) -> float:
    """Return a number from 0 up to, but not including, 1."""
    return int.from_bytes(draw(seed, what_for, number)[:6], "big") / 2**48
