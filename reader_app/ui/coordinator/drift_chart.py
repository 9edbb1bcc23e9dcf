"""The control chart of one reader and feature, and the share of agreement below it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from reader_app.agreement.control_chart import ControlChart
from reader_app.agreement.result import Estimate, Result, Undefined
from reader_app.operations.quality import WINDOW, FeatureDrift
from reader_app.ui.theme import Colour, scaled_font

_LEFT, _RIGHT, _TOP, _FOOT = 58.0, 128.0, 20.0, 20.0
_SHARE_HEIGHT = 0.27
"""Of the whole, for the share of agreement."""
_BETWEEN = 30.0
_NAMES = 18.0
"""Height of the strip at the foot of a pane where its phases are named."""
_STEPS = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)
_DOT = 3.0


def alarm_lines(drift: FeatureDrift) -> tuple[str, ...]:
    """Return each alarm in words, under the mark that it has in the chart."""
    return tuple(f"A{number}: {alarm.words}" for number, alarm in enumerate(drift.alarms, start=1))


class DriftChart(QWidget):
    """Draws the calibration cases, then the controls with their moving average and its limits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._drift: FeatureDrift | None = None
        self.setAccessibleName("Control chart")

    def show_drift(self, drift: FeatureDrift | None) -> None:
        """Show this; an empty room for None."""
        self._drift = drift
        self.setAccessibleDescription("" if drift is None else chart_words(drift))
        self.update()

    def minimumSizeHint(self) -> QSize:
        """Return the least in which the axes can be read."""
        return QSize(480, 190)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw both panes."""
        if self._drift is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), Colour.FIELD.qcolor)
        painter.setFont(scaled_font(self.font(), 0.9))
        height = self.height() - _TOP - _FOOT - _BETWEEN
        width = self.width() - _LEFT - _RIGHT
        share = QRectF(_LEFT, 0.0, width, height * _SHARE_HEIGHT)
        main = QRectF(_LEFT, _TOP, width, height - share.height())
        share.moveTop(main.bottom() + _BETWEEN)
        if isinstance(self._drift.chart, Undefined):
            painter.setPen(Colour.MUTED.qcolor)
            sentence = self._drift.chart.sentence
            words = f"No chart: {sentence}."
            painter.drawText(main, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)
        else:
            _Differences(painter, main, self._drift, self._drift.chart).paint()
        _paint_shares(painter, share, self._drift)
        _paint_dates(painter, share, self._drift)
        painter.end()


def chart_words(drift: FeatureDrift) -> str:
    """Return what the chart shows, for who does not see it."""
    chart = drift.chart
    if isinstance(chart, Undefined):
        return f"{drift.title}: no chart, {chart.sentence}."
    words = f"{drift.title}: mean difference at calibration {chart.center:+.2f} grades, {len(chart.points)} "
    words += "controls since."
    return " ".join([words, *alarm_lines(drift)])


class _Differences:
    """The pane of differences to the reference."""

    def __init__(self, painter: QPainter, area: QRectF, drift: FeatureDrift, chart: ControlChart) -> None:
        self._painter = painter
        self._area = area
        self._drift = drift
        self._chart = chart
        points = chart.points
        values = [0.0, chart.center, *chart.base]
        values += [each for point in points for each in (point.value, point.low, point.high)]
        low, high = min(values), max(values)
        margin = max((high - low) * 0.08, 0.05)
        self._low, self._high = low - margin, high + margin

    def paint(self) -> None:
        """Draw grid, limits, cases and alarms."""
        _title(self._painter, self._area, "Mean difference to the reference, in grades")
        for value in _ticks(self._low, self._high):
            _grid_line(self._painter, self._area, self._y(value), f"{value:+.2f}" if value else "0")
        self._paint_phases()
        self._paint_limits()
        self._paint_cases()
        self._paint_alarms()

    def _y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return self._area.bottom() - _NAMES - share * (self._area.height() - _NAMES)

    def _x(self, place: int) -> float:
        return _place(self._area, place, _count(self._drift))

    def _paint_phases(self) -> None:
        """Part the calibration from the controls, and name both."""
        painter, base = self._painter, len(self._chart.base)
        painter.setPen(Colour.MUTED.qcolor)
        top = self._area.top() - 17
        start = (self._x(base - 1) + self._x(base)) / 2 if self._chart.points else self._area.right()
        metrics = QFontMetricsF(painter.font())
        if self._chart.points:
            painter.drawText(QPointF(start + 5, self._area.bottom() - 5), "controls")
            painter.setPen(QPen(Colour.LINE.qcolor, 1.0, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(start, top + 16), QPointF(start, self._area.bottom()))
            painter.setPen(Colour.MUTED.qcolor)
        words = "calibration"
        if start - self._area.left() > metrics.horizontalAdvance(words) + 10:
            painter.drawText(QPointF(self._area.left() + 5, self._area.bottom() - 5), words)

    def _paint_limits(self) -> None:
        chart, painter = self._chart, self._painter
        y = self._y(chart.center)
        painter.setPen(QPen(Colour.MUTED.qcolor, 1.0))
        painter.drawLine(QPointF(self._area.left(), y), QPointF(self._area.right(), y))
        labels = [(y, f"center {chart.center:+.2f}", Colour.MUTED)]
        if chart.points:
            begin, last = len(chart.base), chart.points[-1]
            for which, name in (("high", "upper limit"), ("low", "lower limit")):
                line = QPolygonF(
                    [
                        QPointF(self._x(begin + place), self._y(getattr(point, which)))
                        for place, point in enumerate(chart.points)
                    ]
                )
                painter.setPen(QPen(Colour.WARNING.qcolor, 1.2, Qt.PenStyle.DashLine))
                painter.drawPolyline(line)
                value = getattr(last, which)
                labels.append((self._y(value), f"{name} {value:+.2f}", Colour.WARNING))
            average = QPolygonF(
                [QPointF(self._x(begin - 1), y)]
                + [
                    QPointF(self._x(begin + place), self._y(point.average))
                    for place, point in enumerate(chart.points)
                ]
            )
            painter.setPen(QPen(Colour.ACCENT.qcolor, 1.8))
            painter.drawPolyline(average)
            labels.append((self._y(last.average), f"average {last.average:+.2f}", Colour.ACCENT))
        self._paint_labels(labels)

    def _paint_labels(self, labels: Sequence[tuple[float, str, Colour]]) -> None:
        """Write what the lines are beside them, moved apart where they would meet."""
        line = QFontMetricsF(self._painter.font()).height()
        ordered = sorted(labels, key=lambda label: label[0])
        tops: list[float] = []
        for y, _, _ in ordered:
            tops.append(max(y - line / 2, tops[-1] + line if tops else self._area.top() - line / 2))
        over = max(tops[-1] + line - self._area.bottom() - line / 2, 0.0)
        for top, (_, text, colour) in zip(tops, ordered, strict=True):
            self._painter.setPen(colour.qcolor)
            self._painter.drawText(
                QRectF(self._area.right() + 6, top - over, _RIGHT - 8, line),
                Qt.AlignmentFlag.AlignVCenter,
                text,
            )

    def _paint_cases(self) -> None:
        painter, chart = self._painter, self._chart
        values = (*chart.base, *(point.value for point in chart.points))
        for place, value in enumerate(values):
            calibration = place < len(chart.base)
            painter.setPen(QPen(Colour.MUTED.qcolor, 1.2) if calibration else Qt.PenStyle.NoPen)
            painter.setBrush(Qt.BrushStyle.NoBrush if calibration else Colour.TEXT.qcolor)
            painter.drawEllipse(QPointF(self._x(place), self._y(value)), _DOT, _DOT)

    def _paint_alarms(self) -> None:
        painter, begin = self._painter, len(self._chart.base)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for number, alarm in enumerate(self._chart.alarms, start=1):
            point = self._chart.points[alarm.raised]
            spot = QPointF(self._x(begin + alarm.raised), self._y(point.value))
            painter.setPen(QPen(Colour.DANGER.qcolor, 2.0))
            painter.drawEllipse(spot, 2.4 * _DOT, 2.4 * _DOT)
            painter.drawText(_beside(spot, self._area, number), f"A{number}")


def _beside(spot: QPointF, area: QRectF, number: int) -> QPointF:
    """Return where the mark of an alarm is written: above its point, or below at the upper edge."""
    up = -10.0 - 12.0 * ((number - 1) % 2)
    down = 20.0 + 12.0 * ((number - 1) % 2)
    return spot + QPointF(-7.0, up if spot.y() + up - 10 > area.top() else down)


def _paint_shares(painter: QPainter, area: QRectF, drift: FeatureDrift) -> None:
    _title(painter, area, f"Grades equal to the reference, over {WINDOW} cases")
    for share in (0.0, 0.5, 1.0):
        _grid_line(painter, area, area.bottom() - share * area.height(), f"{100 * share:.0f} %")
    shown = list(_estimates(drift.agreement))
    upper = [
        QPointF(_place(area, place, _count(drift)), area.bottom() - high * area.height())
        for place, _, _, high in shown
    ]
    lower = [
        QPointF(_place(area, place, _count(drift)), area.bottom() - low * area.height())
        for place, _, low, _ in shown
    ]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Colour.GOOD.faded(0.14))
    painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(Colour.GOOD.qcolor, 1.6))
    painter.drawPolyline(
        QPolygonF(
            [
                QPointF(_place(area, place, _count(drift)), area.bottom() - value * area.height())
                for place, value, _, _ in shown
            ]
        )
    )
    if shown:
        text = f"{100 * shown[-1][1]:.0f} %, 95 % band"
        painter.drawText(
            QRectF(area.right() + 6, area.top(), _RIGHT - 8, area.height()),
            Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap,
            text,
        )


def _estimates(results: Sequence[Result]) -> Iterator[tuple[int, float, float, float]]:
    for place, result in enumerate(results):
        if isinstance(result, Estimate) and not isinstance(result.interval, Undefined):
            yield place, result.value, result.interval.low, result.interval.high


def _paint_dates(painter: QPainter, area: QRectF, drift: FeatureDrift) -> None:
    times = (*drift.base_at, *drift.controls_at)
    if not times:
        return
    painter.setPen(Colour.MUTED.qcolor)
    line = QRectF(area.left(), area.bottom() + 2, area.width(), _FOOT - 4)
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft, _day(times[0]))
    if len(times) > 1:
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, _day(times[-1]))
    painter.drawText(line, Qt.AlignmentFlag.AlignHCenter, "cases in the order in which they were locked")


def _day(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d}"


def _count(drift: FeatureDrift) -> int:
    return len(drift.base_at) + len(drift.controls_at)


def _place(area: QRectF, place: int, count: int) -> float:
    return area.left() + area.width() * (place + 0.5) / max(count, 1)


def _title(painter: QPainter, area: QRectF, text: str) -> None:
    painter.setPen(Colour.TEXT.qcolor)
    painter.drawText(QPointF(area.left(), area.top() - 6), text)


def _grid_line(painter: QPainter, area: QRectF, y: float, label: str) -> None:
    painter.setPen(QPen(Colour.RAISED.qcolor, 1.0))
    painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
    painter.setPen(Colour.MUTED.qcolor)
    line = QFontMetricsF(painter.font()).height()
    painter.drawText(
        QRectF(0.0, y - line / 2, area.left() - 6, line),
        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
        label,
    )


def _ticks(low: float, high: float) -> list[float]:
    """Return round values between two, some five of them."""
    step = next((each for each in _STEPS if (high - low) / each <= 6), _STEPS[-1])
    return [round(number * step, 6) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
