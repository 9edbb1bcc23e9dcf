"""Whether a folder lies on a network share, where SQLite's write-ahead log cannot work.

The log needs shared memory between all that have the database open (sqlite.org/wal.html), and network
file systems lock unreliably: two machines would damage the study.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from reader_app.errors import StudyError

MOUNT_TABLE = Path("/proc/mounts")

# Only what lies on another machine. Shares of a virtual machine with its own host (9p, virtiofs, drvfs) are
# one machine's disk and stay allowed.
NETWORK_TYPES = frozenset(
    {
        "nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "ncpfs", "davfs",
        "webdav", "ceph", "glusterfs", "lustre", "beegfs", "fuse.sshfs", "fuse.davfs2", "fuse.rclone",
        "fuse.glusterfs", "fuse.ceph", "fuse.smbnetfs", "fuse.s3fs", "fuse.gcsfuse",
    }
)  # fmt: skip

_DRIVE_REMOTE = 4  # GetDriveTypeW, Windows SDK fileapi.h


def refuse_network_share(folder: Path) -> None:
    """Raise unless an embedded database may live in this folder.

    Raises
    ------
    StudyError
        If the folder lies on a network share.
    """
    kind = network_share(folder)
    if kind is not None:
        raise StudyError(
            f"The study folder {folder} lies on a network share ({kind}), where the embedded database "
            "could be damaged as soon as two computers use it.",
            "Move the study to a disk of this computer, or keep it on a PostgreSQL server and name that "
            "in study.toml.",
        )


def network_share(folder: Path) -> str | None:
    """Return the kind of network share that the folder lies on, None for a disk of this machine."""
    absolute = Path(os.path.realpath(folder))
    if sys.platform == "win32":
        return _windows_share(absolute)
    if MOUNT_TABLE.is_file():
        return share_in_mounts(absolute, MOUNT_TABLE.read_text(encoding="utf-8", errors="replace"))
    if sys.platform == "darwin":
        listing = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False, timeout=5)
        return share_in_mac_mounts(absolute, listing.stdout)
    return None


def share_in_mounts(folder: Path, table: str) -> str | None:
    """Read a mount table as Linux writes it (proc(5): device, folder, type, ...)."""
    mounts = []
    for line in table.splitlines():
        fields = line.split()
        if len(fields) >= 3:
            # Blanks in names stand as octal escapes.
            where = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1])
            mounts.append((where, fields[2]))
    return _network_type(folder, mounts)


def share_in_mac_mounts(folder: Path, listing: str) -> str | None:
    """Read what macOS' mount(8) prints: ``device on folder (type, options)``."""
    found = re.findall(r"^.+? on (.+) \(([^,)]+)[^)]*\)$", listing, flags=re.MULTILINE)
    return _network_type(folder, found)


def _network_type(folder: Path, mounts: list[tuple[str, str]]) -> str | None:
    best, best_type = -1, ""
    for where, kind in mounts:
        # A later mount over the same folder hides the earlier one.
        if folder.is_relative_to(where) and len(Path(where).parts) >= best:
            best, best_type = len(Path(where).parts), kind
    return best_type if best_type.lower() in NETWORK_TYPES else None


def _windows_share(folder: Path) -> str | None:
    if str(folder).startswith("\\\\") and not str(folder).startswith("\\\\?\\"):
        return "UNC path"
    if sys.platform == "win32":  # said again so that type checkers elsewhere skip the call
        import ctypes

        if ctypes.windll.kernel32.GetDriveTypeW(str(folder.anchor)) == _DRIVE_REMOTE:
            return "network drive"
    return None
