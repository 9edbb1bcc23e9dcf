"""Two bundles side by side: how far they agree, where not, and the joint with both answers upon its film."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.compare_films import ComparedFilms
from reader_app.ui.grades.help import item_title
from reader_app.ui.labels import FaultLine, counted, heading, hint
from reader_app.ui.reading.overlays import OPACITY_STEP
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.agreement.result import Result
    from reader_app.operations.compare_bundles import BundleComparison, ItemAgreement
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, BundleUse

USUAL_SIZE = (1240, 690)


class CompareDialog(QDialog):
    """Choose two bundles; read the figures; go through the joints on which they differ."""

    def __init__(
        self, study: Study, actor: Actor, bundles: Sequence[BundleUse], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Compare two bundles")
        self._study, self._actor, self._bundles = study, actor, tuple(bundles)
        self.comparison: BundleComparison | None = None
        self.first, self.second = QComboBox(), QComboBox()
        for place, (choice, name) in enumerate(
            ((self.first, "First bundle"), (self.second, "Second bundle"))
        ):
            choice.setAccessibleName(name)
            choice.addItems([f"{use.bundle_id} {use.bundle_version}" for use in bundles])
            # The newest against the one before it.
            choice.setCurrentIndex(max(len(bundles) - 2 + place, 0))
            choice.currentIndexChanged.connect(lambda _row: self.compare())
        self.words = hint()
        self.fault = FaultLine()
        self.items = RowsTable(("Item", "Joints", "Quadratic kappa", "Same grade", "Shift"), name="Items")
        self.matrix = RowsTable(("",), name="Grades of both")
        self.differing = RowsTable(("Participant", "Visit", "Side", "Item", "First", "Second"), name="Joints")
        self.films = ComparedFilms(study, actor)
        self._lay_out()
        self.items.selectionModel().currentRowChanged.connect(lambda new, _old: self._show_matrix(new.row()))
        self.differing.selectionModel().currentRowChanged.connect(lambda new, _old: self._show_joint(new))
        for key, step in (("N", 1), ("P", -1)):
            QShortcut(QKeySequence(key), self).activated.connect(partial(self._move, step))
        for key, change in (("[", -OPACITY_STEP), ("]", OPACITY_STEP)):
            QShortcut(QKeySequence(key), self).activated.connect(partial(self.films.fade, change))
        QShortcut(QKeySequence("H"), self).activated.connect(self.films.switch_heat)
        self.items.set_widths(172, 56, 160, 92, 60)
        self.differing.set_widths(110, 80, 54, 90, 78)
        self.resize(*USUAL_SIZE)
        self.compare()

    def compare(self) -> None:
        """Work the figures out again."""
        first, second = self.first.currentIndex(), self.second.currentIndex()
        if min(first, second) < 0:
            return
        names = self._bundles[first].bundle_sha256, self._bundles[second].bundle_sha256
        self.fault.clear()
        self.words.setText("Comparing …")

        def work(_job: Job) -> BundleComparison:
            from reader_app.operations.compare_bundles import compare_bundles

            return compare_bundles(self._study, self._actor, *names)

        def take(found: BundleComparison) -> None:
            if (found.first.bundle_sha256, found.second.bundle_sha256) == self._chosen():
                self._show(found)

        def refuse(fault: ReaderError) -> None:
            if names == self._chosen():
                self._show(None)
                self.fault.say(fault)

        Operation(work).success(take).failure(refuse).run(self)

    def done(self, result: int) -> None:
        """Qt: let go of the films."""
        self.films.close_films()
        super().done(result)

    def _chosen(self) -> tuple[str, str]:
        first, second = self.first.currentIndex(), self.second.currentIndex()
        return self._bundles[first].bundle_sha256, self._bundles[second].bundle_sha256

    def _show(self, found: BundleComparison | None) -> None:
        self.comparison = found
        self.words.setText(
            ""
            if found is None
            else f"{counted(found.joints, 'joint')} pre-graded by both; {counted(found.different, 'grade')} "
            f"differ.  No reader's grade is looked at."
        )
        items = found.items if found is not None else ()
        self.items.set_rows([self._item_row(each) for each in items])
        differing = found.differing if found is not None else ()
        self.differing.set_rows(
            [
                (
                    each.place.participant,
                    each.place.visit,
                    each.place.side.label,
                    each.item.key,
                    f"{each.first}  ({each.first_expected:.1f})",
                    f"{each.second}  ({each.second_expected:.1f})",
                )
                for each in differing
            ]
        )
        if differing:
            self.differing.setFocus()
        else:
            self.films.show_nothing()
        self._show_matrix(self.items.currentIndex().row())

    def _item_row(self, each: ItemAgreement) -> tuple[str, ...]:
        name = item_title(self._study.protocol, each.item)
        shift = f"{each.shift:+z.2f}"
        return name, f"{each.joints:,}", _figure(each.kappa_quadratic), _share(each.same), shift

    def _show_matrix(self, row: int) -> None:
        items = self.comparison.items if self.comparison is not None else ()
        shown = items[row] if 0 <= row < len(items) else None
        self.matrix.setVisible(shown is not None)
        if shown is None:
            return
        titles = ("First \\ second", *(str(code) for code in shown.codes))
        self.matrix.rows.set_titles(titles)
        self.matrix.set_rows(
            [
                (str(code), *(str(count) if count else "·" for count in counts))
                for code, counts in zip(shown.codes, shown.matrix, strict=True)
            ]
        )
        self.matrix.set_widths(100, *(48 for _ in shown.codes[:-1]))

    def _show_joint(self, index: QModelIndex) -> None:
        found = self.comparison
        if found is None or not 0 <= index.row() < len(found.differing):
            return
        self.films.show_difference(found, found.differing[index.row()])

    def _move(self, step: int) -> None:
        row = self.differing.currentIndex().row() + step
        if 0 <= row < self.differing.rows.rowCount():
            self.differing.selectRow(row)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.first)
        head.addWidget(QLabel("against"))
        head.addWidget(self.second)
        head.addSpacing(SPACING)
        head.addWidget(self.words, 1)
        left = QWidget()
        figures = QVBoxLayout(left)
        figures.setContentsMargins(0, 0, 0, 0)
        figures.setSpacing(SPACING // 2)
        figures.addWidget(heading("Agreement", factor=1.1))
        figures.addWidget(self.items, 2)
        figures.addWidget(self.matrix, 2)
        figures.addWidget(heading("Joints that differ, the furthest apart first", factor=1.1))
        figures.addWidget(self.differing, 3)
        split = QSplitter()
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(self.films)
        split.setStretchFactor(1, 1)
        split.setSizes([560, 680])
        foot = hint("N next joint   P the one before   H heatmaps   [ ] weaker, stronger   Esc closes")
        column = QVBoxLayout(self)
        column.setSpacing(SPACING)
        column.addLayout(head)
        column.addWidget(self.fault)
        column.addWidget(split, 1)
        column.addWidget(foot)


def _figure(result: Result) -> str:
    """Return a coefficient with its interval, or why it has none."""
    from reader_app.agreement.result import Undefined

    if isinstance(result, Undefined):
        return f"undefined: {result.sentence}"
    if result.interval is None or isinstance(result.interval, Undefined):
        return f"{result.value:.2f}"
    return f"{result.value:.2f} ({result.interval.low:.2f} to {result.interval.high:.2f})"


def _share(result: Result) -> str:
    from reader_app.agreement.result import Undefined

    return "" if isinstance(result, Undefined) else f"{result.value * 100:.0f} %"
