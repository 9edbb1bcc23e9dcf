"""The sheet behind ``?``: every key of the place one is at, made from the table of actions."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from reader_app.protocols.model import Protocol, Scale
from reader_app.ui.actions import ActionSpec, Group, Place, key_text, valid_at
from reader_app.ui.theme import SPACING, Colour, colour_text, scaled_font

MOUSE = {
    Place.READING: (
        ("Wheel", "Zoom about the cursor"),
        ("Left or middle drag", "Move the film"),
        ("Right drag", "Window: contrast across, brightness up and down"),
        ("Right click", "Choose a window"),
        ("Drag while measuring", "Draw the ruler"),
        ("Double click", "Fit the whole film"),
        ("Drag a box's edge or corner", "Resize the box"),
        ("Drag a box's label", "Move the box"),
        ("Click into a box", "Grade that joint"),
    )
}
_COLUMNS = 3

Line = tuple[str, str]


def grade_lines(protocol: Protocol) -> tuple[Line, ...]:
    """Return what the grade keys do, scale by scale."""
    scales: dict[str, Scale] = {feature.scale.id: feature.scale for feature in protocol.features}
    lines: list[Line] = []
    for scale in scales.values():
        used = [feature.short_title for feature in protocol.features if feature.scale.id == scale.id]
        keys = "  ".join(level.key for level in scale.levels)
        words = ", ".join(level.label.lower() for level in scale.levels)
        lines.append((keys, f"{', '.join(used)}: {words}"))
    return tuple(lines)


def sheet(place: Place, protocol: Protocol | None = None) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """Return the sheet as headed lists of keys and what they do."""
    parts: list[tuple[str, tuple[Line, ...]]] = []
    if protocol is not None:
        parts.append(("Grade keys", grade_lines(protocol)))
    for group in Group:
        rows = [row for row in valid_at(place) if row.group is group and row.keys]
        if rows:
            parts.append((group.value, tuple(_line(row) for row in rows)))
    if place in MOUSE:
        parts.append(("Mouse", MOUSE[place]))
    return tuple(parts)


def _line(row: ActionSpec) -> Line:
    return key_text(row, every=True), row.title.removesuffix(" …")


class KeysSheet(QDialog):
    """Shows the keys; any key closes it."""

    def __init__(self, place: Place, protocol: Protocol | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        parts = sheet(place, protocol)
        columns = QHBoxLayout()
        columns.setSpacing(4 * SPACING)
        for members in _balanced(parts):
            column = QVBoxLayout()
            for title, lines in members:
                column.addWidget(_heading(title))
                column.addLayout(_table(lines))
                column.addSpacing(SPACING)
            column.addStretch(1)
            columns.addLayout(column)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(3 * SPACING, 2 * SPACING, 3 * SPACING, 2 * SPACING)
        outer.addLayout(columns)
        foot = QLabel("Any key closes this sheet.")
        colour_text(foot, Colour.MUTED)
        outer.addWidget(foot)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close; a key pressed here never reaches the page behind."""
        modifiers = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta)
        if event.key() not in modifiers and not event.isAutoRepeat():
            self.close()


def _balanced(
    parts: tuple[tuple[str, tuple[Line, ...]], ...],
) -> tuple[list[tuple[str, tuple[Line, ...]]], ...]:
    """Deal the parts to columns of about equal height, in order."""
    total = sum(len(lines) + 2 for _, lines in parts)
    columns: list[list[tuple[str, tuple[Line, ...]]]] = [[]]
    height = 0
    for part in parts:
        size = len(part[1]) + 2
        if columns[-1] and len(columns) < _COLUMNS and height + size / 2 > total / _COLUMNS:
            columns.append([])
            height = 0
        columns[-1].append(part)
        height += size
    return tuple(columns)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setFont(scaled_font(label.font(), 1.1, bold=True))
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    colour_text(label, Colour.ACCENT)
    return label


def _table(lines: tuple[Line, ...]) -> QGridLayout:
    table = QGridLayout()
    table.setHorizontalSpacing(2 * SPACING)
    table.setVerticalSpacing(3)
    table.setColumnStretch(1, 1)
    for number, (keys, words) in enumerate(lines):
        key = QLabel(keys)
        key.setFont(scaled_font(key.font(), bold=True))
        key.setFrameShape(QFrame.Shape.NoFrame)
        what = QLabel(words)
        what.setWordWrap(len(words) > 44)
        table.addWidget(key, number, 0, Qt.AlignmentFlag.AlignTop)
        table.addWidget(what, number, 1, Qt.AlignmentFlag.AlignTop)
    return table
