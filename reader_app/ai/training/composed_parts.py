"""What is put onto a training film: real knees blended in, implants, lead letters, exposure and processing.

Films are float32, rows x columns, 0 to 255, bone bright; every function draws from the generator it is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from reader_app.imaging.geometry import Box

FloatArray = npt.NDArray[np.float32]

_FINER = 4  # shapes are drawn so much larger and reduced, for smooth edges
_METAL = 250.0
_RIM = 0.16  # of a pasted square's edge, over which it fades into the film
_FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSansMono-Bold.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSans-BoldOblique.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
)


def paste_square(film: FloatArray, patch: FloatArray, square: Box, *, degrees: float) -> None:
    """Blend a square picture into a film, in place.

    The picture's grey values are shifted by a smooth field so that they meet the film's along the rim, and
    fade into it there.

    Parameters
    ----------
    film, patch
        Grey values on about the same scale.
    square
        Where the picture comes to lie; it may reach beyond the film.
    degrees
        Turns the picture clockwise around the square's middle.
    """
    left, top = math.floor(square.x), math.floor(square.y)
    edge = max(8, round(square.width))
    picture = Image.fromarray(patch).resize((edge, edge), Image.Resampling.BILINEAR)
    picture = picture.rotate(-degrees, Image.Resampling.BILINEAR, fillcolor=float(np.median(patch)))
    weight = Image.fromarray(_window(edge)).rotate(-degrees, Image.Resampling.BILINEAR)
    rows = slice(max(top, 0), min(top + edge, film.shape[0]))
    columns = slice(max(left, 0), min(left + edge, film.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    inner = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    new, alpha = np.asarray(picture, np.float32)[inner], np.asarray(weight, np.float32)[inner]
    old = film[rows, columns]
    rim = ((alpha > 0.02) & (alpha < 0.7)).astype(np.float32)
    reach = edge / 6.0
    shift = _broad(rim * (old - new), reach) / np.maximum(_broad(rim, reach), 1e-4)
    film[rows, columns] = old + alpha * (new + shift - old)


def _broad(field: FloatArray, reach: float) -> FloatArray:
    """Return a field smoothed over so many pixels, worked out on a coarser grid where that is the same."""
    from scipy.ndimage import gaussian_filter

    rows, columns = field.shape
    step = max(1, int(reach / 6.0))
    size = (max(1, columns // step), max(1, rows // step))
    coarse = np.asarray(Image.fromarray(field).resize(size, Image.Resampling.BOX), np.float32)
    smooth = gaussian_filter(coarse, reach / step, mode="nearest")
    return np.asarray(Image.fromarray(smooth).resize((columns, rows), Image.Resampling.BILINEAR), np.float32)


@cache
def _window(edge: int) -> FloatArray:
    """Return 1 in the middle of a square, falling to 0 towards its rim."""
    place = (np.arange(edge) + 0.5) / edge
    near = np.clip(np.minimum(place, 1.0 - place) / _RIM, 0.0, 1.0)
    line = near * near * (3.0 - 2.0 * near)
    return np.asarray(np.outer(line, line), dtype=np.float32)


def draw_knee_implant(film: FloatArray, square: Box, rng: np.random.Generator) -> None:
    """Draw a femoral and a tibial component over a knee, in place; now and then one compartment alone.

    Parameters
    ----------
    square
        The knee's square of 1.45 plateau widths, joint line at 0.60 of its height.
    """
    width = square.width / 1.45
    x, y = square.centre[0], square.y + 0.60 * square.height
    partial = rng.random() < 0.15
    start, end = (-0.5, 0.5) if not partial else ((-0.5, -0.08) if rng.random() < 0.5 else (0.08, 0.5))
    thick, gap = rng.uniform(0.05, 0.10), rng.uniform(0.08, 0.16)
    tilt = math.radians(rng.normal(0.0, 2.0))
    shapes = [
        _femoral(start, end, gap, rng),
        [(start, gap / 2), (end, gap / 2), (end, gap / 2 + thick), (start, gap / 2 + thick)],
    ]
    if not partial or rng.random() < 0.5:
        shapes.append(_keel((start + end) / 2, gap / 2 + thick, rng, narrow=partial))
    turned = [[_turned(point, tilt) for point in shape] for shape in shapes]
    _draw(film, [[(x + u * width, y + v * width) for u, v in shape] for shape in turned], rng)


def _femoral(start: float, end: float, gap: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """The femoral cap seen from in front: condyles below, a shield above; in plateau widths."""
    height, notch = rng.uniform(0.28, 0.5), rng.uniform(0.02, 0.12)
    low = -gap / 2
    middle, half = (start + end) / 2, (end - start) / 2
    below = [
        (middle + half * t, low - notch * (1.0 - min(1.0, abs(t) / 0.35)) - 0.05 * max(0.0, abs(t) - 0.6))
        for t in np.linspace(-1.0, 1.0, 21)
    ]
    shield = rng.uniform(0.45, 0.85)
    above = [
        (middle + half * t * (1.0 if abs(t) > 0.8 else shield / 0.8), low - height * (1.0 - 0.35 * t * t))
        for t in np.linspace(1.0, -1.0, 15)
    ]
    return [*below, *above]


def _keel(x: float, top: float, rng: np.random.Generator, *, narrow: bool) -> list[tuple[float, float]]:
    wide = rng.uniform(0.05, 0.11) * (0.5 if narrow else 1.0)
    deep = rng.uniform(0.25, 0.75) * (0.4 if narrow else 1.0)
    fin = wide * rng.uniform(1.0, 3.0)
    return [
        (x - fin, top),
        (x + fin, top),
        (x + wide, top + 0.4 * deep),
        (x + 0.7 * wide, top + deep),
        (x - 0.7 * wide, top + deep),
        (x - wide, top + 0.4 * deep),
    ]


def draw_hip_implant(
    film: FloatArray, centre: tuple[float, float], radius: float, *, outwards: float, rng: np.random.Generator
) -> None:
    """Draw a head, neck and stem, and mostly a cup, over a hip, in place.

    Parameters
    ----------
    centre, radius
        Of the femoral head, pixels.
    outwards
        -1 where the body's outside lies to the left, 1 to the right.
    """
    head = radius * rng.uniform(0.55, 0.95)
    angle = math.radians(rng.uniform(38.0, 55.0))
    neck = (centre[0] + outwards * 2.0 * radius * math.sin(angle), centre[1] + 2.0 * radius * math.cos(angle))
    wide, length = radius * rng.uniform(0.28, 0.42), radius * rng.uniform(3.5, 6.0)
    lean = outwards * radius * rng.uniform(-0.3, 0.3)
    stem = [
        (neck[0] - 1.6 * wide, neck[1] - 0.2 * radius),
        (neck[0] + 1.6 * wide, neck[1] - 0.4 * radius),
        (neck[0] + wide + 0.4 * lean, neck[1] + 0.4 * length),
        (neck[0] + 0.4 * wide + lean, neck[1] + length),
        (neck[0] - 0.4 * wide + lean, neck[1] + length),
        (neck[0] - wide + 0.4 * lean, neck[1] + 0.4 * length),
    ]
    across = (0.35 * radius * math.cos(angle), -0.35 * radius * math.sin(angle) * outwards)
    bar = [
        (centre[0] + across[0], centre[1] + across[1]),
        (neck[0] + across[0], neck[1] + across[1]),
        (neck[0] - across[0], neck[1] - across[1]),
        (centre[0] - across[0], centre[1] - across[1]),
    ]
    shapes = [stem, bar, _circle(centre, head)]
    if rng.random() < 0.8:
        shapes.append(_cup(centre, radius * rng.uniform(1.05, 1.25), outwards, rng))
    _draw(film, shapes, rng)


def _circle(centre: tuple[float, float], radius: float) -> list[tuple[float, float]]:
    turns = np.linspace(0.0, 2.0 * math.pi, 33)
    return [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in turns]


def _cup(
    centre: tuple[float, float], radius: float, outwards: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Half a shell, open downwards and outwards."""
    open_at = math.radians(rng.uniform(35.0, 50.0)) * outwards
    turns = np.linspace(math.pi, 2.0 * math.pi, 25) + open_at
    inner = radius * rng.uniform(0.75, 0.88)
    outside = [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in turns]
    inside = [(centre[0] + inner * math.cos(a), centre[1] + inner * math.sin(a)) for a in turns[::-1]]
    return [*outside, *inside]


