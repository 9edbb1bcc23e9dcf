"""One joint with the answers of two bundles: the film twice, each with its box, heatmap and bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.imaging.pyramid import Pyramid
from reader_app.reading.pregrade import PreGrade
from reader_app.ui.background import Job, Operation
from reader_app.ui.film.heat import HeatLayer
from reader_app.ui.film.heat_legend import HeatLegend
from reader_app.ui.film.marks import JointMark
from reader_app.ui.film.view import FilmView
from reader_app.ui.grades.help import item_title
from reader_app.ui.grades.pregrade_chip import PregradeChip
from reader_app.ui.labels import heading
from reader_app.ui.reading.overlays import OPACITY_STEP
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.compare_bundles import BundleComparison, JointDifference
    from reader_app.operations.study import Study
    from reader_app.store.pregrade_records import JointPregrades
    from reader_app.store.records import Actor

_Found = tuple["JointPregrades", Pyramid | str, tuple[HeatLayer | None, HeatLayer | None]]


class _Half(QWidget):
    """What one bundle says of the joint."""

    def __init__(self) -> None:
        super().__init__()
        self.title = heading("", factor=1.05)
        self.view = FilmView()
        self.chip = PregradeChip()
        self.legend = HeatLegend()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING // 2)
        column.addWidget(self.title)
        column.addWidget(self.view, 1)
        column.addWidget(self.chip)
        column.addWidget(self.legend)


class ComparedFilms(QWidget):
    """The same joint twice; films and heatmaps come from the background."""

    def __init__(self, study: Study, actor: Actor) -> None:
        super().__init__()
        self._study, self._actor = study, actor
        self._asked = 0
        self._heat_on = True
        self._opacity = 0.5
        self._layers: tuple[HeatLayer | None, HeatLayer | None] = (None, None)
        self.about = heading("", factor=1.1)
        self.halves = (_Half(), _Half())
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        for half in self.halves:
            row.addWidget(half, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACING, 0, 0, 0)
        column.setSpacing(SPACING // 2)
        column.addWidget(self.about)
        column.addLayout(row, 1)

    def show_nothing(self) -> None:
        """Say that both gave the same grades."""
        self._asked += 1
        self.about.setText("")
        self._layers = (None, None)
        for half in self.halves:
            half.title.setText("")
            half.view.show_sentence("There is no joint on which the two differ.")
            half.chip.hide()
        self._draw()

    def show_difference(self, comparison: BundleComparison, difference: JointDifference) -> None:
        """Show a joint with what both bundles say of one of its items."""
        from reader_app.operations.compare_bundles import title

        self._asked += 1
        asked, place = self._asked, difference.place
        where = "  ·  ".join(part for part in (place.participant, place.visit, place.side.label) if part)
        self.about.setText(f"{where}  ·  {item_title(self._study.protocol, difference.item)}")
        uses = (comparison.first, comparison.second)
        for half, use in zip(self.halves, uses, strict=True):
            half.title.setText(title(use))
            half.view.show_sentence("Loading the film …")

        def work(_job: Job) -> _Found:
            return self._fetch(difference, (uses[0].bundle_sha256, uses[1].bundle_sha256))

        def take(found: _Found) -> None:
            if asked == self._asked:
                self._take(difference, (uses[0].bundle_sha256, uses[1].bundle_sha256), found)

        def refuse(fault: ReaderError) -> None:
            if asked == self._asked:
                for half in self.halves:
                    half.view.show_sentence(str(fault), fault=True)

        Operation(work).success(take).failure(refuse).run(self)

    def switch_heat(self) -> None:
        """Show or hide the heatmaps."""
        self._heat_on = not self._heat_on
        self._draw()

    def fade(self, step: float) -> None:
        """Make the heatmaps stronger or weaker."""
        self._opacity = min(max(round(self._opacity + step, 2), OPACITY_STEP), 1.0)
        self._draw()

    def close_films(self) -> None:
        """Drop what is under way."""
        self._asked += 1

    def _fetch(self, difference: JointDifference, bundles: tuple[str, str]) -> _Found:
        """Read pre-grades, film and heatmaps; called in the background."""
        from reader_app.operations import compare_bundles, correct_film

        said = compare_bundles.joint_pregrades(self._study, self._actor, difference.place.joint_id)
        try:
            film = correct_film.film(self._study, self._actor, difference.place.radiograph_id)
            shown: Pyramid | str = Pyramid(film)
        except ReaderError as fault:
            shown = f"{fault.what}\n\n{fault.next_step}"
        layers = []
        for sha256 in bundles:
            pregrade = _of(said, sha256, difference)
            seen = compare_bundles.heatmap(self._study, said, pregrade) if pregrade is not None else None
            layers.append(HeatLayer.of(seen) if seen is not None else None)
        return said, shown, (layers[0], layers[1])

    def _take(self, difference: JointDifference, bundles: tuple[str, str], found: _Found) -> None:
        said, film, self._layers = found
        scale = self._study.protocol.item_scale(difference.item)
        for half, sha256 in zip(self.halves, bundles, strict=True):
            pregrade = _of(said, sha256, difference)
            if isinstance(film, str):
                half.view.show_sentence(film, fault=True)
            else:
                half.view.show_film(film)
            half.chip.setVisible(pregrade is not None)
            if pregrade is not None:
                half.chip.show_pregrade(pregrade, scale, current=True)
                label = difference.place.side.label
                # A number below zero is no joint: the box is looked at, not taken hold of.
                half.view.show_marks((JointMark(-1, pregrade.box, label),))
                half.view.fit_box(pregrade.box)
        self._draw()

    def _draw(self) -> None:
        for half, layer in zip(self.halves, self._layers, strict=True):
            shown = layer if self._heat_on else None
            half.view.show_heat(shown, opacity=self._opacity)
            half.legend.show_layer(shown)


def _of(said: JointPregrades, bundle_sha256: str, difference: JointDifference) -> PreGrade | None:
    return next(
        (
            each
            for each in said.pregrades
            if each.key.item == difference.item and each.provenance.bundle_sha256 == bundle_sha256
        ),
        None,
    )
