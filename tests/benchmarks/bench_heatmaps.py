"""Whether heatmaps fall on planted lesions: phantoms rendered, networks trained on them, hits counted.

`reader-app bench heatmaps` does all of it from nothing, in an hour or two on two cores; `--films` takes fewer
or more films than `FILMS`.  What is done is kept in the folder that `READER_APP_PHANTOMS` names, so that a
run that was cut off goes on; without it the work is thrown away.  `run()` returns one row for each bundle,
item and kind of map.  The shipped bundle, which has never seen a phantom, is held against them as well.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it is loaded by its path

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.bundle_spec import Explainer, ExplainMethod, ExplainTarget
from reader_app.ai.training import train
from reader_app.ai.training.phantom_films import (
    PhantomJoint,
    Planting,
    cut_phantoms,
    read_phantoms,
    render_phantoms,
    split_of,
    with_derived,
)
from reader_app.ai.training.phantom_recipes import (
    derived_items,
    joint_of,
    phantom_bundles,
    phantom_recipe,
    planting_of,
)
from reader_app.operations.train import quadratic_kappa
from reader_app.protocols.model import JointKind
from reader_app.settings import resource_path
from tests.benchmarks.heatmap_hits import RADIUS_MM, ItemHits, measure
from tests.benchmarks.measuring import Row

FILMS = 450
SEED = 7
FOLDER = "READER_APP_PHANTOMS"
SHIPPED = "knee-kl"
MAPS = {
    "Grad-CAM of the grade": Explainer(ExplainMethod.GRAD_CAM, ExplainTarget.GRADE),
    "Grad-CAM of the expected grade": Explainer(ExplainMethod.GRAD_CAM, ExplainTarget.EXPECTED),
    "occlusion of the expected grade": Explainer(ExplainMethod.OCCLUSION, ExplainTarget.EXPECTED),
}


@dataclass(frozen=True)
class Workshop:
    """Where films, crops and runs lie, and how many films there are of each kind of joint and planting."""

    folder: Path
    films: int

    def joints(self, joint: JointKind, planting: Planting) -> tuple[PhantomJoint, ...]:
        """Return the joints of the films, rendered where they are not there yet."""
        folder = self.folder / "films" / f"{joint.value}-{planting.value}"
        render_phantoms(folder, joint, self.films, planting=planting, seed=SEED, tell=_tell)
        return tuple(with_derived(each, derived_items()) for each in read_phantoms(folder, self.films))

    def tested(self, joint: JointKind, planting: Planting) -> tuple[PhantomJoint, ...]:
        """Return the joints that no network learned from or was chosen by."""
        return tuple(each for each in self.joints(joint, planting) if split_of(each, self.films) == "test")

    def bundle(self, name: str) -> Bundle:
        """Return the bundle of this name, trained on phantoms unless that is done."""
        recipe, planting = phantom_recipe(name), planting_of(name)
        run = self.folder / "runs" / f"{name}-{planting.value}-{self.films}"
        if (run / name / "bundle.toml").is_file():
            return load_bundle(run / name)
        crops = self.folder / "crops" / f"{name}-{planting.value}-{self.films}"
        size = max(stage.size for stage in recipe.stages)
        joints = self.joints(joint_of(name), planting)
        cut_phantoms(joints, recipe.crop_at(size), crops, films=self.films, tell=_tell)
        return train(recipe, crops, run, validation_metric=quadratic_kappa, progress=_tell)


def run(*, films: int | None = None) -> list[Row]:
    """Render, train, explain and count.

    Returns
    -------
    list of dict
        bundle, item, map, joints with the lesion, those of them that the network calls, accuracy and what the
        commonest grade alone would reach, balanced accuracy, the share of maps whose maximum is near, the
        share of the mass that is near, what chance gives, ratio (mass over chance).
    """
    rows: list[Row] = []
    with _folder() as folder:
        workshop = Workshop(folder, films or FILMS)
        for name in phantom_bundles():
            bundle = workshop.bundle(name)
            rows += rows_of(bundle, name, workshop.tested(joint_of(name), planting_of(name)))
        shipped = load_bundle(resource_path("models", SHIPPED))
        for planting in Planting:
            title = f"{SHIPPED}, shipped, lesions {planting.value}"
            rows += rows_of(shipped, title, workshop.tested(JointKind.KNEE, planting))
    return rows


def rows_of(bundle: Bundle, title: str, joints: tuple[PhantomJoint, ...]) -> list[Row]:
    """Return one row for each kind of map and item."""
    return [
        _row(title, kind, hits)
        for kind, explainer in MAPS.items()
        for hits in measure(bundle, joints, explainer, radius_mm=RADIUS_MM)
    ]


def _row(bundle: str, kind: str, hits: ItemHits) -> Row:
    return {
        "bundle": bundle,
        "item": hits.item,
        "map": kind,
        "present": hits.present,
        "called": hits.called,
        "accuracy": round(hits.accuracy, 2),
        "majority": round(hits.majority, 2),
        "balanced": round(hits.balanced_accuracy, 2),
        f"maximum_within_{RADIUS_MM:.0f}_mm": round(hits.pointing, 2),
        "mass": round(hits.mass, 2),
        "chance": round(hits.chance, 2),
        "ratio": hits.mass / hits.chance if hits.chance else None,
    }


@contextmanager
def _folder() -> Iterator[Path]:
    named = os.environ.get(FOLDER)
    if named:
        yield Path(named)
        return
    with tempfile.TemporaryDirectory(prefix="phantoms-") as made:
        yield Path(made)


def _tell(done: float, sentence: str) -> None:
    if "Rendering" not in sentence and "Cutting" not in sentence:
        print(f"{100 * done:3.0f} %  {sentence}", file=sys.stderr)
