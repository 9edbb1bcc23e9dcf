"""The list of who got which pseudonym: kept by nobody unless a coordinator asks for it, outside the study."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from reader_app.errors import ManifestError


def append_key(path: Path, identities: Mapping[str, str]) -> None:
    """Append pseudonyms by identifier to a CSV file, those that it does not hold already.

    Raises
    ------
    ManifestError
        If the file cannot be read or written.
    """
    try:
        known = set()
        if path.exists():
            with path.open(encoding="utf-8", newline="") as stream:
                known = {tuple(row) for row in csv.reader(stream)}
        with path.open("a", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            rows = [("participant", "pseudonym"), *sorted(identities.items())]
            writer.writerows(row for row in rows if row not in known)
    except (OSError, UnicodeDecodeError) as fault:
        raise ManifestError(
            f"The key file {path} cannot be written: {fault}.",
            "What was found is kept; import again with another key file to get the list.",
        ) from fault
