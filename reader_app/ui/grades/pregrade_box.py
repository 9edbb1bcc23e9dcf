"""The part of the panel that belongs to the AI: what it says, from which bundle, or why it says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QVBoxLayout, QWidget

from reader_app.operations.progress import Progress
from reader_app.protocols.model import Scale
from reader_app.reading.case import GradeKey, Joint
from reader_app.reading.pregrade import PreGrade, speaking_for
from reader_app.ui.film.heat_legend import HeatLegend
from reader_app.ui.grades.pregrade_chip import PregradeChip
from reader_app.ui.grades.pregrade_words import doubts, source_words
from reader_app.ui.theme import SPACING, Colour, colour_text, scaled_font

WORST_SITE = "one grade for the feature, that of its worse site"


@dataclass(frozen=True)
class PregradeContent:
    """What there is to show of the AI for the item in focus.

    Attributes
    ----------
    joints
        Of the film, from left to right as the panel has them.
    current
        The item that the next key grades.
    pregrades
        Empty while nothing of the AI may be seen.
    silent
        Why there is none, by what it would grade.
    note
        What is said for the whole case, above the reasons of single joints.
    """

    joints: Sequence[Joint]
    current: GradeKey | None
    pregrades: Mapping[GradeKey, PreGrade]
    silent: Mapping[GradeKey, str] = field(default_factory=dict)
    note: str = ""


class PregradeBox(QWidget):
    """One chip for each joint, remarks, the meaning of the heatmap, the bundle; or a sentence.

    Attributes
    ----------
    legend
        Explains the heatmap while there is one upon the film.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips: list[PregradeChip] = []
        self._buttons: list[QToolButton] = []
        self._chip_row = QHBoxLayout()
        self._chip_row.setSpacing(SPACING)
        self._remark, self._note, self._source = QLabel(), QLabel(), QLabel()
        for label, colour in (
            (self._remark, Colour.WARNING),
            (self._note, Colour.MUTED),
            (self._source, Colour.MUTED),
        ):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            colour_text(label, colour)
        self._source.setFont(scaled_font(self.font(), 0.92))
        self.legend = HeatLegend()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(5)
        self._bar.setAccessibleName("The AI at work")
        self._bar.hide()
        self._foot = QHBoxLayout()
        self._foot.setSpacing(SPACING)
        self._foot.addWidget(self._source, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING // 2)
        column.addLayout(self._chip_row)
        column.addWidget(self._remark)
        column.addWidget(self._note)
        column.addWidget(self.legend)
        column.addLayout(self._foot)
        column.addWidget(self._bar)

    # What is shown --------------------------------------------------------------------------------

    @property
    def note(self) -> str:
        """What is said about missing pre-grades; empty while there is none to be missed."""
        return self._note.text() if self._note.isVisibleTo(self) else ""

    @property
    def remark(self) -> str:
        """What is remarked on how the joints were found."""
        return self._remark.text() if self._remark.isVisibleTo(self) else ""

    @property
    def source(self) -> str:
        """Which bundle speaks, or what the AI is doing."""
        return self._source.text() if self._source.isVisibleTo(self) else ""

    def chip_texts(self) -> tuple[str, ...]:
        """Return what the chips in sight say, from left to right."""
        return tuple(chip.text for chip in self._chips if chip.isVisibleTo(self))

    def add_button(self, button: QToolButton) -> None:
        """Put a button beside the name of the bundle; it is away until it is offered."""
        button.hide()
        self._buttons.append(button)
        self._foot.addWidget(button)

    def show_content(self, content: PregradeContent, scale: Scale | None) -> None:
        """Show what the AI says of the item in focus.

        Parameters
        ----------
        scale
            Of that item; None where nothing is in focus.
        """
        current = content.current
        keys = [GradeKey(joint.id, current.item) for joint in content.joints] if current is not None else []
        speaking = [speaking_for(content.pregrades, key) for key in keys] if scale is not None else []
        said = [each for each in speaking if each is not None]
        self._show_chips(keys if said else [], content, scale)
        sides = {joint.id: joint.side.label for joint in content.joints}
        remarks = [f"{sides[each.key.joint_id]}: {line}" for each in said for line in _remarks(each)]
        _say(self._remark, "\n".join(remarks))
        _say(self._note, _why_not(content, keys, sides))
        whole = any(current is not None and each.key.item != current.item for each in said)
        sources = " and ".join(dict.fromkeys(source_words(each) for each in said))
        _say(self._source, f"{sources}  ·  {WORST_SITE}" if whole else sources)
        if said:
            source = said[0].provenance
            self._source.setToolTip(f"SHA-256 {source.bundle_sha256}\nmade {source.made_at}")

    def show_ask(self, progress: Progress | None, *, offered: bool) -> None:
        """Show how far the AI is with the case on the screen, and the button where it can be asked.

        Parameters
        ----------
        progress
            None while it is not at this case.
        """
        for button in self._buttons:
            button.setVisible(offered)
        self._bar.setVisible(progress is not None)
        if progress is not None:
            self._bar.setRange(0, progress.total)
            self._bar.setValue(progress.done)
            _say(self._source, "  ·  ".join(part for part in (progress.what, progress.pace) if part))
            self._source.setToolTip("")

    def _show_chips(self, keys: Sequence[GradeKey], content: PregradeContent, scale: Scale | None) -> None:
        while len(self._chips) < len(keys):
            chip = PregradeChip()
            self._chips.append(chip)
            self._chip_row.addWidget(chip, 1)
        for chip in self._chips[len(keys) :]:
            chip.hide()
        for key, chip in zip(keys, self._chips, strict=False):
            chip.show()
            here = content.current is not None and key.joint_id == content.current.joint_id
            pregrade = speaking_for(content.pregrades, key)
            if pregrade is None or scale is None:
                chip.show_note("No pre-grade", current=here)
            else:
                chip.show_pregrade(pregrade, scale, current=here)


def _remarks(pregrade: PreGrade) -> tuple[str, ...]:
    """Return what stands below the chips: all doubts where a chip has room for the first, and the remark."""
    lines = doubts(pregrade)
    return tuple(line for line in (", ".join(lines) if len(lines) > 1 else "", pregrade.remark) if line)


def _why_not(content: PregradeContent, keys: Sequence[GradeKey], sides: Mapping[int, str]) -> str:
    """Return why there is no pre-grade, for the case or joint by joint; the same reason is said once."""
    missing = [key for key in keys if key in content.silent and speaking_for(content.pregrades, key) is None]
    reasons = list(dict.fromkeys(content.silent[key] for key in missing))
    if len(missing) < len(keys) or len(reasons) > 1:
        reasons = [f"{sides[key.joint_id]}: {content.silent[key]}" for key in missing]
    return "\n".join(part for part in (content.note, *reasons) if part)


def _say(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))
