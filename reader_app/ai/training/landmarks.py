"""Training of the network that places landmarks: phantoms say where, real joints say that it must agree.

Real joints have no places to learn from.  What is known of them is how views of one joint belong together: a
mean teacher (Tarvainen & Valpola 2017) places the points on two mild views, and where it agrees with itself
the network must give the same places on a hard view, turned, cut and worse exposed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from reader_app.ai.nets.landmarks import LandmarkNet, mean_and_spread
from reader_app.ai.training.checkpoint import optimiser_tensors, restore_optimiser, save_tensors
from reader_app.ai.training.landmark_figures import Figures, measure
from reader_app.ai.training.landmark_recipe import LandmarkRecipe, ViewRecipe, landmark_recipe
from reader_app.ai.training.landmark_sources import Joints, phantom_knees, real_joints
from reader_app.ai.training.landmark_views import Views, draw_views, network_views
from reader_app.ai.training.schedule import MovingAverage, one_cycle
from reader_app.errors import BundleError

BEST = "best.safetensors"
"""Averaged weights of the best epoch."""

_TARGET_WIDTH = 0.03  # of the view, standard deviation of the map that is aimed at: one cell
_POINT_WEIGHT = 10.0
_OUTSIDE = 0.02  # a point that near to the view's rim, or beyond, does not count
_TEACHER_SHARE = 0.25  # of the run, over which the weight of the real joints grows

Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Sources:
    """What is learned from, and what is chosen by."""

    phantoms: Joints
    real: Joints
    phantoms_validation: Joints
    real_validation: Joints


@dataclass(frozen=True)
class Epoch:
    """One line of the run's history; `trusted` is the share of real joints that the teacher answered for."""

    number: int
    loss: float
    real_loss: float
    trusted: float
    seconds: float
    figures: Figures


def read_sources(recipe: LandmarkRecipe, data: Path, cache: Path, tell: Tell) -> Sources:
    """Render the phantoms, where the cache does not hold them, and read the real joints."""
    total = recipe.phantoms + recipe.phantoms_validation
    films = range(total)

    def real(split: str, count: int) -> Joints:
        nominal = recipe.nominal
        return real_joints(
            data, split, count=count, edge=nominal.edge, height=nominal.height, seed=recipe.seed, tell=tell
        )

    return Sources(
        phantoms=phantom_knees(cache, films[: recipe.phantoms], seed=recipe.seed, tell=tell),
        real=real("train", recipe.joints),
        phantoms_validation=phantom_knees(cache, films[recipe.phantoms :], seed=recipe.seed, tell=tell),
        real_validation=real("val", recipe.joints_validation),
    )


