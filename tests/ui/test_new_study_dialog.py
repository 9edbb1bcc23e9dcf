"""A new study begins with the design that was chosen for it, and not with one that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from reader_app.operations.study import Study
from reader_app.reading.presets import from_preset
from reader_app.ui.new_study_dialog import NewStudyDialog

PATIENCE = 20_000


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> NewStudyDialog:
    dialog = NewStudyDialog(folder=tmp_path / "made")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.title.setText("A study")
    dialog.coordinator.setText("Carla")
    dialog.password.setText("carla-coordinates")
    dialog.again.setText("carla-coordinates")
    qtbot.waitUntil(lambda: dialog.design.list.count() == 7)
    return dialog


def choose(dialog: NewStudyDialog, protocol: str, preset: str) -> None:
    places = [dialog.protocol.itemData(n).stem for n in range(dialog.protocol.count())]
    dialog.protocol.setCurrentIndex(places.index(protocol))
    dialog.design.list.setCurrentIndex(dialog.design.list.findData(preset))


def test_a_preset_is_explained_and_becomes_the_studys_design(qtbot: QtBot, dialog: NewStudyDialog) -> None:
    choose(dialog, "hip-oarsi", "single-reader-rereads")
    assert "One reader reads every case" in dialog.design.about.text()
    assert not dialog.aided.isEnabled(), "what is shown of the AI is the preset's"
    made: list[Study] = []
    dialog.created.connect(lambda study, _name: made.append(study))
    dialog.make.click()
    qtbot.waitUntil(lambda: bool(made), timeout=PATIENCE)
    (study,) = made
    with study:
        assert study.design == from_preset("single-reader-rereads", study.protocol, seed=study.design.seed)


def test_what_the_protocol_says_holds_without_a_preset(qtbot: QtBot, dialog: NewStudyDialog) -> None:
    choose(dialog, "hip-oarsi", "single-reader-rereads")
    dialog.design.list.setCurrentIndex(0)
    assert dialog.unaided.isEnabled()
    dialog.unaided.setChecked(True)
    made: list[Study] = []
    dialog.created.connect(lambda study, _name: made.append(study))
    dialog.make.click()
    qtbot.waitUntil(lambda: bool(made), timeout=PATIENCE)
    with made[0] as study:
        assert (study.design.preset, study.design.arm.value) == ("", "unaided")


def test_a_preset_that_does_not_fit_the_protocol_is_refused_at_once(
    qtbot: QtBot, dialog: NewStudyDialog
) -> None:
    choose(dialog, "hip-osteoporosis", "oai-project-15")
    qtbot.waitUntil(lambda: "does not fit" in dialog.design.fault.text())
    dialog.make.click()
    assert "does not fit" in dialog.fault.text()
    assert dialog.make.isEnabled()
    choose(dialog, "knee-oarsi-kl", "oai-project-15")
    qtbot.waitUntil(lambda: dialog.design.refusal == "" and not dialog.design.fault.isVisible())
    assert dialog.complaint() is None


def test_what_of_a_preset_does_not_apply_is_told(qtbot: QtBot, dialog: NewStudyDialog) -> None:
    choose(dialog, "knee-kl", "oai-project-15")
    qtbot.waitUntil(lambda: "does not grade JSN" in dialog.design.about.text())
