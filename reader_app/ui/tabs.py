"""Tabs that leave their titles room."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QTabBar

from reader_app.ui.theme import SPACING


class RoomyTabBar(QTabBar):
    """A tab bar a step higher than the style's own, which cuts the letters that reach below the line."""

    def tabSizeHint(self, index: int) -> QSize:
        """Qt: how large a tab should be."""
        return super().tabSizeHint(index) + QSize(0, SPACING)