class LandmarkTrainer:
    """One run in a run folder; a run that was cut off goes on after its last full epoch.

    Raises
    ------
    BundleError
        The folder holds a run of another recipe.
    """

    def __init__(self, recipe: LandmarkRecipe, sources: Sources, *, folder: Path, tell: Tell) -> None:
        self.recipe, self.sources, self.folder, self.tell = recipe, sources, folder, tell
        folder.mkdir(parents=True, exist_ok=True)
        self._same_recipe()
        torch.manual_seed(recipe.seed)
        self.net = LandmarkNet(len(recipe.points)).to(memory_format=torch.channels_last)
        self.teacher = LandmarkNet(len(recipe.points)).to(memory_format=torch.channels_last).eval()
        self.average = MovingAverage(self.net, recipe.average_decay)
        self.names = {parameter: name for name, parameter in self.net.named_parameters()}
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=recipe.peak_learning_rate, weight_decay=recipe.weight_decay
        )
        self.real_views = replace(
            recipe.views, narrowest=recipe.nominal.narrowest, widest=recipe.nominal.widest
        )
        self.history: list[Epoch] = []
        self.step = 0
        self._resume()

    def run(self) -> Epoch:
        """Train to the end, write the best epoch's averaged weights and return its record."""
        for number in range(len(self.history), self.recipe.epochs):
            self._finish(self._epoch(number))
        return min(self.history, key=lambda epoch: epoch.figures.score)

    def _epoch(self, number: int) -> Epoch:
        started = time.monotonic()
        generator = torch.Generator().manual_seed(self.recipe.seed * 1000 + number)
        losses, real_losses, trusted = [], [], []
        for index in range(self.recipe.steps):
            self._set_rate()
            loss = self._phantom_loss(generator)
            losses.append(float(loss.detach()))
            if number >= self.recipe.alone_epochs:
                real_loss, share = self._real_loss(generator)
                loss = loss + self._real_weight() * real_loss
                real_losses.append(float(real_loss.detach()))
                trusted.append(share)
            self._update(loss)
            if index % 10 == 0:
                done = (number + index / self.recipe.steps) / self.recipe.epochs
                self.tell(done, f"Epoch {number + 1} of {self.recipe.epochs}, loss {losses[-1]:.3f}")
        self.teacher.load_state_dict(self.average.state)
        return Epoch(
            number=number,
            loss=_mean(losses),
            real_loss=_mean(real_losses),
            trusted=_mean(trusted),
            seconds=time.monotonic() - started,
            figures=measure(
                self.teacher,
                phantoms=self.sources.phantoms_validation,
                real=self.sources.real_validation,
                views=self.recipe.views,
                size=self.recipe.size,
            ),
        )

    def _phantom_loss(self, generator: torch.Generator) -> Tensor:
        joints, recipe = self.sources.phantoms, self.recipe
        chosen = torch.randint(len(joints), (recipe.batch,), generator=generator)
        views = draw_views(
            joints.points[chosen], recipe.views, degrees=recipe.views.rotation_degrees, generator=generator
        )
        images = self._images(joints, chosen, views, recipe.views, generator)
        target = views.to_view(joints.points[chosen])
        return place_loss(self.net.maps(images), target, torch.ones(len(target)))

    def _real_loss(self, generator: torch.Generator) -> tuple[Tensor, float]:
        """Return the loss on a hard view of joints that the teacher is sure of, and their share."""
        joints, recipe = self.sources.real, self.recipe
        chosen = torch.randint(len(joints), (recipe.batch,), generator=generator)
        about = joints.points[chosen]
        self.teacher.load_state_dict(self.average.state)
        answers, sure = [], torch.ones(len(chosen), dtype=torch.bool)
        for _ in range(2):
            views = draw_views(
                about, self.real_views, degrees=recipe.teacher.rotation_degrees, generator=generator
            )
            mild = network_views(joints, chosen, views, None, size=recipe.size, generator=generator)
            with torch.no_grad():
                points, spread = self.teacher(mild.contiguous(memory_format=torch.channels_last))
            answers.append(views.to_image(points))
            sure &= (spread < recipe.teacher.spread).all(dim=1)
        apart = (answers[0] - answers[1]).norm(dim=2).amax(dim=1)
        sure &= apart < recipe.teacher.apart
        hard = draw_views(about, self.real_views, degrees=recipe.views.rotation_degrees, generator=generator)
        images = self._images(joints, chosen, hard, recipe.views, generator)
        target = hard.to_view((answers[0] + answers[1]) / 2.0)
        loss = place_loss(self.net.maps(images), target, sure.float())
        return loss, float(sure.float().mean())

    def _images(
        self, joints: Joints, chosen: Tensor, views: Views, look: ViewRecipe, generator: torch.Generator
    ) -> Tensor:
        images = network_views(joints, chosen, views, look, size=self.recipe.size, generator=generator)
        return images.contiguous(memory_format=torch.channels_last)

    def _real_weight(self) -> float:
        """Grow from 0 after the phantoms' lone start: a poor teacher must not be believed."""
        recipe = self.recipe
        since = self.step - recipe.alone_epochs * recipe.steps
        return recipe.teacher.weight * min(1.0, since / (_TEACHER_SHARE * recipe.epochs * recipe.steps))

    def _set_rate(self) -> None:
        recipe = self.recipe
        rate = one_cycle(
            self.step,
            recipe.epochs * recipe.steps,
            peak=recipe.peak_learning_rate,
            warmup_fraction=recipe.warmup_fraction,
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def _update(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        self.average.update(self.net, self.step)

    def _finish(self, epoch: Epoch) -> None:
        if all(epoch.figures.score < earlier.figures.score for earlier in self.history):
            save_tensors(self.folder / BEST, self.average.state, {})
        self.history.append(epoch)
        tensors = {f"net:{name}": tensor for name, tensor in self.net.state_dict().items()}
        tensors |= {f"average:{name}": tensor for name, tensor in self.average.state.items()}
        tensors |= optimiser_tensors(self.optimiser, self.names)
        records = json.dumps([asdict(each) for each in self.history])
        save_tensors(self.folder / "last.safetensors", tensors, {"history": records, "step": str(self.step)})
        (self.folder / "history.json").write_text(
            json.dumps([asdict(each) for each in self.history], indent=1), encoding="utf-8"
        )
        self.tell(len(self.history) / self.recipe.epochs, f"Epoch {epoch.number + 1}: {epoch.figures.words}")

    def _same_recipe(self) -> None:
        config = self.folder / "config.json"
        if not config.exists():
            config.write_text(json.dumps(self.recipe.to_table(), indent=2), encoding="utf-8")
        elif landmark_recipe(json.loads(config.read_text(encoding="utf-8"))) != self.recipe:
            raise BundleError(
                f"The run folder {self.folder} holds a run of another recipe.",
                "Name an empty folder for this run.",
            )

    def _resume(self) -> None:
        last = self.folder / "last.safetensors"
        if not last.exists():
            return
        with safe_open(last, framework="pt") as stream:
            metadata = stream.metadata()
        tensors = load_file(last)
        self.step = int(metadata["step"])
        for record in json.loads(metadata["history"]):
            self.history.append(Epoch(**(record | {"figures": Figures(**record["figures"])})))
        self.net.load_state_dict(_under(tensors, "net:"))
        self.average.load(_under(tensors, "average:"))
        restore_optimiser(self.optimiser, self.names, tensors, self.step)


def place_loss(maps: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return how far maps lie from peaks at the target, and their means from the target itself.

    Parameters
    ----------
    maps
        Logits, N x points x rows x columns.
    target
        N x points x (x, y), shares of the view; one beyond the view does not count.
    weight
        N, 0 for a joint that does not count.
    """
    rows, columns = maps.shape[-2:]
    x = (torch.arange(columns) + 0.5) / columns
    y = (torch.arange(rows) + 0.5) / rows
    far_x = (x - target[..., 0:1]).square()[:, :, None, :]
    far_y = (y - target[..., 1:2]).square()[:, :, :, None]
    peak = (-(far_x + far_y) / (2.0 * _TARGET_WIDTH**2)).flatten(2).softmax(dim=2)
    cross = -(peak * maps.flatten(2).log_softmax(dim=2)).sum(dim=2)
    lowest = -(peak * peak.clamp_min(1e-12).log()).sum(dim=2)  # the peak's own entropy: no map does better
    points, _ = mean_and_spread(maps)
    off = functional.smooth_l1_loss(points, target, reduction="none", beta=0.02).sum(dim=2)
    counts = ((target > _OUTSIDE) & (target < 1.0 - _OUTSIDE)).all(dim=2) * weight[:, None]
    return ((cross - lowest + _POINT_WEIGHT * off) * counts).sum() / counts.sum().clamp_min(1.0)


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
