"""Where the app begins: open a study, make one, or go on with one of the last."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QListView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from reader_app.errors import ReaderError
from reader_app.settings import RecentStudy, forget_study, recent_studies
from reader_app.ui.actions import ActionSet, Place, key_text, spec
from reader_app.ui.background import Operation
from reader_app.ui.icons import icon
from reader_app.ui.labels import heading, hint
from reader_app.ui.theme import SPACING, Colour, scaled_font

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_ROW = Qt.ItemDataRole.UserRole
COLUMN_WIDTH = 860
_BELOW = "A study folder that is dropped here is opened.   ?  shows all keys."


@dataclass(frozen=True)
class RecentRow:
    """One line of the list of recent studies.

    Attributes
    ----------
    protocol
        The id of its protocol; empty where the folder cannot be read.
    used
        When its database was written last, in local time; empty where that is not known.
    missing
        Whether the folder is out of reach now.
    """

    path: Path
    title: str
    protocol: str
    used: str
    missing: bool

    @property
    def fact(self) -> str:
        """The second line: protocol and time, or that the study is missing."""
        if self.missing:
            return "Not found: the folder was moved or deleted, or its disk is not connected."
        parts = [self.protocol, f"last used {self.used}" if self.used else ""]
        return "  ·  ".join(part for part in parts if part)


def describe_recent(recent: RecentStudy) -> RecentRow:
    """Look at a recent study's folder; may take long where it lies on a network, so not in the UI thread."""
    if not recent.exists:
        return RecentRow(recent.path, recent.title, "", "", missing=True)
    protocol = ""
    try:
        content = tomllib.loads((recent.path / "study.toml").read_text(encoding="utf-8"))
        protocol = str(content.get("protocol", {}).get("id", ""))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError):
        # Opening the study says what is wrong with it; a list is no place for that.
        protocol = ""
    return RecentRow(recent.path, recent.title, protocol, _last_used(recent.path), missing=False)


def _last_used(folder: Path) -> str:
    times = []
    for name in ("study.db", "study.db-wal"):
        try:
            times.append((folder / name).stat().st_mtime)
        except OSError:
            continue
    return datetime.fromtimestamp(max(times)).strftime("%d %b %Y, %H:%M") if times else ""


class RecentModel(QAbstractListModel):
    """The recent studies, newest first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[RecentRow, ...] = ()

    def set_rows(self, rows: tuple[RecentRow, ...]) -> None:
        """Take over the list."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def row(self, index: Index) -> RecentRow | None:
        """Return the study at an index, None for no index."""
        return self._rows[index.row()] if index.isValid() else None

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Qt: how many studies there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Qt: what is shown, and the row itself for the delegate."""
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.title
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{row.title}. {row.path}. {row.fact}"
            case Qt.ItemDataRole.ToolTipRole:
                return str(row.path)
            case _:
                return row if role == _ROW else None


class _RecentDelegate(QStyledItemDelegate):
    """Draws a study in three lines: title, protocol and time, folder."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Qt: room for three lines."""
        return QSize(0, 3 * option.fontMetrics.height() + 4 * SPACING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one study."""
        row: RecentRow = index.data(_ROW)
        painter.save()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(option.rect, Colour.ACCENT_DEEP.qcolor)
        inner = option.rect.adjusted(2 * SPACING, int(1.5 * SPACING), -2 * SPACING, -SPACING)
        height = option.fontMetrics.height() + SPACING // 2
        title = Colour.MUTED if row.missing and not chosen else Colour.TEXT
        rest = Colour.TEXT if chosen else Colour.MUTED
        fact = Colour.WARNING if row.missing and not chosen else rest
        lines = (
            (row.title, title, scaled_font(option.font, 1.15, bold=True), Qt.TextElideMode.ElideRight),
            (row.fact, fact, option.font, Qt.TextElideMode.ElideRight),
            (str(row.path), rest, option.font, Qt.TextElideMode.ElideMiddle),
        )
        for place, (text, colour, font, elide) in enumerate(lines):
            painter.setFont(font)
            painter.setPen(colour.qcolor)
            area = QRect(inner.left(), inner.top() + place * height, inner.width(), height)
            short = painter.fontMetrics().elidedText(text, elide, area.width())
            painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, short)
        painter.restore()


class _RecentList(QListView):
    """The list, worked by keyboard: Enter opens, Delete takes out of the list."""

    opened = Signal(Path)
    removed = Signal(Path)

    def __init__(self, model: RecentModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._studies = model
        self.setModel(model)
        self.setItemDelegate(_RecentDelegate(self))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Recent studies")
        self.doubleClicked.connect(self._open)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: the keys that a plain list does not know."""
        row = self._studies.row(self.currentIndex())
        if row is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentIndex())
        elif row is not None and event.key() == Qt.Key.Key_Delete:
            self.removed.emit(row.path)
        else:
            super().keyPressEvent(event)

    def _open(self, index: Index) -> None:
        row = self._studies.row(index)
        if row is not None:
            self.opened.emit(row.path)


