"""Whether heatmaps fall on what was planted in phantoms: measured, never assumed.

A joint counts for an item where the lesion is planted (grade 1 or more) and the network says so (grade 1 or
more).  Its map is laid onto the film; "near" is within `RADIUS_MM` of the nearest place where the item's
grade shows.  The radius is about two thirds of a cell of the networks' last map, which has 5 x 5 cells over
140 to 150 mm: a finer answer is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reader_app.ai.bundle import Bundle, BundleHead, Explainer
from reader_app.ai.pipeline import JointImage, JointPreGrade, Pipeline
from reader_app.ai.training.phantom_films import PhantomJoint
from reader_app.ai.training.phantom_recipes import column_of

RADIUS_MM = 20.0

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MapHit:
    """One heatmap held against the places of what was planted.

    Parameters
    ----------
    at_maximum
        The map's highest cell is near (the pointing game: Zhang et al., IJCV 2018).
    mass
        The share of the map's mass that is near.
    area
        The share of the map's cells that is near: what chance would give, for both.
    """

    at_maximum: bool
    mass: float
    area: float


@dataclass(frozen=True)
class ItemHits:
    """The hits of one head, and whether the network learned what the head grades.

    Parameters
    ----------
    joints
        With a grade for the item.
    present, called
        Joints where it is planted, and those of them where the network says so.
    accuracy, balanced_accuracy
        Of the grades given, on all joints.
    majority
        The accuracy of always giving the commonest grade.
    empty
        Maps without any mass, among `called`; they count as misses.
    hits
        Of the other maps.
    """

    item: str
    joints: int
    present: int
    called: int
    accuracy: float
    balanced_accuracy: float
    majority: float
    empty: int
    hits: tuple[MapHit, ...]

    @property
    def pointing(self) -> float:
        """The share of maps whose maximum is near."""
        return sum(hit.at_maximum for hit in self.hits) / max(self.called, 1)

    @property
    def mass(self) -> float:
        """The mean share of the mass that is near."""
        return sum(hit.mass for hit in self.hits) / max(self.called, 1)

    @property
    def chance(self) -> float:
        """The mean share of the area that is near."""
        return float(np.mean([hit.area for hit in self.hits])) if self.hits else 0.0


def map_hit(
    heatmap: npt.NDArray[np.floating],
    to_film: Matrix,
    places: Sequence[tuple[float, float]],
    *,
    radius: float,
) -> MapHit | None:
    """Hold one map against places on its film; None where the map is empty.

    Parameters
    ----------
    heatmap
        Cells, zero or more.
    to_film
        2 x 3: film (x, y) = to_film @ (column, row, 1).
    places
        Film (x, y), pixel centres on whole numbers.
    radius
        In film pixels.
    """
    values = np.maximum(np.asarray(heatmap, dtype=np.float64), 0.0)
    if values.max() <= 0.0:
        return None
    rows, columns = np.mgrid[0 : values.shape[0], 0 : values.shape[1]]
    x, y = np.tensordot(to_film, np.stack([columns, rows, np.ones_like(rows)]), axes=1)
    away = np.min([np.hypot(x - px, y - py) for px, py in places], axis=0)
    near = away <= radius
    highest = np.unravel_index(int(values.argmax()), values.shape)
    return MapHit(bool(near[highest]), float(values[near].sum() / values.sum()), float(near.mean()))


def measure(
    bundle: Bundle, joints: Sequence[PhantomJoint], explainer: Explainer, *, radius_mm: float = RADIUS_MM
) -> tuple[ItemHits, ...]:
    """Grade and explain joints with a bundle, and hold every head against what was planted.

    Parameters
    ----------
    explainer
        How the maps are made, in place of the bundle's own way.
    """
    explained = replace(bundle, spec=replace(bundle.spec, explainer=explainer))
    answers = Pipeline(explained, device="cpu").pregrade_many([_image(joint) for joint in joints])
    return tuple(
        _item_hits(head, joints, answers, radius_mm)
        for head in bundle.spec.heads
        if all(column_of(head.item) in joint.grades for joint in joints)
    )


def _image(joint: PhantomJoint) -> JointImage:
    return JointImage(
        pixels=joint.pixels(),
        box=joint.box,
        side=joint.side.value,
        pixel_sha256="",
        spacing_mm=(joint.spacing_mm, joint.spacing_mm),
        tilt_degrees=joint.tilt_degrees,
    )


def _item_hits(
    head: BundleHead, joints: Sequence[PhantomJoint], answers: Sequence[JointPreGrade], radius_mm: float
) -> ItemHits:
    column = column_of(head.item)
    truth = np.array([joint.grades[column] for joint in joints])
    given = np.array([answer.predictions[head.item].code for answer in answers])
    grades, counts = np.unique(truth, return_counts=True)
    called = [index for index in range(len(joints)) if truth[index] > 0 and given[index] > 0]
    maps = []
    for index in called:
        heatmap = answers[index].predictions[head.item].heatmap
        if heatmap is None:
            continue
        maps.append(
            map_hit(
                heatmap,
                answers[index].crop_to_film,
                joints[index].places[column],
                radius=radius_mm / joints[index].spacing_mm,
            )
        )
    hits = tuple(hit for hit in maps if hit is not None)
    return ItemHits(
        item=head.item.key,
        joints=len(joints),
        present=int((truth > 0).sum()),
        called=len(called),
        accuracy=float((truth == given).mean()),
        balanced_accuracy=float(np.mean([(given[truth == grade] == grade).mean() for grade in grades])),
        majority=float(counts.max() / counts.sum()),
        empty=len(called) - len(hits),
        hits=hits,
    )
