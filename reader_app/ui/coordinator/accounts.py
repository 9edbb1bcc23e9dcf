"""The people of the study: who may do what, adding one, letting a locked one try again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.section import Section
from reader_app.ui.labels import FaultLine, heading
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.store.records import Account, Actor, StudyCounts

FORM_WIDTH = 360
ROLE_WORDS = {
    "reader": "Reader",
    "adjudicator": "Adjudicator",
    "coordinator": "Coordinator",
    "auditor": "Auditor (sees all, changes nothing)",
}


class AccountsSection(Section):
    """A table of the accounts, and a form for a new one beside it."""

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self.table = RowsTable(("Name", "Role", "State"), name="Accounts")
        self.unlock = QPushButton("&Unlock")
        self.name = QLineEdit()
        self.role = QComboBox()
        for value, words in ROLE_WORDS.items():
            self.role.addItem(words, value)
        self.password = QLineEdit()
        self.again = QLineEdit()
        for field in (self.password, self.again):
            field.setEchoMode(QLineEdit.EchoMode.Password)
        self.add = QPushButton("A&dd account")
        self.fault = FaultLine()
        self._accounts: tuple[Account, ...] = ()
        self._lay_out()
        self.add.clicked.connect(self.add_account)
        self.again.returnPressed.connect(self.add_account)
        self.unlock.clicked.connect(self._unlock)
        self.table.selectionModel().currentRowChanged.connect(self._show_choice)
        self.table.rows.modelReset.connect(self._show_choice)

    def first_focus(self) -> QWidget:
        """The name of a new account, or the table where nothing may be added."""
        return self.name if self.writes else self.table

    def show_counts(self, counts: StudyCounts) -> None:
        """Read the accounts again."""
        del counts
        self.refresh()

    def refresh(self) -> None:
        """Read the accounts again."""

        def work(_job: Job) -> tuple[Account, ...]:
            from reader_app.operations.accounts import list_accounts

            return list_accounts(self.study, self.actor)

        Operation(work).success(self._show_accounts).failure(self.failed.emit).run(self)

    def add_account(self) -> None:
        """Add the account that the form describes."""
        if not self.writes or not self.add.isEnabled():
            return
        if not self.name.text().strip():
            self.fault.say("Type a name.")
            self.name.setFocus()
            return
        if self.password.text() != self.again.text():
            self.fault.say("The two passwords differ: type it again.")
            self.again.setFocus()
            return
        self.fault.clear()
        self.add.setEnabled(False)
        name, password, role = self.name.text().strip(), self.password.text(), str(self.role.currentData())

        def work(_job: Job) -> Account:
            from reader_app.operations.accounts import add_account
            from reader_app.store.records import Role

            return add_account(self.study, self.actor, name=name, password=password, role=Role(role))

        Operation(work).success(self._added).failure(self._refused).done(
            lambda: self.add.setEnabled(True)
        ).run(self)

    def _added(self, account: Account) -> None:
        for field in (self.name, self.password, self.again):
            field.clear()
        self.name.setFocus()
        self.said.emit(f"{account.name} can now log in as {account.role.value}.", "")
        self.changed.emit()

    def _refused(self, fault: ReaderError) -> None:
        self.fault.say(fault)

    def _unlock(self) -> None:
        account = self._current()
        if account is None:
            return

        def work(_job: Job) -> None:
            from reader_app.operations.accounts import unlock

            unlock(self.study, self.actor, account.name)

        Operation(work).success(lambda _none: self._unlocked(account)).failure(self.failed.emit).run(self)

    def _unlocked(self, account: Account) -> None:
        self.said.emit(f"{account.name} can log in again.", "")
        self.refresh()

    def _show_accounts(self, accounts: tuple[Account, ...]) -> None:
        self._accounts = accounts
        self.table.set_rows(
            [(account.name, ROLE_WORDS[account.role.value], state_of(account)) for account in accounts]
        )

    def _show_choice(self) -> None:
        account = self._current()
        self.unlock.setEnabled(account is not None and account.locked_until is not None)

    def _current(self) -> Account | None:
        row = self.table.currentIndex().row()
        return self._accounts[row] if 0 <= row < len(self._accounts) else None

    def _lay_out(self) -> None:
        below = QHBoxLayout()
        below.addWidget(self.unlock)
        below.addStretch()
        left = QVBoxLayout()
        left.addWidget(self.table, 1)
        if self.writes:
            left.addLayout(below)
        self.table.set_widths(240, 260)
        self.unlock.setVisible(self.writes)
        columns = QHBoxLayout()
        columns.setSpacing(3 * SPACING)
        columns.addLayout(left, 1)
        if self.writes:
            columns.addWidget(self._form())
        self.column.addLayout(columns, 1)

    def _form(self) -> QWidget:
        panel = QWidget()
        panel.setFixedWidth(FORM_WIDTH)
        column = QVBoxLayout(panel)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        form = QFormLayout()
        form.setSpacing(SPACING)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("&Name", self.name)
        form.addRow("&Role", self.role)
        form.addRow("&Password", self.password)
        form.addRow("A&gain", self.again)
        column.addWidget(heading("New account", factor=1.1))
        column.addLayout(form)
        column.addWidget(self.fault)
        column.addWidget(self.add)
        column.addStretch()
        return panel


def state_of(account: Account) -> str:
    """Return in words whether an account can log in; times are local."""
    if not account.active:
        return "Closed"
    if account.locked_until is None:
        return "Can log in"
    until = datetime.fromisoformat(account.locked_until)
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return f"Locked until {until.astimezone():%H:%M}: too many wrong passwords"
