"""Keeps Python alive under a fault of the Qt binding on Python 3.11.

PySide6 6.12 is built as if `None` could not be freed, which holds from Python 3.12 on (PEP 683). On 3.11
every Qt method that returns nothing takes a reference of `None` away without having one; after a few
thousand calls the count reaches zero and the interpreter aborts ("deallocating None").
"""

from __future__ import annotations

import ctypes
import sys

_PLENTY = 1 << 48
"""References; at a million calls a second these last for nine years."""


def keep_none_alive() -> None:
    """Give `None` so many references that losing one a call does not matter; nothing from Python 3.12 on."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    if sys.getrefcount(None) < _PLENTY // 2:
        # The reference count is the first field of every object (PEP 384's PyObject).
        ctypes.c_ssize_t.from_address(id(None)).value += _PLENTY
