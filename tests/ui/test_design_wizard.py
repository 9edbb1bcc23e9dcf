"""The wizard's window: by keyboard from the preset to the preview, and nothing wrong gets past a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QMessageBox, QSpinBox
from pytestqt.qtbot import QtBot

from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Arm, Protocol, Resolution
from reader_app.reading.design import ReadingDesign
from reader_app.reading.design_file import design_text
from reader_app.reading.presets import from_preset
from reader_app.store.records import Actor
from reader_app.ui.coordinator.design_wizard.fields import Field, Step
from reader_app.ui.coordinator.design_wizard.form_pages import AiPage, ReadersPage, RepeatsPage, SigningPage
from reader_app.ui.coordinator.design_wizard.model import Origin, WizardModel
from reader_app.ui.coordinator.design_wizard.preset_page import PresetPage
from reader_app.ui.coordinator.design_wizard.rule_rows import Column
from reader_app.ui.coordinator.design_wizard.rules_page import RulesPage
from reader_app.ui.coordinator.design_wizard.rules_table import index_at
from reader_app.ui.coordinator.design_wizard.wizard import DesignWizard

PASSWORD = "carla-coordinates"
HIP = find_protocol("hip-oarsi")
START = from_preset("hip-oarsi-2020", HIP, seed=7)


class Wizard:
    """A wizard on the small study, and its pages by their kind."""

    def __init__(self, qtbot: QtBot, model: WizardModel, study: Study, actor: Actor) -> None:
        self.window = DesignWizard(model, study, actor)
        self.window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
        qtbot.addWidget(self.window, before_close_func=self._let_go)
        with qtbot.waitActive(self.window):
            self.window.show()
            self.window.activateWindow()
        self.model = model
        pages = self.window.pages
        preset, readers, ai = pages[Step.PRESET], pages[Step.READERS], pages[Step.AI]
        repeats, rules, signing = pages[Step.REPEATS], pages[Step.DISAGREEMENTS], pages[Step.SIGNING]
        assert isinstance(preset, PresetPage)
        assert isinstance(readers, ReadersPage)
        assert isinstance(ai, AiPage)
        assert isinstance(repeats, RepeatsPage)
        assert isinstance(rules, RulesPage)
        assert isinstance(signing, SigningPage)
        self.preset, self.readers, self.ai = preset, readers, ai
        self.repeats, self.rules, self.signing = repeats, rules, signing
        # Arrow keys go by where the choices stand, so they must have been laid out.
        choices = preset.options.buttons
        qtbot.waitUntil(lambda: len(choices) == 7 and choices[-1].y() > choices[-2].y() > 0)

    def _let_go(self, window: DesignWizard) -> None:
        """Nothing is asked when a test ends."""
        self.model.take(self.model.start, Origin())
        window.reject()

    def at(self, step: Step) -> bool:
        return self.model.step is step

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        target = self.window.focusWidget() or self.window
        QTest.keyClick(target, key, modifier)

    def alt(self, key: Qt.Key) -> None:
        self.key(key, Qt.KeyboardModifier.AltModifier)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Study]:
    """A study of hips without films and readers."""
    choices = NewStudy(protocol="hip-oarsi", title="Hips", coordinator="Carla", password=PASSWORD)
    with create_study(tmp_path / "bare", choices) as made:
        yield made


@pytest.fixture
def begin(qtbot: QtBot, bare: Study) -> Callable[..., Wizard]:
    def make(start: ReadingDesign = START, protocol: Protocol = HIP, **more: object) -> Wizard:
        model = WizardModel(protocol, start=start, **more)  # type: ignore[arg-type]
        return Wizard(qtbot, model, bare, log_in(bare, "Carla", PASSWORD))

    return make


def test_enter_goes_on_from_every_page_and_alt_left_goes_back(begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    for step in list(Step)[1:-1]:
        wizard.key(Qt.Key.Key_Return)
        assert wizard.at(step)
        assert wizard.window.title.text() == step.value
    for step in reversed(list(Step)[:-2]):
        wizard.alt(Qt.Key.Key_Left)
        assert wizard.at(step)


def test_alt_and_a_number_opens_a_page(begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    wizard.alt(Qt.Key.Key_6)
    assert wizard.at(Step.SIGNING)
    wizard.alt(Qt.Key.Key_2)
    assert wizard.at(Step.READERS)


def test_arrow_keys_choose_a_preset_which_fills_all_pages(qtbot: QtBot, begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    for _ in range(4):
        wizard.key(Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: wizard.model.origin == Origin(preset="single-reader-rereads"))
    assert wizard.model.chosen() == from_preset("single-reader-rereads", HIP, seed=7)
    wizard.alt(Qt.Key.Key_4)
    box = wizard.repeats.form.editor(Field.REREADS)
    assert isinstance(box, QSpinBox)
    assert box.value() == 10


def test_a_file_of_ones_own_is_taken_and_a_faulty_one_is_refused_with_its_faults(
    qtbot: QtBot, begin: Callable[..., Wizard], tmp_path: Path
) -> None:
    wizard = begin()
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    design = from_preset("oai-project-15", find_protocol("hip-oarsi"), seed=99)
    good.write_text(design_text(design), encoding="utf-8")
    bad.write_text('presentation = "single"\narm = "unaided"\nblock_size = -3\n', encoding="utf-8")
    wizard.preset.take_file(bad)
    qtbot.waitUntil(lambda: "block_size" in wizard.preset.fault.text())
    assert not wizard.window.next.isEnabled()
    assert "cannot be used" in wizard.window.status.text()
    assert wizard.model.chosen() == START, "a faulty file changes nothing"
    wizard.preset.take_file(good)
    qtbot.waitUntil(lambda: wizard.window.next.isEnabled())
    assert wizard.model.chosen() == design
    assert wizard.preset.fault.text() == ""
    wizard.alt(Qt.Key.Key_2)
    assert wizard.readers.seed.text() == "99"


def test_a_wrong_seed_is_said_beside_the_field_and_holds_one_on_the_page(
    begin: Callable[..., Wizard],
) -> None:
    wizard = begin()
    wizard.key(Qt.Key.Key_Return)
    wizard.readers.seed.setFocus()
    wizard.readers.seed.selectAll()
    QTest.keyClicks(wizard.readers.seed, "12x")
    assert "whole number" in wizard.readers.form.remark(Field.SEED)
    assert "whole number" in wizard.window.status.text()
    assert not wizard.window.next.isEnabled()
    wizard.key(Qt.Key.Key_Return)
    assert wizard.at(Step.READERS)
    wizard.alt(Qt.Key.Key_5)
    assert wizard.at(Step.READERS)
    wizard.readers.draw.click()
    assert wizard.window.status.text() == ""
    assert wizard.model.draft.seed == int(wizard.readers.seed.text())
    wizard.key(Qt.Key.Key_Return)
    assert wizard.at(Step.AI)


def test_the_arms_are_chosen_by_arrow_and_a_crossover_asks_for_days(begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    wizard.alt(Qt.Key.Key_3)
    washout = wizard.ai.form.editor(Field.WASHOUT)
    assert not washout.isEnabled()
    for _ in range(3):
        wizard.key(Qt.Key.Key_Down)
    assert wizard.model.draft.arm is Arm.CROSSOVER
    assert washout.isEnabled()
    assert "more than 0 days" in wizard.ai.form.remark(Field.WASHOUT)
    assert not wizard.window.next.isEnabled()
    washout.setFocus()
    QTest.keyClick(washout, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(washout, "28")
    wizard.key(Qt.Key.Key_Return)
    assert wizard.at(Step.REPEATS)
    assert wizard.model.chosen().washout_days == 28.0
    assert "read twice" in wizard.repeats.form.remark(Field.REREADS)


def test_the_gate_is_made_of_a_bound_an_interval_and_features(begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    wizard.alt(Qt.Key.Key_4)
    page = wizard.repeats
    cases = page.form.editor(Field.CALIBRATION)
    assert isinstance(cases, QSpinBox)
    cases.setValue(30)
    assert not page.kappa.isEnabled()
    page.gate.click()
    assert page.kappa.isEnabled()
    page.kappa.setValue(0.7)
    page.features["KL"].click()
    calibration = wizard.model.chosen().calibration
    assert (calibration.cases, calibration.min_kappa, calibration.features) == (30, 0.7, ("KL",))
    page.gate.click()
    assert wizard.model.chosen().calibration.min_kappa is None
    assert page.form.remark(Field.CONFIDENCE) == "There is no gate."


def test_a_kappa_that_the_box_cannot_show_is_not_altered_by_looking(begin: Callable[..., Wizard]) -> None:
    from dataclasses import replace

    exact = replace(
        START, calibration=replace(START.calibration, cases=9, min_kappa=0.6125, confidence=0.9725)
    )
    wizard = begin(exact)
    for _ in range(5):
        wizard.key(Qt.Key.Key_Return)
    assert wizard.model.chosen() == exact


def test_a_number_is_typed_over_the_word_for_none(qtbot: QtBot, begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    wizard.alt(Qt.Key.Key_4)
    QTest.keyClicks(wizard.window.focusWidget(), "10")
    assert wizard.model.draft.rereads.percent == 10
    wizard.alt(Qt.Key.Key_E)
    qtbot.waitUntil(wizard.repeats.form.editor(Field.CALIBRATION).hasFocus)
    QTest.keyClicks(wizard.window.focusWidget(), "25")
    assert wizard.model.draft.calibration.cases == 25


def test_the_rules_are_edited_by_arrows_and_space(begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    wizard.alt(Qt.Key.Key_5)
    table = wizard.rules.table
    assert table.hasFocus()
    table.setCurrentIndex(index_at(table, "KL", Column.CUT))
    wizard.key(Qt.Key.Key_Space)
    wizard.key(Qt.Key.Key_Space)
    row = wizard.model.rows()[-1]
    assert (row.cut, row.any_difference) == (1, False)
    wizard.key(Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert wizard.model.rows()[-1].cut == 0
    wizard.key(Qt.Key.Key_Left)
    wizard.key(Qt.Key.Key_Space)
    assert wizard.model.rows()[-1].above == 1
    table.setCurrentIndex(index_at(table, "KL", Column.RESOLUTION))
    wizard.key(Qt.Key.Key_Space)
    assert wizard.model.rows()[-1].resolution is Resolution.THIRD_IF_MATCH
    wizard.key(Qt.Key.Key_Return)
    assert wizard.at(Step.SIGNING)


def test_a_rule_without_a_trigger_is_said_under_the_table(begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    wizard.alt(Qt.Key.Key_5)
    table = wizard.rules.table
    table.setCurrentIndex(index_at(table, "JSN", Column.ANY_DIFFERENCE))
    wizard.key(Qt.Key.Key_Space)
    assert wizard.rules.fault.text().startswith("JSN: choose")
    assert not wizard.window.next.isEnabled()
    wizard.alt(Qt.Key.Key_7)
    assert wizard.at(Step.DISAGREEMENTS)
    wizard.key(Qt.Key.Key_Space)
    assert not wizard.rules.fault.isVisible()


@pytest.mark.parametrize("protocol", ["hip-oarsi", "knee-oarsi-kl", "hip-morphology"])
def test_every_choice_of_the_table_fits_its_column(begin: Callable[..., Wizard], protocol: str) -> None:
    wizard = begin(protocol=find_protocol(protocol))
    wizard.alt(Qt.Key.Key_5)
    table = wizard.rules.table
    metrics = table.fontMetrics()
    for row in range(table.rules.rowCount()):
        for column in range(table.rules.columnCount()):
            index = table.rules.index(row, column)
            words = [choice.words for choice in table.rules.choices(index)] or [str(index.data())]
            widest = max(metrics.horizontalAdvance(each) for each in words)
            assert widest + 8 <= table.columnWidth(column), words


def test_one_row_can_be_given_to_all(qtbot: QtBot, begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    wizard.alt(Qt.Key.Key_5)
    table = wizard.rules.table
    table.setCurrentIndex(index_at(table, "AO", Column.RESOLUTION))
    wizard.key(Qt.Key.Key_Space)
    wizard.alt(Qt.Key.Key_A)
    qtbot.waitUntil(lambda: {row.resolution for row in wizard.model.rows()} == {Resolution.THIRD_IF_MATCH})


def test_what_reading_has_fixed_is_shown_with_the_reason_and_takes_no_key(
    begin: Callable[..., Wizard],
) -> None:
    why = "Cases have been opened under it."
    wizard = begin(fixed={Field.ARM: why, Field.SEED: why, Field.RULES: why}, begun=True)
    wizard.alt(Qt.Key.Key_3)
    assert wizard.ai.form.remark(Field.ARM) == why
    assert not wizard.ai.form.editor(Field.ARM).isEnabled()
    wizard.alt(Qt.Key.Key_2)
    assert not wizard.readers.seed.isEnabled()
    assert not wizard.readers.draw.isEnabled()
    wizard.alt(Qt.Key.Key_5)
    assert not wizard.rules.table.isEnabled()
    assert wizard.rules.keys.text() == why


def test_a_preset_that_reading_forbids_in_part_says_what_stays(
    qtbot: QtBot, begin: Callable[..., Wizard]
) -> None:
    wizard = begin(fixed={Field.ARM: "begun"}, begun=True)
    wizard.preset.options.buttons[5].click()
    qtbot.waitUntil(lambda: "Kept as in force" in wizard.preset.notes.text())
    assert "arm" in wizard.preset.notes.text()
    assert wizard.model.draft.arm is START.arm


def test_escape_closes_at_once_where_nothing_would_be_lost(begin: Callable[..., Wizard]) -> None:
    wizard = begin()
    wizard.key(Qt.Key.Key_Return)
    wizard.key(Qt.Key.Key_Escape)
    assert not wizard.window.isVisible()


@pytest.mark.parametrize(("button", "stays"), [("Go on", True), ("Forget", False)])
def test_escape_asks_where_something_would_be_lost(
    qtbot: QtBot, begin: Callable[..., Wizard], button: str, stays: bool
) -> None:
    wizard = begin()
    wizard.alt(Qt.Key.Key_2)
    wizard.readers.draw.click()
    wizard.key(Qt.Key.Key_Escape)
    box = wizard.window.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    assert wizard.window.isVisible()
    (answer,) = (each for each in box.buttons() if button in each.text())
    answer.click()
    assert wizard.window.isVisible() is stays


@pytest.mark.parametrize("step", list(Step))
def test_no_letter_leads_to_two_places_on_a_page(begin: Callable[..., Wizard], step: Step) -> None:
    wizard = begin()
    shown = [wizard.window.pages[step], wizard.window.back, wizard.window.cancel]
    shown.append(wizard.window.force if step is Step.PREVIEW else wizard.window.next)
    texts = [widget.text() for widget in shown[1:] if isinstance(widget, QAbstractButton)]
    texts += [label.text() for label in shown[0].findChildren(QLabel) if label.buddy() is not None]
    texts += [button.text() for button in shown[0].findChildren(QAbstractButton)]
    letters = [QKeySequence.mnemonic(text).toString() for text in texts if "&" in text]
    assert len(letters) >= 4
    assert len(letters) == len(set(letters)), letters


@pytest.mark.parametrize("protocol", ["hip-oarsi", "knee-oarsi-kl"])
def test_no_text_is_cut_on_a_small_screen(begin: Callable[..., Wizard], protocol: str) -> None:
    wizard = begin(protocol=find_protocol(protocol))
    assert wizard.window.width() <= 1280
    assert wizard.window.height() <= 680
    for step in list(Step)[:-1]:
        wizard.window.go(step)
        page = wizard.window.pages[step]
        assert page.minimumSizeHint().width() <= wizard.window.stack.width(), step
        for label in page.findChildren(QLabel):
            if label.isVisible():
                assert label.width() >= label.minimumSizeHint().width(), label.text()
