"""Fields of the wizard as rows: what is asked, where it is answered, and what is said about the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from reader_app.ui.coordinator.design_wizard.fields import Field, bounds, longest
from reader_app.ui.coordinator.design_wizard.model import WizardModel
from reader_app.ui.coordinator.design_wizard.numbers import DecimalBox, WholeBox
from reader_app.ui.coordinator.design_wizard.options import Option, OptionList
from reader_app.ui.labels import hint, show_indicator
from reader_app.ui.theme import SPACING, Colour, colour_text

LABEL_WIDTH = 190
EDITOR_WIDTH = 240

W = TypeVar("W", bound=QWidget)


@dataclass(frozen=True)
class _Bound:
    """A field with the widgets that stand for it, and what is said of a value that is in order."""

    field: Field
    label: QLabel | None
    editor: QWidget
    show: Callable[[Any], None]
    about: Callable[[Any], str]
    remark: QLabel


class FieldForm(QWidget):
    """Rows of label, editor and remark, bound to the fields of a model.

    The remark says, in this order: why the field cannot be changed, what is wrong with it, what should be
    known about it, what it means.

    Signals
    -------
    edited()
        A field holds something else.
    """

    edited = Signal()

    def __init__(self, model: WizardModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._bound: dict[Field, _Bound] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * SPACING)
        self._grid.setVerticalSpacing(SPACING)
        self._grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        self._grid.setColumnMinimumWidth(1, EDITOR_WIDTH)
        self._grid.setColumnStretch(2, 1)

    # Kinds of rows --------------------------------------------------------------------------------

    def whole(
        self, field: Field, label: str, *, suffix: str = "", zero: str = "", about: str = ""
    ) -> WholeBox:
        """Add a whole number within the bounds of a design file; `zero` is what the least is called."""
        editor = WholeBox()
        low, high = bounds(field)
        editor.setRange(int(low), int(high))
        editor.setSuffix(suffix)
        editor.setSpecialValueText(zero)
        editor.valueChanged.connect(partial(self.put, field))
        return self.row(field, label, editor, editor.setValue, about=about)

    def decimal(
        self, field: Field, label: str, *, suffix: str = "", factor: float = 1.0, about: str = ""
    ) -> DecimalBox:
        """Add a number with one decimal; what the field holds is shown times `factor`."""
        editor = DecimalBox()
        low, high = bounds(field)
        editor.setDecimals(1)
        editor.setRange(low * factor, high * factor)
        editor.setSuffix(suffix)
        editor.valueChanged.connect(lambda shown: self.put(field, round(shown / factor, 6)))
        return self.row(field, label, editor, lambda value: editor.setValue(value * factor), about=about)

    def choice(self, field: Field, label: str, options: Sequence[Option]) -> QComboBox:
        """Add one of a few; the remark explains the one that is chosen."""
        editor = QComboBox()
        values = [option.value for option in options]
        abouts = {option.value: option.about for option in options}
        for option in options:
            editor.addItem(option.title)
        editor.currentIndexChanged.connect(lambda place: self.put(field, values[place]))
        return self.row(
            field,
            label,
            editor,
            lambda value: editor.setCurrentIndex(values.index(value)),
            about=lambda value: abouts.get(value, ""),
        )

    def options(self, field: Field, label: str, options: Sequence[Option]) -> OptionList:
        """Add one of a few, all in sight with their sentences."""
        editor = OptionList()
        for option in options:
            editor.add(option)
        editor.chosen.connect(partial(self.put, field))
        return self.row(field, label, editor, editor.show_value, wide=True)

    def switch(self, field: Field, label: str, *, about: str = "") -> QCheckBox:
        """Add a yes or no."""
        editor = QCheckBox(label)
        show_indicator(editor)
        editor.toggled.connect(partial(self.put, field))
        return self.row(field, "", editor, editor.setChecked, about=about)

    def line(self, field: Field, label: str, *, wide: bool = False, about: str = "") -> QLineEdit:
        """Add one line of text."""
        editor = QLineEdit()
        editor.setMaxLength(longest(field))
        editor.textChanged.connect(partial(self.put, field))
        return self.row(field, label, editor, partial(show_text, editor), about=about, wide=wide)

    def row(
        self,
        field: Field,
        label: str,
        editor: W,
        show: Callable[[Any], None],
        *,
        about: str | Callable[[Any], str] = "",
        wide: bool = False,
    ) -> W:
        """Add a row with any editor; what it takes in it must hand to `put`, or tell with `tell`.

        Parameters
        ----------
        wide
            Whether the editor needs the room of the remark, which then stands below.
        """
        place = self._grid.rowCount()
        named = QLabel(label) if label else None
        top = Qt.AlignmentFlag.AlignTop
        if named is not None:
            named.setBuddy(editor)
            named.setContentsMargins(0, 4, 0, 0)
            self._grid.addWidget(named, place, 0, top | Qt.AlignmentFlag.AlignRight)
            editor.setAccessibleName(label.replace("&", ""))
        remark = hint()
        if wide:
            self._grid.addWidget(editor, place, 1, 1, 2)
            self._grid.addWidget(remark, place + 1, 1, 1, 2)
        else:
            self._grid.addWidget(editor, place, 1, top)
            remark.setContentsMargins(0, 4, 0, 0)
            self._grid.addWidget(remark, place, 2, top)
        said = about if callable(about) else partial(_always, about)
        self._bound[field] = _Bound(field, named, editor, show, said, remark)
        return editor

    def title(self, text: str) -> None:
        """Add a title above the rows that follow."""
        label = QLabel(text)
        colour_text(label, Colour.ACCENT)
        label.setContentsMargins(0, SPACING if self._bound else 0, 0, 0)
        self._grid.addWidget(label, self._grid.rowCount(), 0, 1, 3)

    # Showing and telling --------------------------------------------------------------------------

    def put(self, field: Field, value: object) -> None:
        """Hand a value to the model, and show what follows for the other fields."""
        self._model.set(field, value)
        self.tell()

    def tell(self) -> None:
        """Say that a field holds something else, and show what follows for the others."""
        self.refresh()
        self.edited.emit()

    def refresh(self) -> None:
        """Show what the model holds and what it says about each field."""
        for field, bound in self._bound.items():
            value = self._model.value(field)
            bound.editor.blockSignals(True)
            bound.show(value)
            bound.editor.blockSignals(False)
            why_not, fault = self._model.disabled(field), self._model.fault(field)
            warning = self._model.remark(field)
            for widget in (bound.label, bound.editor):
                if widget is not None:
                    widget.setEnabled(not why_not)
            said = why_not or fault or warning or bound.about(value)
            bound.remark.setText(said)
            bound.remark.setVisible(bool(said))
            colour_text(bound.remark, _colour(why_not=why_not, fault=fault, warning=warning))
            bound.editor.setAccessibleDescription(said)

    def remark(self, field: Field) -> str:
        """Return what stands beside a field."""
        return self._bound[field].remark.text()

    def editor(self, field: Field) -> QWidget:
        """Return the widget in which a field is answered."""
        return self._bound[field].editor

    def focus_first(self) -> None:
        """Put the keyboard into the first faulty field, else into the first that can be changed."""
        faulty = [bound for bound in self._bound.values() if self._model.fault(bound.field)]
        free = [bound for bound in self._bound.values() if bound.editor.isEnabled()]
        for bound in (*faulty, *free)[:1]:
            bound.editor.setFocus()


def show_text(editor: QLineEdit, text: str) -> None:
    """Show text without moving the cursor of whoever is typing it."""
    if editor.text() != text:
        editor.setText(text)


def _colour(*, why_not: str, fault: str, warning: str) -> Colour:
    if why_not:
        return Colour.MUTED
    if fault:
        return Colour.DANGER
    return Colour.WARNING if warning else Colour.MUTED


def _always(text: str, _value: object) -> str:
    return text
