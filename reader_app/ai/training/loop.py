"""The training loop: plain torch on the CPU, taken up again from its run folder after a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reader_app.ai.bundle_spec import Decision, HeadKind
from reader_app.ai.crop import standardise
from reader_app.ai.nets.grader import Grader, HeadSpec, build_grader
from reader_app.ai.training.augment import augment
from reader_app.ai.training.calibrate import (
    balanced_accuracy,
    graded_by,
    mean_probabilities,
    negative_log_likelihood,
)
from reader_app.ai.training.checkpoint import EpochRecord, RunFolder, optimiser_tensors, restore_optimiser
from reader_app.ai.training.examples import MISSING, CropCache, Example, build_cache
from reader_app.ai.training.loss import ordinal_loss, soft_targets
from reader_app.ai.training.recipe import Optimiser, Recipe, Schedule
from reader_app.ai.training.schedule import MovingAverage, one_cycle
from reader_app.ai.training.weights import imagenet_state
from reader_app.errors import ManifestError

ValidationMetric = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], float]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Predictions:
    """What a network says of a split.

    Attributes
    ----------
    logits
        Per head views x N x classes; the views are the crop and, where asked, its mirror image.
    features
        N x C, pooled, of the crop.
    """

    logits: tuple[npt.NDArray[np.float32], ...]
    features: npt.NDArray[np.float32]


def new_grader(recipe: Recipe) -> Grader:
    """Build the network of a recipe, started from ImageNet where the recipe says so."""
    torch.manual_seed(recipe.seed)
    heads = [HeadSpec(head.name, len(head.classes), head.kind) for head in recipe.heads]
    grader = build_grader(recipe.architecture, heads, drop_path=recipe.drop_path, dropout=recipe.dropout)
    if recipe.imagenet:
        state = imagenet_state(recipe.architecture, channels=1)
        body = {name: tensor for name, tensor in state.items() if not name.startswith("classifier.")}
        grader.body.load_state_dict(body)
    return grader.to(memory_format=torch.channels_last)


@torch.inference_mode()
def predict(grader: Grader, cache: CropCache, *, batch: int, mirror: bool) -> Predictions:
    """Run a network over cached crops, without augmentation but for the mirror image if asked."""
    grader.eval()
    logits: list[list[Tensor]] = [[] for _ in grader.head_specs]
    features: list[Tensor] = []
    for start in range(0, len(cache.crops), batch):
        images = standardise(torch.from_numpy(cache.crops[start : start + batch])[:, None].float() / 255.0)
        views = [images, images.flip(-1)] if mirror else [images]
        maps = [grader.features(view.contiguous(memory_format=torch.channels_last)) for view in views]
        outputs = [grader.logits(view_maps) for view_maps in maps]
        features.append(grader.pooled(maps[0]))
        for store, of_views in zip(logits, zip(*outputs, strict=True), strict=True):
            store.append(torch.stack(of_views))
    return Predictions(
        tuple(torch.cat(parts, dim=1).numpy() for parts in logits),
        torch.cat(features).numpy(),
    )


class Trainer:
    """One run of a recipe in a run folder.

    Parameters
    ----------
    recipe
        What to do.
    train, validation
        Joints to learn from and to choose by; never the test joints.
    folder
        The run folder; a run that was cut off goes on after its last full epoch.
    validation_metric
        ``(truth, graded) -> float`` on the class indices of a head; higher is better.  The best epoch has the
        highest mean over the heads.
    progress
        Called with the share of the run done and a sentence.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        train: Sequence[Example],
        validation: Sequence[Example],
        folder: Path,
        validation_metric: ValidationMetric,
        progress: Progress,
    ) -> None:
        self.recipe, self.train_examples, self.val_examples = recipe, train, validation
        self.folder = RunFolder(folder, recipe)
        self.metric, self.progress = validation_metric, progress
        self.history: list[EpochRecord] = []
        self.step = 0
        self.steps_per_epoch = len(train) // recipe.batch
        if self.steps_per_epoch < 1:
            raise ValueError("fewer training joints than one batch")
        self.grader = new_grader(recipe)
        self.average = MovingAverage(self.grader, recipe.average_decay)
        self.names = {parameter: name for name, parameter in self.grader.named_parameters()}
        kind = torch.optim.AdamW if recipe.optimiser is Optimiser.ADAMW else torch.optim.Adam
        self.optimiser = kind(self._parameter_groups(), lr=self._rate(0))
        self.targets = [soft_targets(len(head.classes), recipe.grade_sigma) for head in recipe.heads]
        self._resume()

    def _parameter_groups(self) -> list[dict[str, object]]:
        """Weights decay; biases and the scales of batch normalisation do not."""
        decayed = [p for p in self.grader.parameters() if p.ndim > 1]
        plain = [p for p in self.grader.parameters() if p.ndim <= 1]
        return [
            {"params": decayed, "weight_decay": self.recipe.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]

    def _resume(self) -> None:
        found = self.folder.load_last()
        if found is None:
            return
        tensors, self.history, self.step = found
        self.grader.load_state_dict(_under(tensors, "net:"))
        self.average.load(_under(tensors, "average:"))
        restore_optimiser(self.optimiser, self.names, tensors, self.step)

    def run(self) -> EpochRecord:
        """Train to the end of the recipe and return the record of the best epoch."""
        size = 0
        train = validation = None
        for epoch in range(len(self.history), self.recipe.epochs):
            if self.recipe.size_at(epoch) != size or train is None or validation is None:
                size = self.recipe.size_at(epoch)
                self._say(epoch, 0, f"Preparing crops of {size} pixels")
                preprocessing = self.recipe.crop_at(size)
                train = build_cache(self.train_examples, preprocessing)
                validation = build_cache(self.val_examples, preprocessing)
            self._finish_epoch(self._epoch(epoch, size, train, validation))
        return self.folder.load_best()[1]

    def _epoch(self, epoch: int, size: int, train: CropCache, validation: CropCache) -> EpochRecord:
        started = time.monotonic()
        generator = torch.Generator().manual_seed(self.recipe.seed + epoch)
        torch.manual_seed(self.recipe.seed + epoch)  # dropout and stochastic depth draw from the global one
        order = torch.randperm(len(train.crops), generator=generator)
        losses = []
        for index in range(self.steps_per_epoch):
            chosen = order[index * self.recipe.batch : (index + 1) * self.recipe.batch].numpy()
            losses.append(self._train_step(train.crops[chosen], train.grades[chosen], generator))
            if index % 20 == 0:
                self._say(epoch, index, f"Epoch {epoch + 1} of {self.recipe.epochs}, loss {losses[-1]:.3f}")
        loss = float(np.mean(losses))
        return self._validate(epoch, size, loss, validation, time.monotonic() - started)

    def _train_step(
        self, crops: npt.NDArray[np.uint8], grades: npt.NDArray[np.int64], generator: torch.Generator
    ) -> float:
        recipe = self.recipe
        rate = self._rate(self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        images = torch.from_numpy(crops)[:, None].float() / 255.0
        images = augment(images, recipe.augmentation, mirror=recipe.mirror_augmentation, generator=generator)
        images = standardise(images).contiguous(memory_format=torch.channels_last)
        truth = torch.from_numpy(grades)
        self.grader.train()
        self.grader.body.requires_grad_(not recipe.stage_at(self.step // self.steps_per_epoch).heads_only)
        outputs = self.grader(images)
        loss = sum(
            (
                recipe.heads[i].weight
                * ordinal_loss(
                    output,
                    truth[:, i],
                    self.targets[i],
                    expectation_weight=recipe.expectation_weight,
                    kind=recipe.heads[i].kind,
                )
                for i, output in enumerate(outputs)
            ),
            start=torch.zeros(()),
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.grader.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        self.average.update(self.grader, self.step)
        return float(loss.detach())

    def _rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        recipe = self.recipe
        if recipe.schedule is Schedule.BY_STAGE:
            return recipe.stage_at(step // self.steps_per_epoch).learning_rate
        return one_cycle(
            step,
            self.steps_per_epoch * recipe.epochs,
            peak=recipe.peak_learning_rate,
            warmup_fraction=recipe.warmup_fraction,
        )

    def _validate(
        self, epoch: int, size: int, loss: float, validation: CropCache, seconds: float
    ) -> EpochRecord:
        """Grade the validation joints with the averaged weights."""
        current = {name: tensor.clone() for name, tensor in self.grader.state_dict().items()}
        self.grader.load_state_dict(self.average.state)
        found = predict(self.grader, validation, batch=self.recipe.batch, mirror=self.recipe.mirror_test)
        self.grader.load_state_dict(current)
        of_heads = [
            self._head_figures(logits, validation.grades[:, index], self.recipe.heads[index].kind)
            for index, logits in enumerate(found.logits)
        ]
        val_loss, likeliest, rounded, balanced = (float(mean) for mean in np.mean(of_heads, axis=0))
        return EpochRecord(
            epoch=epoch,
            size=size,
            loss=loss,
            learning_rate=self.optimiser.param_groups[0]["lr"],
            val_loss=val_loss,
            metric=likeliest,
            metric_rounded=rounded,
            balanced_accuracy=balanced,
            seconds=seconds,
        )

    def _head_figures(
        self, logits: npt.NDArray[np.float32], grades: npt.NDArray[np.int64], kind: HeadKind
    ) -> tuple[float, float, float, float]:
        """Return loss, metric by the likeliest and by the rounded grade, and balanced accuracy of a head."""
        graded = grades != MISSING
        if not graded.any():
            raise ManifestError(
                "No validation joint has a grade for one of the heads.",
                "Give graded joints, or leave the head out of the recipe.",
            )
        truth, probabilities = grades[graded], mean_probabilities(logits[:, graded], kind=kind)
        likeliest = graded_by(probabilities, Decision.LIKELIEST)
        return (
            negative_log_likelihood(probabilities, truth),
            self.metric(truth, likeliest),
            self.metric(truth, graded_by(probabilities, Decision.ROUNDED)),
            balanced_accuracy(truth, likeliest),
        )

    def _finish_epoch(self, record: EpochRecord) -> None:
        best = max((earlier.score for earlier in self.history), default=float("-inf"))
        self.history.append(record)
        if record.score > best:
            self.folder.save_best(self.average.state, record)
        tensors = {f"net:{name}": tensor for name, tensor in self.grader.state_dict().items()}
        tensors |= {f"average:{name}": tensor for name, tensor in self.average.state.items()}
        tensors |= optimiser_tensors(self.optimiser, self.names)
        self.folder.save_last(tensors, self.history, self.step)
        self._say(
            record.epoch + 1,
            0,
            f"Epoch {record.epoch + 1} at {record.size} px: loss {record.loss:.3f}, "
            f"validation {record.metric:.4f} "
            f"(likeliest) {record.metric_rounded:.4f} (rounded), {record.seconds:.0f} s",
        )

    def _say(self, epoch: int, index: int, sentence: str) -> None:
        done = (epoch + index / self.steps_per_epoch) / self.recipe.epochs
        self.progress(min(1.0, done), sentence)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
