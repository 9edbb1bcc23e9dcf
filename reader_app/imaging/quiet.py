"""Keeps from the screen what image libraries say in their own tongue."""

from __future__ import annotations

import re
import warnings

_LONGEST = 160
_OBJECT = re.compile(r" ?<[^<>]*>")  # "<_io.BytesIO object at 0x7f...>" means nothing to a reader


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


def in_short(error: BaseException) -> str:
    """Return a library's message about a file as part of one line, without its full stop.

    Bytes of the file that stand in it as unprintable signs are left out.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    message = _OBJECT.sub("", " ".join(lines[:2]))
    message = "".join(sign for sign in message if sign.isprintable()).strip().rstrip(".:")
    message = message or type(error).__name__
    return message if len(message) <= _LONGEST else message[: _LONGEST - 3] + "..."
