"""Boxes for numbers that are typed over, however one comes to them."""

from __future__ import annotations

from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox


class WholeBox(QSpinBox):
    """A whole number; what it holds is marked at every arrival, since nothing can be typed beside a word."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt: mark all, also where the keyboard did not come by Tab."""
        super().focusInEvent(event)
        self.selectAll()


class DecimalBox(QDoubleSpinBox):
    """A number with decimals; likewise."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt: mark all, also where the keyboard did not come by Tab."""
        super().focusInEvent(event)
        self.selectAll()
