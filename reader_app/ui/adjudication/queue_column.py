"""The left column of the page: how much is open, what of it is wanted, and the queue."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from reader_app.protocols.model import Protocol
from reader_app.ui.adjudication.queue import QueueModel, QueueTable
from reader_app.ui.adjudication.wanted import WantedBar
from reader_app.ui.labels import heading, hint
from reader_app.ui.theme import SPACING

QUEUE_WIDTH = 410


class QueueColumn(QWidget):
    """Holds the queue with what chooses from it.

    Parameters
    ----------
    blind
        The readers' grades come after the adjudicator's.
    """

    def __init__(self, protocol: Protocol, model: QueueModel, *, blind: bool) -> None:
        super().__init__()
        self.setFixedWidth(QUEUE_WIDTH)
        self.count = hint()
        self.bar = WantedBar(protocol, blind=blind)
        self.table = QueueTable(model, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACING, SPACING, SPACING, SPACING)
        column.setSpacing(SPACING)
        column.addWidget(heading("Disagreements", factor=1.3))
        column.addWidget(self.count)
        column.addWidget(self.bar)
        column.addWidget(self.table, 1)

    def say_count(self, *, names: tuple[str, ...]) -> None:
        """Say how much of the queue is open, and who sits in a consensus session."""
        model = self.table.model()
        if not isinstance(model, QueueModel):
            return
        every = model.disagreements
        still_open = sum(one.open for one in every)
        consensus = sum(one.needs_consensus for one in every)
        words = f"{still_open:,} of {len(every):,} disagreements are open"
        words = f"{words}, {consensus:,} need a consensus session" if consensus else words
        self.count.setText(f"{words}. In session: {', '.join(names)}" if names else words)
