"""The one way in which values become text: the same value gives the same bytes, everywhere and always."""

from __future__ import annotations

import hashlib
import json


def canonical(value: object) -> str:
    """Return a value as JSON with sorted keys, no blanks and ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sha256_of(value: object) -> str:
    """Return the SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()
