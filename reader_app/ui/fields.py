"""The fields that dialogs and pages share: what is typed unseen, and the form they stand in."""

from __future__ import annotations

from PySide6.QtWidgets import QFormLayout, QLineEdit

from reader_app.ui.theme import SPACING


def secret_field(name: str, *, placeholder: str = "") -> QLineEdit:
    """Return a field whose text is not shown; the name is for who cannot see the screen."""
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setPlaceholderText(placeholder)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    return field


def is_secret(field: QLineEdit) -> bool:
    """Whether what is typed into a field is not shown."""
    return field.echoMode() is QLineEdit.EchoMode.Password


def wide_form() -> QFormLayout:
    """Return a form whose fields take the width there is."""
    form = QFormLayout()
    form.setSpacing(int(1.5 * SPACING))
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    return form
