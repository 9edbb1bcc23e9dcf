"""What a finished training of a bundle's part leaves in its folder: weights, tables, a section of a card."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import tomli_w
import torch
from safetensors.torch import load_file, save_file

from reader_app.ai.nets.grader import half_state
from reader_app.ai.tables import to_table

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class PartFigures(DataclassInstance, Protocol):
        """Figures with the one by which the epoch was chosen."""

        @property
        def score(self) -> float:
            """The figure that chose."""


def store_half(best: Path, weights: Path) -> None:
    """Write the best weights of a run in half precision, as a bundle takes them."""
    save_file(half_state(load_file(best)), weights)


def write_part(folder: Path, name: str, part: DataclassInstance, *, found: PartFigures, card: str) -> None:
    """Write ``NAME.toml`` as a bundle names the part, ``figures.json`` and ``CARD.md``."""
    (folder / f"{name}.toml").write_bytes(tomli_w.dumps(to_table(part)).encode("utf-8"))
    (folder / "figures.json").write_text(
        json.dumps({"figures": asdict(found), "score": found.score, "torch": torch.__version__}, indent=2),
        encoding="utf-8",
    )
    (folder / "CARD.md").write_text(card, encoding="utf-8")
