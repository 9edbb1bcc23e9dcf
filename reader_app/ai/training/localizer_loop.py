"""The training loop of a localizer: plain torch, taken up again from its run folder after a kill."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from reader_app.ai.nets.detectors import LIGHT_BODY, Detector, LightBody, build_detector
from reader_app.ai.training.checkpoint import optimiser_tensors, restore_optimiser, save_tensors
from reader_app.ai.training.localizer_figures import LocalizerFigures, measure
from reader_app.ai.training.localizer_films import FilmSet
from reader_app.ai.training.localizer_recipe import LocalizerRecipe, localizer_recipe
from reader_app.ai.training.localizer_views import batch_of
from reader_app.ai.training.schedule import MovingAverage, one_cycle
from reader_app.ai.training.weights import imagenet_state
from reader_app.errors import BundleError, MissingPart

Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class LocalizerEpoch:
    """One finished epoch; the figures are those of the averaged weights on the validation films."""

    epoch: int
    size: int
    loss: float
    seconds: float
    figures: LocalizerFigures


def new_detector(recipe: LocalizerRecipe, size: int) -> Detector:
    """Build the network of a recipe, started from ImageNet where the recipe says so.

    Raises
    ------
    MissingPart
        There are no ImageNet weights for it.
    """
    torch.manual_seed(recipe.seed)
    detector = build_detector(recipe.method, size, recipe.classes)
    if recipe.imagenet:
        backbone = getattr(detector.network, "backbone", None)
        if not isinstance(backbone, LightBody):
            raise MissingPart(
                f"No ImageNet weights are known for the localizer “{recipe.method}”.",
                "Set imagenet = false in the recipe.",
            )
        state = imagenet_state(LIGHT_BODY, channels=1)
        kept = backbone.body.state_dict()
        backbone.body.load_state_dict({name: state[name] for name in kept})
    return detector.to(memory_format=torch.channels_last)


class LocalizerRun:
    """A run folder: the recipe, the last state, the best weights.

    Parameters
    ----------
    path
        Made if it does not exist.

    Raises
    ------
    BundleError
        The folder holds a run of another recipe.
    """

    def __init__(self, path: Path, recipe: LocalizerRecipe) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        config = path / "config.json"
        if config.exists():
            if localizer_recipe(json.loads(config.read_text(encoding="utf-8"))) != recipe:
                raise BundleError(
                    f"The run folder {path} holds a run of another recipe.",
                    "Name an empty folder for this run.",
                )
        else:
            config.write_text(json.dumps(recipe.to_table(), indent=2), encoding="utf-8")

    def save_last(self, tensors: Mapping[str, Tensor], history: list[LocalizerEpoch], step: int) -> None:
        """Write the state after an epoch; the history is in the same file, so the two cannot disagree."""
        records = json.dumps([asdict(record) for record in history])
        save_tensors(self.path / "last.safetensors", tensors, {"history": records, "step": str(step)})
        (self.path / "history.json").write_text(records, encoding="utf-8")

    def load_last(self) -> tuple[dict[str, Tensor], list[LocalizerEpoch], int] | None:
        """Return the state after the last full epoch, or None for a fresh run."""
        file = self.path / "last.safetensors"
        if not file.exists():
            return None
        with safe_open(file, framework="pt") as stream:
            metadata = stream.metadata()
        history = [
            LocalizerEpoch(**{**record, "figures": LocalizerFigures(**record["figures"])})
            for record in json.loads(metadata["history"])
        ]
        return load_file(file), history, int(metadata["step"])

    @property
    def best_file(self) -> Path:
        """Averaged weights of the best epoch of the last size."""
        return self.path / "best.safetensors"


class LocalizerTrainer:
    """One run of a recipe.

    Parameters
    ----------
    train, validation
        Films to learn from and to choose by.
    folder
        A run that was cut off goes on after its last full epoch.
    tell
        Called with the share done and a sentence.
    """

    def __init__(
        self,
        recipe: LocalizerRecipe,
        *,
        train: FilmSet,
        validation: FilmSet,
        folder: LocalizerRun,
        tell: Tell,
    ) -> None:
        self.recipe, self.train, self.validation = recipe, train, validation
        self.folder, self.tell = folder, tell
        self.steps = len(train) // recipe.batch
        self.history: list[LocalizerEpoch] = []
        self.step = 0
        self._start(recipe.size_at(0), new_detector(recipe, recipe.size_at(0)))
        self.average = MovingAverage(self.detector, recipe.average_decay)
        self._resume()

    def _start(self, size: int, detector: Detector) -> None:
        """Take a network of this size, with an optimiser of its own."""
        self.size, self.detector = size, detector
        self.names = {
            parameter: name for name, parameter in detector.named_parameters() if parameter.requires_grad
        }
        decayed = [parameter for parameter in self.names if parameter.ndim > 1]
        plain = [parameter for parameter in self.names if parameter.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": self.recipe.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=self.recipe.peak_learning_rate / 25.0,
        )

    def _at_size(self, size: int) -> None:
        """Go on with squares of another size: the anchors grow with them, the weights stay."""
        if size == self.size:
            return
        state, moments = self.detector.state_dict(), self._moments()
        larger = build_detector(self.recipe.method, size, self.recipe.classes)
        larger.load_state_dict(state)
        self._start(size, larger.to(memory_format=torch.channels_last))
        if self.step:
            restore_optimiser(self.optimiser, self.names, moments, self.step)

    def _moments(self) -> dict[str, Tensor]:
        return optimiser_tensors(self.optimiser, self.names) if self.step else {}

    def _resume(self) -> None:
        found = self.folder.load_last()
        if found is None:
            return
        tensors, self.history, self.step = found
        self._at_size(self.history[-1].size)
        self.detector.load_state_dict(_under(tensors, "net:"))
        self.average.load(_under(tensors, "average:"))
        restore_optimiser(self.optimiser, self.names, tensors, self.step)

    def run(self) -> LocalizerEpoch:
        """Train to the end of the recipe and return the best epoch of the last size."""
        for epoch in range(len(self.history), self.recipe.epochs):
            self._at_size(self.recipe.size_at(epoch))
            self._finish(self._epoch(epoch))
        return max(self._final(), key=lambda record: record.figures.score)

    def _final(self) -> list[LocalizerEpoch]:
        return [record for record in self.history if record.size == self.recipe.size]

    def _epoch(self, epoch: int) -> LocalizerEpoch:
        started = time.monotonic()
        rng = np.random.default_rng([self.recipe.seed, epoch, 3])
        torch.manual_seed(self.recipe.seed + epoch)  # Faster R-CNN draws its samples from the global one
        order = rng.permutation(len(self.train))
        losses = []
        for index in range(self.steps):
            chosen = order[index * self.recipe.batch : (index + 1) * self.recipe.batch]
            losses.append(self._train_step([int(number) for number in chosen], rng))
            if index % 10 == 0:
                share = (epoch + index / self.steps) / self.recipe.epochs
                mean = float(np.mean(losses[-20:]))
                self.tell(share, f"Epoch {epoch + 1} of {self.recipe.epochs}, loss {mean:.3f}")
        found = self._validate()
        return LocalizerEpoch(epoch, self.size, float(np.mean(losses)), time.monotonic() - started, found)

    def _train_step(self, chosen: list[int], rng: np.random.Generator) -> float:
        recipe = self.recipe
        for group in self.optimiser.param_groups:
            group["lr"] = one_cycle(
                self.step,
                self.steps * recipe.epochs,
                peak=recipe.peak_learning_rate,
                warmup_fraction=recipe.warmup_fraction,
            )
        squares, targets = batch_of(
            [self.train.film(number) for number in chosen],
            self.size,
            classes=recipe.classes,
            changes=recipe.changes,
            rng=rng,
        )
        self.detector.train()
        loss = self.detector.losses(squares.contiguous(memory_format=torch.channels_last), targets)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(list(self.names), 5.0)
        self.optimiser.step()
        self.step += 1
        self.average.update(self.detector, self.step)
        return float(loss.detach())

    def _validate(self) -> LocalizerFigures:
        """Measure the averaged weights on the validation films."""
        current = {name: tensor.clone() for name, tensor in self.detector.state_dict().items()}
        self.detector.load_state_dict(self.average.state)
        found = measure(
            self.detector,
            self.validation,
            size=self.size,
            classes=self.recipe.classes,
            joint=self.recipe.joint,
        )
        self.detector.load_state_dict(current)
        return found

    def _finish(self, record: LocalizerEpoch) -> None:
        self.history.append(record)
        final = self._final()
        if record in final and record is max(final, key=lambda each: each.figures.score):
            save_tensors(self.folder.best_file, self.average.state, {"epoch": str(record.epoch)})
        state = {f"net:{name}": tensor for name, tensor in self.detector.state_dict().items()}
        state |= {f"average:{name}": tensor for name, tensor in self.average.state.items()}
        self.folder.save_last(state | self._moments(), self.history, self.step)
        self.tell((record.epoch + 1) / self.recipe.epochs, f"Epoch {record.epoch + 1}: {record.figures}")


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
