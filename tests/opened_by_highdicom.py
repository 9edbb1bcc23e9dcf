"""Images as highdicom reads them; it leaves an index of each open, which Python 3.13 minds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import highdicom
import pytest


@contextmanager
def opened(path: Path) -> Iterator[highdicom.Image]:
    """Read an image, and close every index that was made for it at the end, also of one that is refused."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remembered(*arguments: Any, **more: Any) -> sqlite3.Connection:
        made.append(connect(*arguments, **more))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", remembered)
        try:
            yield highdicom.imread(path)
        finally:
            for each in made:
                each.close()
