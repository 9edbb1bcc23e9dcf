"""Training films for localizers: phantom bodies, real knees blended into them, and what else lies on films.

A knee's box is the square that the grading networks for single knees were trained on: 1.45 plateau widths
wide, the joint line at 0.60 of its height (measured by the rules of `reader_app.ai.localizer`).  A hip's is
centred on the femoral head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reader_app.ai.training.composed_parts import (
    FloatArray,
    collimate,
    draw_hip_implant,
    draw_knee_implant,
    draw_text,
    exposed,
    paste_square,
    reduced,
)
from reader_app.imaging.geometry import Box, Side

EDGE_PER_PLATEAU = 1.45
JOINT_HEIGHT = 0.60
EDGE_PER_HEAD = 5.0
"""Edge of a hip's box in radii of the femoral head: 120 mm around a head of 48 mm, with roof and neck."""

LONGEST_EDGE = 448
"""Pixels of a training film: more than a detector's square shows of it."""

JOINT, PROSTHESIS, MARKER = "joint", "prosthesis", "marker-"
_OTHER_TEXTS = ("AP", "PA", "WB", "1", "7", "12", "STANDING", "KW", "10:42", "30", "H", "P", "B", "E", "T")


@dataclass(frozen=True)
class Target:
    """Something that a localizer is to find; `box` is in pixels and may reach beyond the film."""

    label: str
    box: Box


@dataclass(frozen=True, eq=False)
class ComposedFilm:
    """A training film: uint8, rows x columns, bone bright, and what is on it."""

    pixels: npt.NDArray[np.uint8]
    targets: tuple[Target, ...]


@dataclass(frozen=True, eq=False)
class Body:
    """A phantom film without lead letters: uint8, and per side the box of its joint.

    `radii` are those of femoral heads, empty for knees; the right side lies on the left of the image.
    """

    pixels: npt.NDArray[np.uint8]
    boxes: Mapping[Side, Box]
    radii: Mapping[Side, float]

    @property
    def are_hips(self) -> bool:
        """Whether it is a pelvis."""
        return bool(self.radii)