def _turned(point: tuple[float, float], angle: float) -> tuple[float, float]:
    u, v = point
    return u * math.cos(angle) - v * math.sin(angle), u * math.sin(angle) + v * math.cos(angle)


def _draw(
    film: FloatArray, shapes: Sequence[Sequence[tuple[float, float]]], rng: np.random.Generator
) -> None:
    """Cover polygons with metal, in place."""
    points = [point for shape in shapes for point in shape]
    left, top = (max(0, math.floor(min(point[axis] for point in points)) - 1) for axis in (0, 1))
    part = film[
        top : max(top, math.ceil(max(y for _, y in points)) + 1),
        left : max(left, math.ceil(max(x for x, _ in points)) + 1),
    ]
    rows, columns = part.shape
    if not rows or not columns:
        return
    mask = Image.new("L", (columns * _FINER, rows * _FINER))
    pen = ImageDraw.Draw(mask)
    for shape in shapes:
        pen.polygon([((x - left) * _FINER, (y - top) * _FINER) for x, y in shape], fill=255)
    share = np.asarray(mask.resize((columns, rows), Image.Resampling.BOX), np.float32) / 255.0
    share *= rng.uniform(0.85, 1.0)
    part += share * (_METAL + rng.normal(0.0, 3.0) - part)


def draw_text(
    film: FloatArray, text: str, *, height: float, place: tuple[float, float], rng: np.random.Generator
) -> Box | None:
    """Write lead letters on a film, in place.

    Parameters
    ----------
    height
        Of the letters, pixels.
    place
        Upper left corner.

    Returns
    -------
    Box or None
        What the letters cover, None where that is not wholly on the film.
    """
    font = ImageFont.truetype(str(_font_file(rng)), max(6, round(height * 1.38)) * 2)
    left, top, right, bottom = (round(value) for value in font.getbbox(text))
    stamp = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(stamp).text((4 - left, 4 - top), text, fill=255, font=font)
    if rng.random() < 0.15:
        stamp = _in_a_ring(stamp)
    stamp = stamp.rotate(float(rng.normal(0.0, 5.0)), Image.Resampling.BILINEAR, expand=True)
    stamp = stamp.resize((max(1, stamp.width // 2), max(1, stamp.height // 2)), Image.Resampling.BOX)
    covered = stamp.getbbox()
    x, y = round(place[0]), round(place[1])
    inside = x >= 0 and y >= 0 and x + stamp.width <= film.shape[1] and y + stamp.height <= film.shape[0]
    if covered is None or not inside:
        return None
    share = np.asarray(stamp, np.float32) / 255.0 * rng.uniform(0.6, 1.0)
    part = film[y : y + stamp.height, x : x + stamp.width]
    part += share * (np.maximum(rng.uniform(200.0, 255.0), part) - part)
    return Box(x + covered[0], y + covered[1], covered[2] - covered[0], covered[3] - covered[1])


def _in_a_ring(stamp: Image.Image) -> Image.Image:
    edge = round(1.5 * max(stamp.size))
    ringed = Image.new("L", (edge, edge))
    ringed.paste(stamp, ((edge - stamp.width) // 2, (edge - stamp.height) // 2))
    ImageDraw.Draw(ringed).ellipse((1, 1, edge - 2, edge - 2), outline=255, width=max(2, edge // 18))
    return ringed


def _font_file(rng: np.random.Generator) -> Path:
    found = find_spec("matplotlib")  # which brings these fonts; importing it would take a second
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    return folder / _FONTS[int(rng.integers(len(_FONTS)))]


def reduced(film: FloatArray, longest: int) -> tuple[FloatArray, float]:
    """Return a film with its longer edge at most `longest`, and its new pixels per old pixel."""
    rows, columns = film.shape
    factor = longest / max(rows, columns)
    if factor >= 1.0:
        return film, 1.0
    size = (max(16, round(columns * factor)), max(16, round(rows * factor)))
    return np.array(Image.fromarray(film).resize(size, Image.Resampling.BOX), dtype=np.float32), factor


def exposed(film: FloatArray, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return a film with another exposure and processing: uneven light, gamma, contrast, blur, noise."""
    from scipy.ndimage import gaussian_filter

    rows, columns = film.shape
    low, high = np.percentile(film, (0.5, 99.5))
    out = np.clip((film - low) / max(float(high - low), 1.0), 0.0, 1.0)
    out **= float(np.exp(rng.normal(0.0, 0.35)))
    x, y = np.linspace(-1.0, 1.0, columns), np.linspace(-1.0, 1.0, rows)
    out *= 1.0 + rng.normal(0.0, 0.12) * x[None, :] + rng.normal(0.0, 0.08) * y[:, None]
    if rng.random() < 0.4:
        out = gaussian_filter(out, rng.uniform(0.3, 1.2))
    if rng.random() < 0.3:  # equalised, as consoles do
        out = out - rng.uniform(0.2, 0.6) * _broad(out.astype(np.float32), 0.12 * max(rows, columns))
    out += rng.normal(0.0, 1.0, out.shape) * rng.uniform(0.0, 0.03)
    low, high = np.percentile(out, (0.5, 99.5))
    stretched = np.clip((out - low) / max(float(high - low), 1e-3), 0.0, 1.0)
    return np.asarray(np.rint(stretched * 255.0), dtype=np.uint8)


def collimate(film: FloatArray, rng: np.random.Generator) -> None:
    """Cover some of the borders, black as consoles do or white as unexposed, in place."""
    rows, columns = film.shape
    grey = float(film.max()) if rng.random() < 0.25 else float(film.min())
    for side in range(4):
        if rng.random() < 0.5:
            continue
        deep = rng.uniform(0.0, 0.06)
        if side == 0:
            film[: round(deep * rows)] = grey
        elif side == 1:
            film[rows - round(deep * rows) :] = grey
        elif side == 2:
            film[:, : round(deep * columns)] = grey
        else:
            film[:, columns - round(deep * columns) :] = grey
