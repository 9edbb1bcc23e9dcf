"""Where every start begins: the window, the demo or a command; and where every fault ends."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from reader_app.errors import MissingPart, ReaderError
from reader_app.settings import log_folder, software_version

USER_FAULT = 2
INTERNAL_FAULT = 70
INTERRUPTED = 130
PIPE_CLOSED = 141

_WINDOW_COMMANDS = ("run", "demo")
_HELP = ("-h", "--help")


def main(argv: Sequence[str] | None = None) -> int:
    """Start what the arguments ask for.

    Parameters
    ----------
    argv
        Without the program's name; None takes those of the process.

    Returns
    -------
    int
        The exit code: 0 done, 1 done and something found wrong, 2 a fault that the user can do something
        about, 70 a fault of ours, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _never_stumble_over_letters()
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _let_go_of_output()
        return PIPE_CLOSED
    except ReaderError as fault:
        # Most faults are a sentence and its remedy; a list of faults has the remedy on a line of its own.
        between = "\n" if "\n" in fault.what else " "
        _say(f"{fault.what.rstrip()}{between}{fault.next_step}".rstrip())
        return USER_FAULT
    except Exception as fault:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        return _our_fault(fault, arguments)
    return code


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        return _window("run", [])
    if arguments[0] in _WINDOW_COMMANDS and not any(word in _HELP for word in arguments):
        return _window(arguments[0], arguments[1:])
    from reader_app.cli.main import run_command

    return run_command(arguments)


def _window(command: str, rest: list[str]) -> int:
    try:
        from reader_app import app
    except ImportError as fault:
        # Qt's libraries come with us, but not the system libraries that they stand on.
        library = re.search(r"(lib[\w.+-]+\.so[.\d]*)", str(fault))
        if library is None:
            raise
        raise MissingPart(
            f"The window cannot open: the system library {library[1]} is missing.",
            "Install the package that brings it; “python installers/start.py setup” names it.",
        ) from fault
    return app.run_demo(rest) if command == "demo" else app.run_app(rest)


def _never_stumble_over_letters() -> None:
    """Show a question mark for a letter that an old console does not know, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(f"reader-app: {text}", file=sys.stderr, flush=True)


def _let_go_of_output() -> None:
    """Leave the interpreter nothing to flush into a pipe that nobody reads any more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _our_fault(fault: Exception, arguments: list[str]) -> int:
    _say(
        f"This is a fault of ours, not yours ({type(fault).__name__}); what was stored before is safe. "
        f"Please send us {_write_log(arguments)}."
    )
    return INTERNAL_FAULT


def _write_log(arguments: list[str]) -> Path:
    now = datetime.now().astimezone()
    text = "\n".join(
        [
            f"{software_version()}, Python {sys.version.split()[0]} on {sys.platform}",
            f"{now.isoformat(timespec='seconds')}: reader-app {' '.join(arguments)}",
            traceback.format_exc(),
        ]
    )
    name = f"fault-{now:%Y%m%d-%H%M%S-%f}.log"
    try:
        path = log_folder() / name
        path.write_text(text, encoding="utf-8")
    except (OSError, MissingPart):
        path = Path(tempfile.mkdtemp(prefix="reader-app-")) / name
        path.write_text(text, encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main())