class Knees(Protocol):
    """Real knees to draw from."""

    def draw(self, side: Side, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Return a square crop as the grading networks know it, as it lies on a film on this side."""


def knee_box(plateau: tuple[tuple[float, float], tuple[float, float]], joint_line: float) -> Box:
    """Return a knee's box from the ends of its plateau and the height of its joint line."""
    (x0, y0), (x1, y1) = plateau
    edge = EDGE_PER_PLATEAU * float(np.hypot(x1 - x0, y1 - y0))
    return Box((x0 + x1 - edge) / 2.0, joint_line - JOINT_HEIGHT * edge, edge, edge)


def compose(body: Body, knees: Knees | None, rng: np.random.Generator) -> ComposedFilm:
    """Make a training film of a phantom.

    Parameters
    ----------
    body
        The phantom.
    knees
        Real ones that mostly take the place of the phantom's; None for hips or where there are none.
    """
    if knees is not None and rng.random() < 0.12:
        return _crop_alone(knees, rng)
    film = body.pixels.astype(np.float32)
    boxes = dict(body.boxes)
    labels = dict.fromkeys(Side, JOINT)
    if knees is not None:
        _paste_knees(film, boxes, knees, rng)
    for side, box in boxes.items():
        if rng.random() < 0.13:
            labels[side] = PROSTHESIS
            _draw_implant(film, body, side, box, rng)
    if not body.are_hips:
        film, boxes = _with_gap(film, boxes, rng)
    film, joints = _framed(film, [Target(labels[side], box) for side, box in boxes.items()], rng)
    film, factor = reduced(film, LONGEST_EDGE)
    joints = [replace(joint, box=_scaled(joint.box, factor)) for joint in joints]
    if rng.random() < 0.35:
        collimate(film, rng)
    markers = _write_letters(film, joints, rng)
    return ComposedFilm(exposed(film, rng), (*joints, *markers))


def _crop_alone(knees: Knees, rng: np.random.Generator) -> ComposedFilm:
    """A real crop as it is, more or less: a film of one joint that is the box itself."""
    side = Side.RIGHT if rng.random() < 0.5 else Side.LEFT
    film = knees.draw(side, rng).astype(np.float32)
    edge = float(film.shape[0])
    targets = [Target(JOINT, Box(0.0, 0.0, edge, edge))]
    if rng.random() < 0.1:
        draw_knee_implant(film, targets[0].box, rng)
        targets = [replace(targets[0], label=PROSTHESIS)]
    if rng.random() < 0.5:  # a strip or a part of it
        top, bottom = (round(rng.uniform(0.0, 0.2) * edge) for _ in range(2))
        left, right = (round(rng.uniform(0.0, 0.08) * edge) for _ in range(2))
        film, targets = _window(film, targets, left, top, round(edge) - right, round(edge) - bottom)
    return ComposedFilm(exposed(film, rng), (*targets, *_write_letters(film, targets, rng)))


def _paste_knees(film: FloatArray, boxes: dict[Side, Box], knees: Knees, rng: np.random.Generator) -> None:
    """Put real knees in the phantom's places, in place; their boxes go with them."""
    size = float(np.exp(rng.normal(0.0, 0.09)))
    for side, box in list(boxes.items()):
        if rng.random() < 0.15:
            continue
        edge = box.width * size * float(np.exp(rng.normal(0.0, 0.03)))
        x = box.centre[0] + rng.normal(0.0, 0.03) * edge
        y = box.centre[1] + rng.normal(0.0, 0.06) * edge
        square = Box(x - edge / 2.0, y - edge / 2.0, edge, edge)
        patch = knees.draw(side, rng).astype(np.float32)
        old = film[_slices(square, film)]
        gain = float(np.clip(old.std() / max(float(patch.std()), 1.0), 0.5, 1.6)) * rng.uniform(0.8, 1.5)
        patch = (patch - patch.mean()) * gain + float(old.mean())
        paste_square(film, patch, square, degrees=float(rng.normal(0.0, 3.0)))
        boxes[side] = square


def _slices(box: Box, film: FloatArray) -> tuple[slice, slice]:
    inner = box.clipped(*film.shape)
    return (
        slice(int(inner.y), max(int(inner.bottom), int(inner.y) + 1)),
        slice(int(inner.x), max(int(inner.right), int(inner.x) + 1)),
    )


def _draw_implant(film: FloatArray, body: Body, side: Side, box: Box, rng: np.random.Generator) -> None:
    if body.are_hips:
        outwards = -1.0 if side is Side.RIGHT else 1.0
        draw_hip_implant(film, box.centre, body.radii[side], outwards=outwards, rng=rng)
    else:
        draw_knee_implant(film, box, rng)


def _with_gap(
    film: FloatArray, boxes: Mapping[Side, Box], rng: np.random.Generator
) -> tuple[FloatArray, dict[Side, Box]]:
    """Move the legs apart or together."""
    right, left = boxes[Side.RIGHT], boxes[Side.LEFT]
    middle = round((right.right + left.x) / 2.0)
    free = left.x - right.right
    change = round(rng.uniform(-0.9, 0.8) * max(free, 0.2 * right.width))
    if change < 0:
        half = -change // 2
        film = np.concatenate([film[:, : middle - half], film[:, middle + half :]], axis=1)
        shift = -2.0 * half
        _soften(film, middle - half)
    else:
        between = np.linspace(film[:, middle - 1], film[:, middle], change + 2, axis=1)[:, 1:-1]
        film = np.concatenate([film[:, :middle], between.astype(np.float32), film[:, middle:]], axis=1)
        shift = float(change)
    return np.ascontiguousarray(film), {Side.RIGHT: right, Side.LEFT: left.moved(shift, 0.0)}


def _soften(film: FloatArray, column: int, reach: int = 8) -> None:
    """Smooth a seam between two halves, in place."""
    first, last = max(column - reach, 0), min(column + reach, film.shape[1] - 1)
    share = np.linspace(0.0, 1.0, last - first, dtype=np.float32)[None, :]
    line = film[:, first : first + 1] * (1.0 - share) + film[:, last : last + 1] * share
    bend = np.abs(2.0 * share - 1.0)
    film[:, first:last] = film[:, first:last] * bend + line * (1.0 - bend)


def _framed(
    film: FloatArray, joints: list[Target], rng: np.random.Generator
) -> tuple[FloatArray, list[Target]]:
    """Cut the film to one of the formats that are seen: both joints or one; strip, usual, whole or square."""
    rows, columns = film.shape
    single = rng.random() < 0.25
    kept = [joints[int(rng.integers(2))]] if single else joints
    edge = float(np.mean([target.box.width for target in kept]))
    left = min(target.box.x for target in kept) + rng.uniform(-0.6, 0.12) * edge
    right = max(target.box.right for target in kept) + rng.uniform(-0.12, 0.6) * edge
    line = float(np.mean([target.box.y + JOINT_HEIGHT * target.box.height for target in kept]))
    form = rng.random()
    if form < 0.4:  # strips
        height = rng.uniform(0.65, 1.0) * edge
        top = line - rng.uniform(0.35, 0.65) * height
        bottom = top + height
    elif form < 0.75:
        top = line - rng.uniform(0.6, 1.6) * edge
        bottom = line + rng.uniform(0.45, 1.4) * edge
    else:
        top, bottom = rng.uniform(-0.3, 0.1) * rows, rng.uniform(0.9, 1.3) * rows
        if not single:
            left, right = rng.uniform(-0.1, 0.06) * columns, rng.uniform(0.94, 1.1) * columns
    if single:  # the other joint stays out of sight
        other = joints[0] if kept[0] is joints[1] else joints[1]
        if other.box.x > kept[0].box.x:
            right = min(right, other.box.x + 0.12 * edge)
        else:
            left = max(left, other.box.right - 0.12 * edge)
    return _window(film, kept, *(round(value) for value in (left, top, right, bottom)))


def _window(
    film: FloatArray, targets: list[Target], left: int, top: int, right: int, bottom: int
) -> tuple[FloatArray, list[Target]]:
    """Cut a rectangle out of a film, as far as it lies on it."""
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, film.shape[1]), min(bottom, film.shape[0])
    moved = [replace(target, box=target.box.moved(-float(left), -float(top))) for target in targets]
    return np.ascontiguousarray(film[top:bottom, left:right]), moved


