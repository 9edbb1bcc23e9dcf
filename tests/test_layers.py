"""The rooms of the house have their doors where the design put them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_import_contract_holds() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports.exe" if os.name == "nt" else "lint-imports")
    done = subprocess.run(
        [lint_imports, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)},
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert " 0 broken" in done.stdout


def test_no_file_is_longer_than_400_lines_and_no_heap_of_odds_and_ends() -> None:
    files = list((ROOT / "reader_app").rglob("*.py"))
    long = {str(path): count for path in files if (count := len(path.read_text("utf-8").splitlines())) > 400}
    assert not long
    assert not [path for path in files if path.stem in {"utils", "util", "helpers", "misc", "manager"}]
