"""What is written at the edges of a film."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reader_app.imaging.geometry import Box
from reader_app.imaging.spacing import Spacing, SpacingKind
from reader_app.reading.case import STATED_AT_IMPORT, JointSide
from reader_app.reading.measurement import Measurement, measured


def kind_words(of: Spacing | Measurement) -> str:
    """Return where the millimetres hold, as it stands behind a length; empty without any."""
    if of.kind is SpacingKind.UNKNOWN:
        return ""
    if of.reason == STATED_AT_IMPORT:
        return "stated at the import"
    return "by geometry" if of.kind is SpacingKind.GEOMETRY else of.kind.value


def length_words(start: tuple[float, float], end: tuple[float, float], spacing: Spacing) -> tuple[str, ...]:
    """Return what stands beside a ruler from one point (x, y) of a film to another.

    Returns
    -------
    tuple of str
        The length with the kind of its millimetres, e.g. "23.4 mm at detector"; without millimetres the
        length in pixels, and then why.
    """
    return words_of(measured(start, end, spacing))


def words_of(found: Measurement) -> tuple[str, ...]:
    """Return what stands beside a length, as `length_words` says."""
    if found.mm is None:
        return (f"{found.pixels:.0f} px", found.reason)
    return (f"{found.mm:.1f} mm {kind_words(found)}",)


def spacing_words(spacing: Spacing) -> str:
    """Return whether and how lengths can be measured, e.g. "0.143 mm calibrated"."""
    if spacing.column_mm is None or spacing.row_mm is None:
        return f"no millimetres: {_clause(spacing.reason)}"
    size = f"{spacing.column_mm:.3f}"
    if abs(spacing.row_mm - spacing.column_mm) > 1e-6:
        size += f" × {spacing.row_mm:.3f}"
    return f"{size} mm {kind_words(spacing)}"


def _clause(sentence: str) -> str:
    """Return a sentence as it stands behind a colon; the name of a DICOM attribute keeps its capital."""
    first = sentence.partition(" ")[0]
    is_name = any(letter.isupper() for letter in first[1:])
    return (sentence if is_name else sentence[:1].lower() + sentence[1:]).rstrip(".")


def edge_letters(joints: Sequence[tuple[JointSide, Box | None]]) -> tuple[str, str]:
    """Return the letters for the left and right edge of a film that shows both sides.

    They follow the joints' boxes. Where the reader may not see boxes they follow the convention by which
    the import tells the sides apart: the person's right lies on the left of the film. A film of one joint
    has none: it does not tell which of its edges is medial.
    """
    if not {JointSide.RIGHT, JointSide.LEFT} <= {side for side, _ in joints}:
        return "", ""
    middle = {side: box.centre[0] for side, box in joints if box is not None}
    if JointSide.RIGHT not in middle or JointSide.LEFT not in middle:
        return "R", "L"
    return ("R", "L") if middle[JointSide.RIGHT] <= middle[JointSide.LEFT] else ("L", "R")


def in_lines(text: str, width_of: Callable[[str], float], width: float) -> list[str]:
    """Break a text between words so that each line is no wider than `width`."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def lone_letter(joints: Sequence[tuple[JointSide, Box | None]]) -> str:
    """Return the letter of a film that shows one joint of a known side, else an empty text."""
    sides = {side for side, _ in joints} & {JointSide.RIGHT, JointSide.LEFT}
    return sides.pop().value if len(sides) == 1 else ""