def _write_letters(film: FloatArray, joints: list[Target], rng: np.random.Generator) -> list[Target]:
    """Write lead letters beside joints, some on the wrong side, and now and then other texts."""
    found: list[Target] = []
    edge = float(np.mean([target.box.width for target in joints]))
    odds = 0.6
    wrong = rng.random() < 0.2
    for side in Side:
        if rng.random() > odds:
            continue
        on_left = (side is Side.RIGHT) != wrong
        height = rng.uniform(0.11, 0.26) * edge
        place = _free_place(
            film, joints, found, height, on_left=on_left if len(joints) > 1 else None, rng=rng
        )
        if place is not None:
            box = draw_text(film, side.value, height=height, place=place, rng=rng)
            found += [Target(f"{MARKER}{side.value}", box)] if box is not None else []
    if rng.random() < 0.25:
        text = _OTHER_TEXTS[int(rng.integers(len(_OTHER_TEXTS)))]
        height = rng.uniform(0.08, 0.2) * edge
        place = _free_place(film, joints, found, height * len(text), on_left=None, rng=rng)
        if place is not None:
            draw_text(film, text, height=height, place=place, rng=rng)
    return found


def _free_place(
    film: FloatArray,
    joints: list[Target],
    letters: list[Target],
    height: float,
    *,
    on_left: bool | None,
    rng: np.random.Generator,
) -> tuple[float, float] | None:
    """Return an upper left corner where letters cover no joint's middle; None where a few tries find none."""
    rows, columns = film.shape
    room = 1.25 * height
    cores = [_inner(target.box, 0.75) for target in joints] + [target.box for target in letters]
    first, last = 0.0, columns - room
    if on_left is not None and len(joints) > 1:
        middle = sum(target.box.centre[0] for target in joints) / len(joints)
        first, last = (first, middle - room) if on_left else (middle, last)
    if last <= first or rows <= room:
        return None
    for _ in range(12):
        x, y = rng.uniform(first, last), rng.uniform(0.0, rows - room)
        spot = Box(x, y, room, room)
        if all(spot.iou(core) == 0.0 for core in cores):
            return x, y
    return None


def _scaled(box: Box, factor: float) -> Box:
    return Box(box.x * factor, box.y * factor, box.width * factor, box.height * factor)


def _inner(box: Box, share: float) -> Box:
    x, y = box.centre
    return Box(x - share * box.width / 2, y - share * box.height / 2, share * box.width, share * box.height)
