"""Between the key that locks and the signature: the password, where the study asks for one."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget

from reader_app.operations.sign import SigningDemand
from reader_app.ui.reading.flow import ReadingFlow
from reader_app.ui.reading.signer import Signer
from reader_app.ui.sign_dialog import SignDialog


def ask_password(page: QWidget, flow: ReadingFlow, signer: Signer, demand: SigningDemand) -> None:
    """Show what is signed above the page and ask for the password; the flow goes on or back."""
    case = flow.case
    if case is None:
        return
    dialog = SignDialog(f"Lock {case.reading.title}", demand.meaning, partial(signer.prove, case), page)
    dialog.proven.connect(partial(flow.sign, demand))
    dialog.rejected.connect(flow.stop_signing)
    dialog.open()
