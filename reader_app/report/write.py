"""All renderings of one report into a folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from reader_app.errors import MissingPart
from reader_app.report.csv import csv_tables
from reader_app.report.html import render_html
from reader_app.report.json import to_json
from reader_app.report.model import Report


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write ``report.html``, ``report.json`` and the CSV tables; older ones of the same name are replaced.

    Everything is rendered before the first file is touched, and each file is replaced at once, so a fault
    leaves no half a file behind.

    Returns
    -------
    list of pathlib.Path
        The files, the page first.

    Raises
    ------
    MissingPart
        If the folder cannot be made or written to.
    """
    texts = {"report.html": render_html(report), "report.json": to_json(report), **csv_tables(report)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_replace(folder / name, text) for name, text in texts.items()]
    except OSError as fault:
        raise MissingPart(
            f"The report cannot be written to {folder}: {fault.strerror or fault}.",
            "Choose another folder, or free some space on this disk.",
        ) from fault


def _replace(target: Path, text: str) -> Path:
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=target.stem, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        # mkstemp keeps the file to its owner; a report is meant to be passed on.
        Path(partial).chmod(0o644)
        Path(partial).replace(target)
    except OSError:
        Path(partial).unlink(missing_ok=True)
        raise
    return target
