"""A run folder that survives a kill: one safetensors file and one JSON file, each replaced in one step."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from reader_app.ai.training.recipe import Recipe, recipe_from_table
from reader_app.errors import BundleError


@dataclass(frozen=True)
class EpochRecord:
    """One line of history.csv; the figures of the validation are means over the heads."""

    epoch: int
    size: int
    loss: float
    learning_rate: float
    val_loss: float
    metric: float
    metric_rounded: float
    balanced_accuracy: float
    seconds: float

    @property
    def score(self) -> float:
        """What the best epoch is chosen by."""
        return max(self.metric, self.metric_rounded)


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file under another name first, then rename it into place."""
    part = path.with_suffix(".part")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, part, metadata=dict(metadata))
    part.replace(path)


class RunFolder:
    """Files of one training run.

    ``config.json`` the recipe, ``history.csv`` one line per epoch, ``last.safetensors`` everything to go on
    from, ``best.safetensors`` the averaged weights of the best epoch.
    """

    def __init__(self, path: Path, recipe: Recipe) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        config = path / "config.json"
        if config.exists():
            if recipe_from_table(json.loads(config.read_text(encoding="utf-8"))) != recipe:
                raise BundleError(
                    f"The run folder {path} holds a run of another recipe.",
                    "Name an empty folder for this run.",
                )
        else:
            config.write_text(json.dumps(recipe.to_table(), indent=2), encoding="utf-8")

    @property
    def best_file(self) -> Path:
        """Averaged weights of the best epoch so far."""
        return self.path / "best.safetensors"

    @property
    def last_file(self) -> Path:
        """Everything needed to go on after the last full epoch."""
        return self.path / "last.safetensors"

    def save_last(self, tensors: Mapping[str, Tensor], history: Sequence[EpochRecord], step: int) -> None:
        """Write the state after an epoch; the history is in the same file, so the two cannot disagree."""
        records = [vars(record) for record in history]
        save_tensors(self.last_file, tensors, {"history": json.dumps(records), "step": str(step)})
        self._write_history(records)

    def load_last(self) -> tuple[dict[str, Tensor], list[EpochRecord], int] | None:
        """Return the state after the last full epoch, or None for a fresh run."""
        if not self.last_file.exists():
            return None
        with safe_open(self.last_file, framework="pt") as stream:
            metadata = stream.metadata()
        records = [EpochRecord(**record) for record in json.loads(metadata["history"])]
        return load_file(self.last_file), records, int(metadata["step"])

    def save_best(self, state: Mapping[str, Tensor], record: EpochRecord) -> None:
        """Keep the averaged weights of the best epoch."""
        save_tensors(self.best_file, state, {"record": json.dumps(vars(record))})

    def load_best(self) -> tuple[dict[str, Tensor], EpochRecord]:
        """Return the averaged weights of the best epoch and its line of the history."""
        with safe_open(self.best_file, framework="pt") as stream:
            record = EpochRecord(**json.loads(stream.metadata()["record"]))
        return load_file(self.best_file), record

    def history(self) -> list[EpochRecord]:
        """Return the records of all full epochs."""
        found = self.load_last()
        return [] if found is None else found[1]

    def _write_history(self, records: Sequence[Mapping[str, Any]]) -> None:
        part = self.path / "history.part"
        with part.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(EpochRecord.__dataclass_fields__))
            writer.writeheader()
            writer.writerows(records)
        part.replace(self.path / "history.csv")


_STEP, _MOMENTS = "step", ("exp_avg", "exp_avg_sq")


def optimiser_tensors(
    optimiser: torch.optim.Optimizer, names: Mapping[nn.Parameter, str]
) -> dict[str, Tensor]:
    """Return Adam's moments under the names of their parameters; what has not moved yet has none."""
    return {
        f"{key}:{name}": optimiser.state[parameter][key]
        for parameter, name in names.items()
        if optimiser.state.get(parameter)
        for key in (_STEP, *_MOMENTS)
    }


def restore_optimiser(
    optimiser: torch.optim.Optimizer,
    names: Mapping[nn.Parameter, str],
    tensors: Mapping[str, Tensor],
    step: int,
) -> None:
    """Put Adam's moments back; `step` serves where the run was begun before each parameter kept its own."""
    for parameter, name in names.items():
        moments = {key: tensors[f"{key}:{name}"].clone() for key in _MOMENTS if f"{key}:{name}" in tensors}
        if moments:
            own = tensors.get(f"{_STEP}:{name}", torch.tensor(float(step)))
            optimiser.state[parameter] = {_STEP: own.clone(), **moments}