class StartPage(QWidget):
    """Open, create, recent; a folder that is dropped here is opened.

    Attributes
    ----------
    open_requested
        The folder of a study.
    create_requested
        A new study is wanted.
    failed
        A `ReaderError` to be said.
    """

    open_requested = Signal(Path)
    create_requested = Signal()
    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.recent = RecentModel(self)
        self.list = _RecentList(self.recent, self)
        self.remove = QPushButton("&Remove from this list")
        self.remove.setToolTip("Delete\nThe study itself stays where it is.")
        self._below = hint(_BELOW)
        self._none = hint("No study has been opened on this computer yet.")
        self._actions = ActionSet(
            self, Place.START, {"study-open": self.choose_folder, "study-new": self.create_requested.emit}
        )
        self._lay_out()
        self.list.opened.connect(self.open_requested)
        self.list.removed.connect(self._forget)
        self.list.selectionModel().currentChanged.connect(self._show_choice)
        self.recent.modelReset.connect(self._show_choice)
        self.remove.clicked.connect(self._forget_current)

    def refresh(self) -> None:
        """Read the list of recent studies again; folders are looked at in the background."""
        Operation(lambda _job: tuple(describe_recent(recent) for recent in recent_studies())).success(
            self._show_rows
        ).failure(self.failed.emit).run(self)

    def show_opening(self, folder: Path | None) -> None:
        """Say which folder is being opened; None when that is over."""
        self._below.setText(f"Opening {folder} …" if folder is not None else _BELOW)

    def choose_folder(self) -> None:
        """Let the person point at the folder of a study."""
        dialog = QFileDialog(self, "Open a study")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: self.open_requested.emit(Path(folder)))
        dialog.open()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: the list is fresh whenever the page comes back."""
        super().showEvent(event)
        self.refresh()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Qt: one folder may be dropped."""
        if _dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Qt: open what was dropped."""
        folder = _dropped_folder(event)
        if folder is not None:
            event.acceptProposedAction()
            self.open_requested.emit(folder)

    def _lay_out(self) -> None:
        open_button = QPushButton(icon("folder"), "&Open a study …")
        open_button.clicked.connect(self.choose_folder)
        new_button = QPushButton(icon("new"), "&New study …")
        new_button.clicked.connect(self.create_requested)
        head = QHBoxLayout()
        head.setSpacing(int(1.5 * SPACING))
        for button, action_id in ((open_button, "study-open"), (new_button, "study-new")):
            button.setMinimumSize(190, 44)
            button.setToolTip(key_text(spec(action_id)))
            head.addWidget(button)
        head.addStretch()
        below = QHBoxLayout()
        below.addWidget(self._below, 1)
        below.addWidget(self.remove)
        column = QWidget()
        column.setMaximumWidth(COLUMN_WIDTH)
        lines = QVBoxLayout(column)
        lines.setContentsMargins(2 * SPACING, 6 * SPACING, 2 * SPACING, 4 * SPACING)
        lines.setSpacing(SPACING)
        lines.addWidget(heading("Reading studies", factor=2.2))
        lines.addWidget(hint("Grade radiographs for osteoarthritis, settle differences, report agreement."))
        lines.addSpacing(2 * SPACING)
        lines.addLayout(head)
        lines.addSpacing(3 * SPACING)
        lines.addWidget(heading("Recent studies", factor=1.2))
        lines.addWidget(self._none)
        lines.addWidget(self.list, 1)
        lines.addLayout(below)
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        outer.addWidget(column, 1000)
        outer.addStretch(1)

    def _show_rows(self, rows: tuple[RecentRow, ...]) -> None:
        kept = self.list.currentIndex().row()
        self.recent.set_rows(rows)
        self._none.setVisible(not rows)
        self.remove.setVisible(bool(rows))
        if rows:
            self.list.setCurrentIndex(self.recent.index(min(max(kept, 0), len(rows) - 1)))
            if self.isVisible():
                self.list.setFocus()

    def _show_choice(self) -> None:
        self.remove.setEnabled(self.list.currentIndex().isValid())

    def _forget_current(self) -> None:
        row = self.recent.row(self.list.currentIndex())
        if row is not None:
            self._forget(row.path)

    def _forget(self, path: Path) -> None:
        try:
            forget_study(path)
        except ReaderError as fault:
            self.failed.emit(fault)
        self.refresh()


def _dropped_folder(event: QDropEvent) -> Path | None:
    urls = event.mimeData().urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return path if path.is_dir() else None
