"""The choice of a reading design for a new study: as the protocol says, or one of the presets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from reader_app.protocols.model import Protocol
from reader_app.ui.background import Job, Operation
from reader_app.ui.labels import FaultLine, hint

if TYPE_CHECKING:
    from reader_app.errors import ReaderError
    from reader_app.reading.presets import Adapted, Preset

AS_PROTOCOL = "As the protocol says, all readers read all cases"
_LATER = "The design can be changed as a whole on the study's page, until reading begins."


class PresetChoice(QWidget):
    """A list of presets with what each means under the protocol.

    Signals
    -------
    changed()
        Another design is chosen, or it is known now whether it fits the protocol.

    Attributes
    ----------
    refusal
        Why what is chosen cannot be used; empty where it can.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QComboBox()
        self.list.addItem(AS_PROTOCOL, "")
        self.about = hint(_LATER)
        self.fault = FaultLine()
        self.refusal = ""
        self._presets: dict[str, Preset] = {}
        self._protocol: Protocol | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)
        column.addWidget(self.about)
        column.addWidget(self.fault)
        self.setFocusProxy(self.list)
        self.list.currentIndexChanged.connect(lambda _place: self._look())
        self._read_presets()

    @property
    def preset(self) -> str:
        """The id of the preset; empty for what the protocol says."""
        return str(self.list.currentData())

    def show_protocol(self, protocol: Protocol) -> None:
        """Look whether what is chosen fits a protocol."""
        self._protocol = protocol
        self._look()

    def _read_presets(self) -> None:
        def work(_job: Job) -> tuple[Preset, ...]:
            from reader_app.reading.presets import presets

            return presets()

        def show(found: tuple[Preset, ...]) -> None:
            self._presets = {preset.id: preset for preset in found}
            for preset in found:
                self.list.addItem(preset.title, preset.id)

        Operation(work).success(show).failure(self.fault.say).run(self)

    def _look(self) -> None:
        chosen, protocol = self.preset, self._protocol
        self.fault.clear()
        self.refusal = ""
        if not chosen or protocol is None:
            self.about.setText(_LATER)
            self.changed.emit()
            return
        about = " ".join(self._presets[chosen].about.split())
        self.about.setText(about)

        def work(_job: Job) -> Adapted:
            from reader_app.reading.presets import adapt

            return adapt(chosen, protocol, seed=0)

        def current() -> bool:
            return self.preset == chosen and self._protocol is protocol

        def fits(found: Adapted) -> None:
            if current():
                self.about.setText("\n".join((about, *found.notes)))
                self.changed.emit()

        def refuse(fault: ReaderError) -> None:
            if current():
                self.refusal = str(fault)
                self.fault.say(fault)
                self.changed.emit()

        Operation(work).success(fits).failure(refuse).run(self)
        self.changed.emit()
