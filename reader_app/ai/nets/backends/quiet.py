"""OpenVINO and NNCF, loaded so that they tell nobody of what is done with them.

Both report how they are used over the network, through the package ``openvino_telemetry``, and do so unless
somebody has declined.  Where that package cannot be imported they fall back to a stub that does nothing,
so it is barred from this process before either of them is loaded.
"""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from types import ModuleType
from typing import Any

from reader_app.errors import MissingPart

_TELEMETRY = "openvino_telemetry"
_CONVERTER, _STUB = "openvino.tools.ovc.telemetry_utils", "openvino.tools.ovc.telemetry_stub"
INSTALL = "Install the optional part “fast” of reader-app; without it the networks run in torch."


def load_openvino() -> Any:
    """Return the module ``openvino``.

    Raises
    ------
    MissingPart
        It is not installed, or was loaded in this process with its telemetry.
    """
    openvino = _quietly("openvino", "OpenVINO")
    converter = _quietly(_CONVERTER, "OpenVINO's converter")
    if getattr(converter.tm, "__name__", "") != _STUB:
        raise MissingPart(
            "OpenVINO was loaded with its telemetry in this process, so it is not used.",
            "Start the program again.",
        )
    return openvino


def load_nncf() -> Any:
    """Return the module ``nncf``, which quantises networks; raises like `load_openvino`."""
    load_openvino()
    nncf = _quietly("nncf", "NNCF")
    nncf.set_log_level(logging.ERROR)
    return nncf


def _quietly(name: str, title: str) -> ModuleType:
    # None bars a module: importing it is an ImportError from here on.
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of their own dependencies' old names
            return importlib.import_module(name)
    except ImportError as error:
        raise MissingPart(f"{title} is not installed, or not complete: {error}.", INSTALL) from error
