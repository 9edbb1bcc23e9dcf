"""Every string that the program holds for a screen or leaves on the disk, hidden widgets included.

Whatever a Qt object has as a property of text is found, so that a new widget is walked by itself; what is
painted without a widget of its own is heard at the painter.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QAbstractTableModel,
    QMetaType,
    QModelIndex,
    QObject,
    Qt,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QFileSystemModel, QTabBar, QWidget
from shiboken6 import isValid

from reader_app.ui.film.view import FilmView

ROLES = (*range(16), *(Qt.ItemDataRole.UserRole + number for number in range(8)))

TEXTS = (QMetaType.Type.QString.value, QMetaType.Type.QStringList.value)


class Painted:
    """What was written by a painter, as long as the test runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: set[str] = set()
        draw = QPainter.drawText

        def heard(painter: QPainter, *arguments: object) -> object:
            self.texts.update(each for each in arguments if isinstance(each, str))
            return draw(painter, *arguments)  # type: ignore[call-overload]

        monkeypatch.setattr(QPainter, "drawText", heard)


def shown_now(painted: Painted, *, but: tuple[QWidget, ...] = ()) -> set[str]:
    """Return all strings of all windows but some, and what painting them anew writes."""
    painted.texts.clear()
    found: set[str] = set()
    for window in QApplication.topLevelWidgets():
        if not isValid(window) or any(each in but for each in (window, *_above(window))):
            continue
        if window.isVisible():
            window.grab()
        for each in (window, *window.findChildren(QObject)):
            found.update(_strings_of(each))
    found |= painted.texts
    found.add(QApplication.clipboard().text())
    found.add(QApplication.applicationDisplayName())
    return {text for text in found if text}


def _strings_of(each: QObject) -> Iterator[str]:
    yield from _properties(each)
    if isinstance(each, QFileDialog):
        yield from each.selectedFiles()
        yield from each.nameFilters()
        yield from (each.directory().path(), *each.directory().entryList())
        return
    if isinstance(each, QWidget):
        for action in each.actions():
            yield from _properties(action)
    if isinstance(each, QTabBar):
        for number in range(each.count()):
            yield from (each.tabText(number), each.tabToolTip(number), each.tabWhatsThis(number))
            yield repr(each.tabData(number))
    if isinstance(each, FilmView):
        yield from (repr(each.labels), repr(each.marks), repr(each.kept.lines))
    if isinstance(each, QComboBox):
        yield from _items(each.model())
    if isinstance(each, QAbstractItemModel):
        yield from _items(each)


def _properties(each: QObject) -> Iterator[str]:
    kind = each.metaObject()
    known = [kind.property(number) for number in range(kind.propertyCount())]
    names = [str(one.name()) for one in known if one.metaType().id() in TEXTS]
    # Those that begin with a stroke are the binding's own, and no text.
    own = [bytes(name.data()).decode() for name in each.dynamicPropertyNames()]
    names += [name for name in own if not name.startswith("_")]
    for name in names:
        value = each.property(name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (one for one in value if isinstance(one, str))


def _items(model: QAbstractItemModel, parent: QModelIndex | None = None) -> Iterator[str]:
    if isinstance(model, QFileSystemModel) or model.metaObject().className().startswith(("QFS", "QFileSys")):
        return
    if any(isinstance(above, QFileDialog) for above in _above(model)):
        return
    root = parent if parent is not None else QModelIndex()
    # A list keeps to itself how many columns it has; neither it nor a table has anything below its rows.
    flat = isinstance(model, (QAbstractListModel, QAbstractTableModel))
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(root)
    for column in range(columns):
        for role in ROLES:
            yield _said(model.headerData(column, Qt.Orientation.Horizontal, role))
    for row in range(model.rowCount(root)):
        for role in ROLES:
            yield _said(model.headerData(row, Qt.Orientation.Vertical, role))
        for column in range(columns):
            index = model.index(row, column, root)
            for role in ROLES:
                yield _said(model.data(index, role))
            if not flat and model.hasChildren(index):
                yield from _items(model, index)


def _above(each: QObject) -> Iterator[QObject]:
    above = each.parent()
    while above is not None:
        yield above
        above = above.parent()


def _said(value: object) -> str:
    """Return what an item holds as text; also of a record that rides along with it."""
    return "" if value is None else value if isinstance(value, str) else repr(value)


def left_on_disk(*folders: Path) -> set[str]:
    """Return the names and the contents of all files in these folders."""
    found: set[str] = set()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            found.add(str(path.relative_to(folder)))
            if path.is_file():
                found.add(path.read_bytes().decode("latin-1"))
    return found
