"""Amendments upon the reading screen: what was amended in the case in sight, and the dialog for more."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from reader_app.errors import ReaderError
from reader_app.operations.amend import SETTLEMENT_STANDS
from reader_app.operations.read import OpenCase
from reader_app.reading.case import GradeKey
from reader_app.reading.change import Exclusion
from reader_app.store.amendment_records import OwnAmendment
from reader_app.ui.actions import ActionSet
from reader_app.ui.amend_dialog import AmendDialog, Amended
from reader_app.ui.grades.help import item_title
from reader_app.ui.reading.amender import Amender
from reader_app.ui.reading.course import Message, Tone, fault_message
from reader_app.ui.reading.flow import ReadingFlow


class CaseAmendments(QObject):
    """Shows and makes the amendments of the open case.

    Parameters
    ----------
    page
        Above which the dialog appears.
    flow
        Which case is in sight; it is opened anew once something was amended.
    """

    def __init__(self, page: QWidget, flow: ReadingFlow, amender: Amender) -> None:
        super().__init__(page)
        self._page = page
        self._flow = flow
        self._amender = amender
        self._made: tuple[OwnAmendment, ...] = ()
        flow.opened.connect(self._read)

    def note(self) -> str:
        """Return what was amended at the current joint, one line each; empty where nothing was."""
        case, key = self._flow.case, self._flow.cursor.key if self._flow.cursor else None
        if case is None or key is None:
            return ""
        return "\n".join(self._line(case, each) for each in self._made if each.joint_id == key.joint_id)

    def show_in(self, commands: ActionSet) -> None:
        """Offer to exclude a joint while the case is open, and to amend once it is locked."""
        locked = self._flow.case is not None and self._flow.case.locked
        commands["exclude"].setVisible(not locked)
        commands["amend"].setVisible(locked)

    def ask(self) -> None:
        """Ask what is to be amended at the current item, where the case is locked."""
        case, key = self._flow.case, self._flow.cursor.key if self._flow.cursor else None
        if case is None or key is None:
            return
        if not case.locked:
            self._flow.said.emit(Message("The reading is open: change the grade itself.", Tone.WARNING))
            return
        try:
            asks_password = self._amender.asks_password
        except ReaderError as fault:
            self._flow.said.emit(fault_message(fault))
            return
        side = case.case.joint(key.joint_id).side.label
        dialog = AmendDialog(
            f"{side}: {item_title(case.session.protocol, key.item)}",
            self._now(case, key),
            choices(case, key),
            password=asks_password,
            store=lambda chosen, reason, password: self._store(case, key, chosen, reason, password),
            parent=self._page,
        )
        dialog.amended.connect(self._show_again)
        dialog.open()

    def _store(self, case: OpenCase, key: GradeKey, chosen: Amended, reason: str, password: str) -> None:
        self._amender.amend(
            case, key.joint_id, chosen.item, after=chosen.after, reason=reason, password=password
        )

    def _show_again(self) -> None:
        case, key = self._flow.case, self._flow.cursor.key if self._flow.cursor else None
        if case is None:
            return
        try:
            self._flow.start(case.reading.assignment_id)
        except ReaderError as fault:
            self._flow.said.emit(fault_message(fault))
            return
        if key is not None:
            self._flow.move(lambda cursor: cursor.go_to(key))
        self._flow.said.emit(Message(f"Amended. {SETTLEMENT_STANDS}"))

    def _read(self) -> None:
        case = self._flow.case
        self._made = ()
        if case is None or not case.locked:
            return
        try:
            self._made = self._amender.made(case)
        except ReaderError as fault:
            self._flow.said.emit(fault_message(fault))

    def _now(self, case: OpenCase, key: GradeKey) -> str:
        exclusion = case.session.exclusion(key.joint_id)
        if exclusion is not None:
            return self._amender.words(None, exclusion)
        return self._amender.words(key.item, case.session.grade(key))

    def _line(self, case: OpenCase, each: OwnAmendment) -> str:
        what = "Exclusion" if each.item is None else item_title(case.session.protocol, each.item)
        before, after = (self._amender.words(each.item, value) for value in (each.before, each.after))
        return f"{what} amended from {before} to {after}: {each.reason}"


def choices(case: OpenCase, key: GradeKey) -> tuple[Amended, ...]:
    """Return what the current grade, or the exclusion of its joint, can become."""
    protocol, excluded = case.session.protocol, case.session.exclusion(key.joint_id)
    found: list[Amended] = []
    if excluded is not None:
        found.append(Amended("Not excluded: the grades count again", None, None))
    else:
        current = case.session.grade(key)
        found += [
            Amended(f"{level.code}  {level.label}", key.item, level.code)
            for level in protocol.item_scale(key.item).levels
            if level.code != current
        ]
    found += [
        Amended(f"The joint excluded: {reason.title}", None, Exclusion(reason.id))
        for reason in protocol.exclusion_reasons
        if excluded is None or excluded.reason_id != reason.id
    ]
    return tuple(found)
