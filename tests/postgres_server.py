"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a socket there, gone after.

Its data compare text as American English does, as those of most servers do: what must be compared byte by
byte has to say so itself.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

if sys.platform != "win32":
    import pwd

ADMINISTRATOR = "administrator"
USER = "reader_app"
"""Owns the databases of studies, and is no more than that."""
STRANGER = "stranger"
"""Has a password and no rights."""
STRANGERS_PASSWORD = "a secret of strangers"

_PORT = 5432
_SECONDS = 60
_PREFIX = "reader-app-pg-"
_OWNER = "owner"
_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30
_READY = "ready to accept connections"
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)


class ServerMissing(Exception):
    """No server can be started here; the sentence says why."""


class PostgresServer:
    """A running server.

    Parameters
    ----------
    programs
        The folder with ``postgres`` and ``initdb``.
    folder
        Where data and socket lie; belongs to the user that the server runs as.
    user
        That user; None for the one who runs the tests.
    """

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self.programs, self.folder, self.user = programs, folder, user
        self._process: subprocess.Popen[str] | None = None
        self._log: list[str] = []
        self._made = 0

    def url(self, database: str, user: str = USER) -> str:
        """Return the address of a database, as a study names it."""
        return f"postgresql://{user}@/{database}?host={self.folder}&port={_PORT}"

    def new(self, template: str | None = None) -> str:
        """Make a database, empty or as another one is; return its name."""
        self._made += 1
        name = f"study_{self._made}"
        like = "" if template is None else f"TEMPLATE {template}"
        self.administer(f"CREATE DATABASE {name} OWNER {USER} {like}")
        return name

    def drop(self, database: str) -> None:
        """Drop a database, whoever still uses it."""
        self.administer(f"DROP DATABASE {database} WITH (FORCE)")

    def administer(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Carry out statements as the one who may do everything; return the rows of the last."""
        with self.connect(database) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def connect(self, database: str, user: str = ADMINISTRATOR) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a connection past the store, in which each statement stands for itself."""
        return psycopg.connect(host=str(self.folder), port=_PORT, user=user, dbname=database, autocommit=True)

    def start(self, **settings: str) -> None:
        """Start, and wait until it serves."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "max_connections": "40",
            "shared_buffers": "32MB",
            # Would look into databases that are being copied.
            "autovacuum": "off",
            "checkpoint_timeout": "1h",
            "max_wal_size": "256MB",
            **settings,
        }
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(_PORT)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        ready = threading.Event()
        self._log.clear()
        process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=_environment(),
            **_other_user(self.user),
            # It ends with the tests, even where they are killed.
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        self._process = process
        listener = threading.Thread(target=self._listen, args=(process, ready), daemon=True)
        listener.start()
        if not ready.wait(_SECONDS) or process.poll() is not None:
            self.stop()
            raise ServerMissing(f"PostgreSQL did not start: {' '.join(self._log[-3:])}")

    def stop(self) -> None:
        """Stop, with all connections closed in good order."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End as a power cut would: nothing is put in order, which the next start must do."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_SECONDS)
            self._process = None

    def _listen(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self._log.append(line.strip())
                del self._log[:-50]
                if _READY in line:
                    ready.set()
        ready.set()


@contextmanager
def running_server(*, in_memory: bool = True) -> Iterator[PostgresServer]:
    """Give a running server, and leave nothing of it.

    Parameters
    ----------
    in_memory
        Whether its disk may be memory, which makes tests quick and times of commits meaningless.

    Raises
    ------
    ServerMissing
        If none can be started here.
    """
    programs = _programs()
    user = _user()
    # Not pytest's own folder, which another user cannot enter; and names of sockets must be short.
    _clear_up_after_the_killed()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_in_memory() if in_memory else None))
    (folder / _OWNER).write_text(str(os.getpid()), encoding="ascii")
    server = PostgresServer(programs, folder, user)
    try:
        if user is not None:
            shutil.chown(folder, user)
        _make_data(server)
        server.start()
        server.administer(
            f"CREATE ROLE {USER} LOGIN",
            f"CREATE ROLE {STRANGER} LOGIN PASSWORD '{STRANGERS_PASSWORD}'",
        )
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    if sys.platform == "win32":
        raise ServerMissing("the tests start PostgreSQL on a Unix socket, which Windows has none of")
    found = [Path(name).resolve().parent for name in filter(None, [shutil.which("postgres")])]
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(debian, key=lambda path: float(path.parent.name), reverse=True)
    for folder in found:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    raise ServerMissing("PostgreSQL is not installed here: there is neither postgres nor initdb")


def _clear_up_after_the_killed() -> None:
    """Remove what tests left that were killed; their servers have ended with them."""
    for root in {Path(tempfile.gettempdir()), _MEMORY}:
        for left in root.glob(f"{_PREFIX}*"):
            owner = left / _OWNER
            if owner.is_file() and not _runs(int(owner.read_text(encoding="ascii") or 0)):
                shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _in_memory() -> str | None:
    """Return a folder in memory, where copies of databases take no time; None where there is too little."""
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    return str(_MEMORY) if roomy else None


def _user() -> str | None:
    """Return who runs the server: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return name
    raise ServerMissing("PostgreSQL cannot be run by root, and there is no other user to run it")


def _make_data(server: PostgresServer) -> None:
    command = [
        str(server.programs / "initdb"),
        *("-D", str(server.folder / "data"), "-U", ADMINISTRATOR, "-A", "trust", "-E", "UTF8", "--no-sync"),
        "--locale=C",
    ]
    english = ["--locale-provider=icu", "--icu-locale=en-US"]
    # Servers before version 15, and some builds, know no other way of sorting than the system's.
    for more in (english, []):
        made = subprocess.run(
            command + more,
            capture_output=True,
            text=True,
            cwd=server.folder,
            env=_environment(),
            check=False,
            **_other_user(server.user),
        )
        if made.returncode == 0:
            break
        shutil.rmtree(server.folder / "data", ignore_errors=True)
    else:
        raise ServerMissing(f"PostgreSQL could not be set up: {' '.join(made.stderr.split())[-300:]}")
    (server.folder / "data" / "pg_hba.conf").write_text(
        f"local all {STRANGER} scram-sha-256\nlocal all all trust\n", encoding="ascii"
    )


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}


def _other_user(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGINT)
