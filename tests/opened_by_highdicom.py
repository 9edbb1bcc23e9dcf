"""Images as highdicom reads them; it leaves an index of each open, which Python 3.13 minds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import highdicom


@contextmanager
def opened(path: Path) -> Iterator[highdicom.Image]:
    """Read an image, and close its index at the end."""
    image = highdicom.imread(path)
    with closing(image._db_con):
        yield image
