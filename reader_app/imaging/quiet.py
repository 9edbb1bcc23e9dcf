"""Keeps the warnings of image libraries from the screen."""

from __future__ import annotations

import re
import warnings


def hush(package: str) -> None:
    """Ignore the warnings that a package raises about the files that it reads, from now on.

    What concerns a reader becomes a note of the radiograph; the rest are remarks on the producer's style.
    The filter stays: to set and restore filters around each file is not safe while several threads read, as
    they would restore each other's.

    Parameters
    ----------
    package
        Its import name, modules below it included.
    """
    module = rf"{re.escape(package)}(\.|$)"
    kept = any(
        entry[0] == "ignore" and getattr(entry[3], "pattern", None) == module for entry in warnings.filters
    )
    if not kept:
        warnings.filterwarnings("ignore", module=module)
