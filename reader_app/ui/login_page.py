"""Who is at the screen: name and password, with the fault in words beside the fields."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from reader_app.ui.card_page import CardPage
from reader_app.ui.fields import secret_field, wide_form
from reader_app.ui.labels import Card, heading, hint
from reader_app.ui.theme import SPACING, Colour, colour_text


class LoginPage(CardPage):
    """Asks for an account of the study that is open.

    Attributes
    ----------
    log_in_requested
        Name and password.
    leave_requested
        Back to the choice of studies.
    """

    log_in_requested = Signal(str, str)
    leave_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._study = heading("", factor=1.5)
        self._study.setWordWrap(True)
        self._protocol = hint()
        self.name = QLineEdit()
        self.name.setAccessibleName("Name")
        self.password = secret_field("Password")
        self.password.installEventFilter(self)
        self._caps = hint("Caps Lock seems to be on.")
        colour_text(self._caps, Colour.WARNING)
        self._caps.hide()
        self.enter = QPushButton("&Log in")
        self.enter.setDefault(True)
        self.leave = QPushButton("Another &study")
        self._lay_out()
        self.name.returnPressed.connect(self.password.setFocus)
        self.password.returnPressed.connect(self._ask)
        self.enter.clicked.connect(self._ask)
        self.leave.clicked.connect(self.leave_requested)

    @property
    def caps_lock_hinted(self) -> bool:
        """Whether the page says that Caps Lock seems to be on."""
        return not self._caps.isHidden()

    def show_study(self, title: str, protocol: str, *, name: str = "") -> None:
        """Prepare for a study; a name that is known already is filled in."""
        self._study.setText(title)
        self._protocol.setText(protocol)
        self.name.setText(name)
        self.password.clear()
        self.fault.clear()
        self._caps.hide()
        self.set_busy(busy=False)
        self._take_keyboard()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: a capital without Shift, or the reverse, gives Caps Lock away; Qt itself cannot be asked."""
        if watched is self.password and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            text = event.text()
            if len(text) == 1 and text.lower() != text.upper():
                shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
                self._caps.setVisible(text.isupper() is not shift)
            elif event.key() == Qt.Key.Key_CapsLock:
                self._caps.hide()
        return super().eventFilter(watched, event)

    def _take_keyboard(self) -> None:
        # Also while the page is hidden: a page that comes to the front gets its last focus back.
        (self.password if self.name.text() else self.name).setFocus()

    def _lay_out(self) -> None:
        card = Card(margin=4 * SPACING)
        form = wide_form()
        form.addRow("&Name", self.name)
        form.addRow("&Password", self.password)
        form.addRow("", self._caps)
        buttons = QHBoxLayout()
        buttons.addWidget(self.leave)
        buttons.addStretch()
        buttons.addWidget(self.enter)
        card.body.addWidget(self._study)
        card.body.addWidget(self._protocol)
        card.body.addSpacing(2 * SPACING)
        card.body.addLayout(form)
        card.body.addWidget(self.fault)
        card.body.addSpacing(SPACING)
        card.body.addLayout(buttons)
        self._place(card, secret=self.password, go=self.enter, also=(self.name,))
        # Tab goes from what is typed to what is pressed, and only then away.
        QWidget.setTabOrder(self.name, self.password)
        QWidget.setTabOrder(self.password, self.enter)
        QWidget.setTabOrder(self.enter, self.leave)

    def _ask(self) -> None:
        name = self.name.text().strip()
        if not name:
            self._ask_for(self.name, "Type your name.")
            return
        if not self.password.text():
            self._ask_for(self.password, "Type your password.")
            return
        self._hold()
        self.log_in_requested.emit(name, self.password.text())
