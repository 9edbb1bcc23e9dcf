"""The grid of grades: one row an item, one column a joint, one cell a grade of the scale.

Painted rather than built of buttons: a protocol with eleven items on two hips has a hundred of
them, and the next case must be there at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from reader_app.reading.case import GradeKey, Joint
from reader_app.reading.session import ReadingSession
from reader_app.ui.grades.cell import CellLook, paint_cell, words_fit
from reader_app.ui.grades.rows import Cell, GridRow, grid_rows
from reader_app.ui.theme import Colour, scaled_font

ROW_HEIGHT = 25.0
ROOMY_ROW_HEIGHT = 31.0
TALL_ROW_HEIGHT = 46.0
HEAD_HEIGHT = 26.0
COMBINED_WIDTH = 22.0
CELL_WIDTH = 22.0
"""The narrowest that a grade can be hit with the mouse."""
GAP = 8.0


class GradeGrid(QWidget):
    """Shows and takes the grades of the joints of one film.

    Signals
    -------
    graded(GradeKey, int)
        The mouse asks for a grade.
    chosen(GradeKey)
        The mouse asks to go to an item.
    """

    graded = Signal(object, int)
    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self._session: ReadingSession | None = None
        self._joints: tuple[Joint, ...] = ()
        self._rows: tuple[GridRow, ...] = ()
        self._roomy = False
        self._current: GradeKey | None = None
        self._hover: Cell | None = None
        self._suggested: Mapping[GradeKey, int] = {}
        self._elsewhere: Mapping[GradeKey, int] = {}
        self._first: Mapping[GradeKey, int | None] | None = None

    # What is shown --------------------------------------------------------------------------------

    def show_joints(self, session: ReadingSession | None, joints: tuple[Joint, ...]) -> None:
        """Show the grades of some joints of a reading; nothing for None."""
        self._session = session
        self._joints = joints
        self._hover = None
        ids = {joint.id for joint in joints}
        items = frozenset(key.item for key in session.keys if key.joint_id in ids) if session else frozenset()
        self._rows = grid_rows(session.protocol, items) if session else ()
        self.updateGeometry()
        self.update()

    def show_current(self, key: GradeKey | None) -> None:
        """Frame the item that the next keystroke grades."""
        self._current = key
        self.update()

    def show_suggestions(self, codes: Mapping[GradeKey, int]) -> None:
        """Mark the AI's grades with a small dot; none for an empty mapping."""
        self._suggested = codes
        self.update()

    def show_elsewhere(self, codes: Mapping[GradeKey, int]) -> None:
        """Mark what the reader gave the same joint at the other visit with a bar beneath."""
        self._elsewhere = codes
        self.update()

    def show_first(self, codes: Mapping[GradeKey, int | None] | None) -> None:
        """Frame what the AI says otherwise, and what the reader had given before; nothing for None.

        Parameters
        ----------
        codes
            The grades of the first reading, where the one in sight has others.
        """
        self._first = codes
        self.update()

    def set_roomy(self, roomy: bool) -> None:
        """Give the rows more height where the screen has it."""
        if roomy != self._roomy:
            self._roomy = roomy
            self.updateGeometry()
            self.update()

    # Geometry -------------------------------------------------------------------------------------

    @property
    def _row_height(self) -> float:
        if len(self._rows) <= 4:
            return TALL_ROW_HEIGHT
        return ROOMY_ROW_HEIGHT if self._roomy else ROW_HEIGHT

    @property
    def _label_width(self) -> float:
        if len(self._rows) <= 1:
            return 0.0
        plain, bold = QFontMetricsF(self.font()), QFontMetricsF(scaled_font(self.font(), bold=True))
        shorts = max((bold.horizontalAdvance(row.feature.short_title) for row in self._rows), default=0.0)
        sites = max((plain.horizontalAdvance(_short(row.site_title)) for row in self._rows), default=0.0)
        return float(min(shorts + (sites + GAP if sites else 0.0) + GAP, 150.0))

    def sizeHint(self) -> QSize:
        """Return the room that all rows and columns need."""
        joints, scales = max(len(self._joints), 1), [len(row.feature.scale.levels) for row in self._rows]
        combined = COMBINED_WIDTH if any(row.combines for row in self._rows) else 0.0
        column = max(scales, default=2) * CELL_WIDTH + combined
        width = self._label_width + joints * column + (joints - 1) * GAP
        return QSize(int(width), int(HEAD_HEIGHT + self._row_height * len(self._rows) + 6))

    def minimumSizeHint(self) -> QSize:
        """Return the same: neither rows nor columns are squeezed."""
        return self.sizeHint()

    def _column(self, place: int) -> QRectF:
        left = self._label_width
        width = (self.width() - left - GAP * (len(self._joints) - 1)) / max(len(self._joints), 1)
        return QRectF(left + place * (width + GAP), 0.0, width, float(self.height()))

    def _row_rect(self, number: int) -> QRectF:
        return QRectF(0.0, HEAD_HEIGHT + number * self._row_height, float(self.width()), self._row_height)

    def _cells(self, number: int, place: int) -> list[tuple[Cell, QRectF]]:
        row, joint, column = self._rows[number], self._joints[place], self._column(place)
        key = GradeKey(joint.id, row.item)
        if self._session is None or key not in self._session.keys:
            return []
        reserved = COMBINED_WIDTH if any(r.combines for r in self._rows) else 0.0
        levels = row.feature.scale.levels
        # Scales of few grades do not stretch across a column that other rows divide finely.
        width = (column.width() - reserved) / max(
            len(levels), self._longest_scale() if len(levels) > 2 else 2
        )
        line = self._row_rect(number)
        return [
            (
                Cell(key, level),
                QRectF(column.left() + place * width, line.top(), width, line.height()).adjusted(
                    1.0, 1.5, -1.0, -1.5
                ),
            )
            for place, level in enumerate(levels)
        ]

    def _longest_scale(self) -> int:
        return max((len(row.feature.scale.levels) for row in self._rows), default=1)

    def cell_rect(self, key: GradeKey, code: int) -> QRectF:
        """Return where the button of a grade lies; empty if it is not shown."""
        for number in range(len(self._rows)):
            for place in range(len(self._joints)):
                for cell, rect in self._cells(number, place):
                    if cell.key == key and cell.level.code == code:
                        return rect
        return QRectF()

    def _cell_at(self, point: QPointF) -> Cell | None:
        for number in range(len(self._rows)):
            if self._row_rect(number).contains(point):
                for place in range(len(self._joints)):
                    for cell, rect in self._cells(number, place):
                        if rect.contains(point):
                            return cell
        return None

    def _key_at(self, point: QPointF) -> GradeKey | None:
        number = next((n for n in range(len(self._rows)) if self._row_rect(n).contains(point)), None)
        if number is None or not self._joints:
            return None
        over = next((p for p in range(len(self._joints)) if self._column(p).contains(point)), None)
        current = self._current.joint_id if self._current else self._joints[0].id
        joint_id = self._joints[over].id if over is not None else current
        return GradeKey(joint_id, self._rows[number].item)

    # Mouse ----------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grade on a cell, go to the item elsewhere in its row."""
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        cell = self._cell_at(event.position())
        if cell is not None:
            self.graded.emit(cell.key, cell.level.code)
        elif (key := self._key_at(event.position())) is not None:
            self.chosen.emit(key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light up the cell under the mouse."""
        hover = self._cell_at(event.position())
        if hover != self._hover:
            self._hover = hover
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Put the light out."""
        self._hover = None
        self.update()
        super().leaveEvent(event)

    def event(self, event: QEvent) -> bool:
        """Answer tool tips cell by cell."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._tool_tip(QPointF(event.pos())), self)
            return True
        return bool(super().event(event))

    def _tool_tip(self, point: QPointF) -> str:
        cell, key = self._cell_at(point), self._key_at(point)
        if cell is None or self._session is None:
            feature = self._session.protocol.feature(key.item.feature_id) if key and self._session else None
            return feature.title if feature else ""
        feature = self._session.protocol.feature(cell.key.item.feature_id)
        looks = feature.help_for(cell.level.code)
        head = f"{feature.title}: {cell.level.code} {cell.level.label} (key {cell.level.key})"
        return f"{head}\n{looks}" if looks else head

    # Painting -------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the heads, the rows and their cells."""
        if self._session is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, joint in enumerate(self._joints):
            self._paint_head(painter, place, joint)
        for number, row in enumerate(self._rows):
            self._paint_label(painter, number, row)
            for place, joint in enumerate(self._joints):
                self._paint_item(painter, number, place, joint)
        for place, joint in enumerate(self._joints):
            self._paint_combined(painter, place, joint)
            self._paint_exclusion(painter, place, joint)
        painter.end()

    def _paint_head(self, painter: QPainter, place: int, joint: Joint) -> None:
        rect = self._column(place)
        rect.setHeight(HEAD_HEIGHT - 4)
        current = self._current is not None and self._current.joint_id == joint.id
        painter.setFont(scaled_font(self.font(), bold=current))
        painter.setPen(Colour.ACCENT.qcolor if current else Colour.MUTED.qcolor)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, joint.side.label)
        painter.setPen(QPen(Colour.ACCENT.qcolor if current else Colour.LINE.qcolor, 2.0 if current else 1.0))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())

    def _paint_label(self, painter: QPainter, number: int, row: GridRow) -> None:
        width = self._label_width
        if not width:
            return
        rect = self._row_rect(number)
        rect.setWidth(width - GAP / 2)
        current = self._current is not None and self._current.item == row.item
        if row.first and number:
            painter.setPen(Colour.RAISED.qcolor)
            painter.drawLine(rect.topLeft(), QPointF(self.width(), rect.top()))
        bold = scaled_font(self.font(), bold=True)
        painter.setFont(bold)
        painter.setPen(Colour.ACCENT.qcolor if current else Colour.TEXT.qcolor)
        start = 0.0
        if row.first:
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, row.feature.short_title)
        if row.site_title:
            metrics = QFontMetricsF(bold)
            start = max(metrics.horizontalAdvance(r.feature.short_title) for r in self._rows) + GAP
            painter.setFont(self.font())
            painter.setPen(Colour.ACCENT.qcolor if current else Colour.MUTED.qcolor)
            shown = QFontMetricsF(self.font()).elidedText(
                _short(row.site_title), Qt.TextElideMode.ElideRight, rect.width() - start
            )
            painter.drawText(rect.adjusted(start, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_item(self, painter: QPainter, number: int, place: int, joint: Joint) -> None:
        cells = self._cells(number, place)
        if not cells or self._session is None:
            return
        key = cells[0][0].key
        given = self._session.grade(key)
        excluded = self._session.exclusion(joint.id) is not None
        worded = words_fit([cell.level for cell, _ in cells], cells[0][1], self.font())
        for cell, rect in cells:
            code = cell.level.code
            look = CellLook(
                given=given == code,
                excluded=excluded,
                hover=cell == self._hover,
                worded=worded,
                suggested=self._suggested.get(key) == code,
                elsewhere=self._elsewhere.get(key) == code,
                before=self._first is not None and self._first.get(key) == code,
                contrary=self._first is not None
                and given not in (None, code)
                and self._suggested.get(key) == code,
            )
            paint_cell(painter, cell.level, rect, self.font(), look)
        if key == self._current:
            frame = cells[0][1].united(cells[-1][1]).adjusted(-1.5, -1.5, 1.5, 1.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(Colour.ACCENT.qcolor, 2.0))
            painter.drawRoundedRect(frame, 4, 4)

    def _paint_combined(self, painter: QPainter, place: int, joint: Joint) -> None:
        """Write the final grade of a feature beside the sites that make it, under a bracket."""
        if self._session is None:
            return
        grades = self._session.grades_of(joint.id)
        column = self._column(place)
        top = 0.0
        for number, row in enumerate(self._rows):
            rect = self._row_rect(number)
            if row.first:
                top = rect.top() + 4
            if not (row.last and row.combines):
                continue
            left = column.right() - COMBINED_WIDTH + 3
            painter.setPen(QPen(Colour.FAINT.qcolor, 1.0))
            painter.drawLine(QPointF(left, top), QPointF(left, rect.bottom() - 4))
            code = self._session.protocol.combined(row.feature.id, grades)
            painter.setFont(scaled_font(self.font(), bold=True))
            painter.setPen(Colour.TEXT.qcolor if code is not None else Colour.FAINT.qcolor)
            painter.drawText(
                QRectF(left + 1, top, COMBINED_WIDTH - 4, rect.bottom() - 4 - top),
                Qt.AlignmentFlag.AlignCenter,
                "–" if code is None else str(code),
            )

    def _paint_exclusion(self, painter: QPainter, place: int, joint: Joint) -> None:
        exclusion = self._session.exclusion(joint.id) if self._session else None
        if exclusion is None or self._session is None or not self._rows:
            return
        titles = {reason.id: reason.title for reason in self._session.protocol.exclusion_reasons}
        rect = self._column(place)
        rect.setTop(HEAD_HEIGHT)
        rect.setBottom(self._row_rect(len(self._rows) - 1).bottom())
        painter.fillRect(rect, Colour.SURFACE.faded(0.72))
        painter.setPen(Colour.WARNING.qcolor)
        painter.setFont(scaled_font(self.font(), bold=True))
        text = f"Excluded: {titles.get(exclusion.reason_id, exclusion.reason_id)}"
        painter.drawText(
            rect.adjusted(4, 2, -4, -2), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text
        )


def _short(site_title: str) -> str:
    """Return a site's name up to its first comma: the rest is in the tool tip and the help."""
    return site_title.partition(",")[0]
