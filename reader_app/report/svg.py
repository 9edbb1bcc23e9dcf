"""Figures as inline SVG: forest of kappas, ROC curves, flow of the study. Layout only, no statistics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from reader_app.agreement.result import Estimate, Interval, Result
from reader_app.report import numbers
from reader_app.report.model import OperatingPoint, RocPoint

# Okabe and Ito's palette, which holds for the common kinds of colour blindness; shapes differ as well.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
SHAPES = ("circle", "square", "diamond", "triangle")

# Writing in a figure does not wrap. Longer names are cut here; the tables have them whole.
MAX_LABEL, MAX_KEY = 52, 20


@dataclass(frozen=True)
class ForestRow:
    """One estimate of a forest plot; `group` is printed where it changes, `series` chooses the colour."""

    group: str
    label: str
    series: int
    result: Result


@dataclass(frozen=True)
class RocCurve:
    """One curve of a ROC panel; `label` names the reference, and is empty where there is only one."""

    label: str
    area: Result
    points: tuple[RocPoint, ...]


def colour(series: int) -> str:
    """Colour of a series."""
    return PALETTE[series % len(PALETTE)]


def forest(rows: Sequence[ForestRow], *, title: str) -> Markup:
    """Draw estimates with their intervals under each other on one axis that ends at 1."""
    right, width, line, head, gap = 170, 1000, 24, 10, 34
    longest = max((len(_short(row.label, MAX_LABEL)) for row in rows), default=0)
    left = max(180, 24 + 7 * longest)
    ends = [
        row.result.interval.low if isinstance(row.result.interval, Interval) else row.result.value
        for row in rows
        if isinstance(row.result, Estimate)
    ]
    start = max(-1.0, min(0.0, math.floor(min(ends, default=0.0) * 5) / 5))
    groups = 1 + sum(1 for one, other in pairwise(rows) if one.group != other.group)
    bottom = head + line * len(rows) + gap * groups
    height = bottom + 44

    def x(value: float) -> float:
        return round(left + (value - start) / (1 - start) * (width - left - right), 1)

    parts = [_open(width, height, title)]
    ticks = [start + 0.2 * step for step in range(round((1 - start) / 0.2) + 1)]
    for tick in ticks:
        kind = "zero" if abs(tick) < 1e-9 else "grid"
        parts.append(_line(x(tick), head - 4, x(tick), bottom, kind))
        parts.append(_text(x(tick), bottom + 17, numbers.decimal(tick, 1), "tick", anchor="middle"))
    parts.append(_text((x(start) + x(1)) / 2, bottom + 36, "Kappa", "axis", anchor="middle"))
    y, previous = float(head), None
    for row in rows:
        if row.group != previous:
            parts.append(_text(0, y + gap - 10, row.group, "group"))
            y, previous = y + gap, row.group
        label = _short(row.label, MAX_LABEL)
        parts.append(_text(left - 16, y + line * 0.66, label, "label", anchor="end"))
        parts.append(_forest_mark(row, x, y + line / 2))
        shown = _figure_text(row.result)
        parts.append(_text(width, y + line * 0.66, shown, "value", anchor="end"))
        y += line
    parts.append(Markup("</svg>"))
    return Markup("\n").join(parts)


def _forest_mark(row: ForestRow, x: Callable[[float], float], y: float) -> Markup:
    if not isinstance(row.result, Estimate):
        return Markup("")
    paint = colour(row.series)
    found = Markup("")
    if isinstance(row.result.interval, Interval):
        low, high = x(row.result.interval.low), x(row.result.interval.high)
        found += Markup(
            '<path d="M{0} {1}H{2}M{0} {3}V{4}M{2} {3}V{4}" stroke="{5}" class="whisker"/>'
        ).format(low, y, high, y - 4, y + 4, paint)
    return found + _marker(SHAPES[row.series % len(SHAPES)], x(row.result.value), y, paint)


def roc_panel(
    title: str, curves: Sequence[RocCurve], points: Sequence[OperatingPoint], *, first_series: int = 0
) -> Markup:
    """Draw ROC curves in a square, with readers as single points."""
    size, left, top = 250, 46, 30
    keys = len(curves) + len(points)
    height = top + size + 44 + 19 * keys + 4

    def at(fpr: float, tpr: float) -> tuple[float, float]:
        return round(left + fpr * size, 1), round(top + (1 - tpr) * size, 1)

    parts = [_open(left + size + 14, height, title), _text(left, 18, title, "group")]
    for step in range(6):
        share = step / 5
        gx, gy = at(share, share)
        parts += [_line(gx, top, gx, top + size, "grid"), _line(left, gy, left + size, gy, "grid")]
        parts.append(_text(gx, top + size + 15, numbers.decimal(share, 1), "tick", anchor="middle"))
        parts.append(_text(left - 6, gy + 4, numbers.decimal(share, 1), "tick", anchor="end"))
    (x0, y0), (x1, y1) = at(0, 0), at(1, 1)
    parts.append(_line(x0, y0, x1, y1, "chance"))
    parts.append(_text(left + size / 2, top + size + 32, "1 − specificity", "axis", anchor="middle"))
    middle = top + size / 2
    parts.append(
        Markup(
            '<text class="axis" text-anchor="middle" transform="translate(12 {}) rotate(-90)">'
            "Sensitivity</text>"
        ).format(middle)
    )
    y = top + size + 52.0
    for number, curve in enumerate(curves):
        paint = colour(first_series + number)
        corners = " ".join(
            "{},{}".format(*at(point.false_positive_rate, point.true_positive_rate)) for point in curve.points
        )
        parts.append(Markup('<polyline points="{}" stroke="{}" class="curve"/>').format(corners, paint))
        parts.append(_line(left, y - 4, left + 18, y - 4, "curve", stroke=paint))
        label = f"{_short(curve.label, MAX_KEY)}:" if curve.label else "AUC"
        key = f"{label} {_figure_text(curve.area)}"
        parts.append(_text(left + 26, y, key, "key"))
        y += 19
    for number, point in enumerate(points):
        series = first_series + len(curves) + number
        shape, paint = SHAPES[number % len(SHAPES)], colour(series)
        parts.append(_marker(shape, *at(point.false_positive_rate, point.true_positive_rate), paint))
        parts.append(_marker(shape, left + 9, y - 4, paint))
        parts.append(_text(left + 26, y, _short(point.label, MAX_KEY), "key"))
        y += 19
    parts.append(Markup("</svg>"))
    return Markup("\n").join(parts)


def _figure_text(result: Result) -> str:
    if not isinstance(result, Estimate):
        return "not defined"
    interval = numbers.interval_text(result) or "no interval"
    return f"{numbers.value_text(result)} {interval}"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _open(width: float, height: float, title: str) -> Markup:
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" '
        'aria-label="{2}">'
    ).format(width, height, title)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str, *, stroke: str = "") -> Markup:
    paint = Markup(' stroke="{}"').format(stroke) if stroke else Markup("")
    return Markup('<path d="M{} {}L{} {}" class="{}"{}/>').format(x1, y1, x2, y2, kind, paint)


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start") -> Markup:
    return Markup('<text x="{}" y="{}" class="{}" text-anchor="{}">{}</text>').format(
        round(x, 1), round(y, 1), kind, anchor, escape(text)
    )


def _marker(shape: str, x: float, y: float, paint: str) -> Markup:
    match shape:
        case "square":
            drawn = f"M{x - 4.5} {y - 4.5}h9v9h-9z"
        case "diamond":
            drawn = f"M{x} {y - 6}l6 6l-6 6l-6 -6z"
        case "triangle":
            drawn = f"M{x} {y - 6}l6 10.5h-12z"
        case _:
            drawn = f"M{x - 5} {y}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"
    return Markup('<path d="{}" fill="{}" class="marker"/>').format(drawn, paint)
