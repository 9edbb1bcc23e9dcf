"""The pages that are plain forms: who reads what, what of the AI, repeats and calibration, signing."""

from __future__ import annotations

import secrets

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.design import DisplayPolicy, PasswordPolicy
from reader_app.reading.design_file import MAX_SEED
from reader_app.reading.design_words import ARM_WORDS, DISPLAY_WORDS, PASSWORD_WORDS, PRESENTATION_WORDS
from reader_app.ui.coordinator.design_wizard.fields import Field, Step, bounds
from reader_app.ui.coordinator.design_wizard.form import show_text
from reader_app.ui.coordinator.design_wizard.model import WizardModel
from reader_app.ui.coordinator.design_wizard.numbers import DecimalBox
from reader_app.ui.coordinator.design_wizard.options import Option
from reader_app.ui.coordinator.design_wizard.page import FormPage
from reader_app.ui.labels import show_indicator
from reader_app.ui.theme import SPACING

USUAL_KAPPA = 0.6
_CHECKS_IN_A_ROW = 7
_PRESENTATIONS = {
    Presentation.SINGLE: "Single",
    Presentation.PAIRED_ORDERED: "In pairs, in known order",
    Presentation.PAIRED_BLINDED: "In pairs, in hidden order",
}
_ARMS = {
    Arm.UNAIDED: "Unaided",
    Arm.AIDED: "Aided",
    Arm.UNAIDED_THEN_AIDED: "Unaided, then aided",
    Arm.CROSSOVER: "Crossover",
}
_PASSWORDS = {
    PasswordPolicy.NEVER: "Never",
    PasswordPolicy.FIRST_OF_SESSION: "At the first lock",
    PasswordPolicy.EACH_LOCK: "At every lock",
}
_DISPLAYS = {
    DisplayPolicy.NEVER: "Never",
    DisplayPolicy.DAILY: "Once a day",
    DisplayPolicy.EACH_SESSION: "At each log-in",
}


class ReadersPage(FormPage):
    """Who reads what, in which order."""

    step = Step.READERS
    about = "How the cases are dealt to the readers, each in a random order that follows from the seed."

    def __init__(self, model: WizardModel) -> None:
        super().__init__(model)
        form = self.form
        form.whole(Field.READERS_PER_CASE, "&Readers per case", zero="all readers")
        form.whole(
            Field.OVERLAP,
            "Cases that they &share",
            suffix=" %",
            about="Each other case is read by one reader.",
        )
        form.whole(
            Field.BLOCK_SIZE,
            "Bloc&k size",
            suffix=" cases",
            zero="one block",
            about="The same blocks for all readers: one can be adjudicated once all are through.",
        )
        form.options(
            Field.PRESENTATION,
            "&Presentation",
            [Option(each, title, PRESENTATION_WORDS[each]) for each, title in _PRESENTATIONS.items()],
        )
        form.whole(
            Field.DISTANCE,
            "&Distance",
            suffix=" cases",
            zero="none",
            about="How many others lie between two cases of one participant, where it can be done.",
        )
        self.seed = QLineEdit()
        self.seed.setMaxLength(len(str(MAX_SEED)))
        self.draw = QPushButton("Dra&w")
        self.draw.setAutoDefault(False)
        both = QWidget()
        line = QHBoxLayout(both)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.seed, 1)
        line.addWidget(self.draw)
        both.setFocusProxy(self.seed)
        form.row(
            Field.SEED,
            "S&eed",
            both,
            self._show_seed,
            about="From it and the readers' names all that is random follows.",
        )
        self.seed.textChanged.connect(self._typed)
        self.draw.clicked.connect(
            lambda _checked=False: self.seed.setText(str(secrets.randbelow(MAX_SEED + 1)))
        )

    def _show_seed(self, _seed: object) -> None:
        if self.seed.text().strip() != self.model.typed_seed:
            with QSignalBlocker(self.seed):
                show_text(self.seed, self.model.typed_seed)

    def _draw_seed(self) -> None:
        self.seed.setText(str(secrets.randbelow(MAX_SEED + 1)))

    def _typed(self, text: str) -> None:
        self.model.type_seed(text)
        self.form.tell()


class AiPage(FormPage):
    """What of the AI a reading shows."""

    step = Step.AI
    about = "What the readers see of the AI, and when."

    def __init__(self, model: WizardModel) -> None:
        super().__init__(model)
        self.form.options(
            Field.ARM, "&Arm", [Option(each, title, ARM_WORDS[each]) for each, title in _ARMS.items()]
        )
        self.form.decimal(
            Field.WASHOUT,
            "&Washout",
            suffix=" days",
            about="So long after a case was locked its second reading stays closed.",
        )


class RepeatsPage(FormPage):
    """Hidden re-reads, calibration cases, gate and controls."""

    step = Step.REPEATS
    about = "How the study learns whether a reader agrees with themselves, and with a reference."

    def __init__(self, model: WizardModel) -> None:
        super().__init__(model)
        form = self.form
        form.title("Hidden re-reads")
        form.whole(
            Field.REREADS, "&Re-read", suffix=" %", zero="none", about="Of a reader's cases, unannounced."
        )
        form.whole(
            Field.REREAD_CASES,
            "&Other cases between",
            suffix=" cases",
            about="That lie between, at least.",
        )
        form.decimal(
            Field.REREAD_DAYS, "&Days between", suffix=" days", about="Since the first lock, at least."
        )
        form.switch(
            Field.MIRRORED,
            "Show them &mirrored",
            about="As many first readings are mirrored too, so that it tells nothing.",
        )
        form.title("Calibration")
        form.whole(
            Field.CALIBRATION,
            "Calibration cas&es",
            suffix=" cases",
            zero="none",
            about="Read first, drawn from the cases with reference grades; no part of the results.",
        )
        form.line(Field.SOURCE, "&Source", about="Whose reference grades count; empty takes any.")
        form.switch(Field.FEEDBACK, "S&how the reference after each", about="So that readers learn from it.")
        self.gate = QCheckBox("at least")
        self.kappa = DecimalBox()
        form.row(
            Field.GATE_KAPPA,
            "Gate: &kappa",
            self._gate_editor(),
            self._show_gate,
            about="The lower bound that opens live reading; without a gate it opens anyway.",
        )
        form.decimal(
            Field.CONFIDENCE, "&Interval", suffix=" %", factor=100.0, about="That the lower bound belongs to."
        )
        self.features = {feature.id: QCheckBox(feature.id) for feature in model.protocol.features}
        form.row(
            Field.GATE_FEATURES,
            "Fea&tures of the gate",
            self._feature_editor(),
            self._show_features,
            about="None marked: all that have a reference.",
            wide=True,
        )
        form.whole(
            Field.CONTROLS,
            "Contro&ls: one every",
            suffix=" live cases",
            zero="never",
            about="A calibration case comes back unannounced, for the control charts.",
        )

    def _gate_editor(self) -> QWidget:
        both = QWidget()
        line = QHBoxLayout(both)
        line.setContentsMargins(0, 0, 0, 0)
        show_indicator(self.gate)
        self.kappa.setRange(*bounds(Field.GATE_KAPPA))
        self.kappa.setSingleStep(0.05)
        self.kappa.setValue(USUAL_KAPPA)
        self.kappa.setAccessibleName("Lower bound of kappa")
        line.addWidget(self.gate)
        line.addWidget(self.kappa, 1)
        both.setFocusProxy(self.gate)
        self.gate.toggled.connect(self._gate_changed)
        self.kappa.valueChanged.connect(self._gate_changed)
        return both

    def _gate_changed(self, _value: object) -> None:
        value = round(self.kappa.value(), 6) if self.gate.isChecked() else None
        self.form.put(Field.GATE_KAPPA, value)

    def _show_gate(self, value: float | None) -> None:
        with QSignalBlocker(self.gate), QSignalBlocker(self.kappa):
            self.gate.setChecked(value is not None)
            self.kappa.setEnabled(value is not None)
            if value is not None:
                self.kappa.setValue(value)

    def _feature_editor(self) -> QWidget:
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * SPACING)
        for place, (name, box) in enumerate(self.features.items()):
            show_indicator(box)
            box.setToolTip(self.model.protocol.feature(name).title)
            box.toggled.connect(self._features_changed)
            grid.addWidget(box, *divmod(place, _CHECKS_IN_A_ROW))
        grid.setColumnStretch(_CHECKS_IN_A_ROW, 1)
        inside.setFocusProxy(next(iter(self.features.values())))
        return inside

    def _features_changed(self, _checked: bool) -> None:
        marked = tuple(name for name, box in self.features.items() if box.isChecked())
        self.form.put(Field.GATE_FEATURES, marked)

    def _show_features(self, names: tuple[str, ...]) -> None:
        for name, box in self.features.items():
            with QSignalBlocker(box):
                box.setChecked(name in names)


class SigningPage(FormPage):
    """What locking a reading asks, and when the screen locks itself."""

    step = Step.SIGNING
    about = "What locking a reading asks and says."

    def __init__(self, model: WizardModel) -> None:
        super().__init__(model)
        form = self.form
        form.choice(
            Field.PASSWORD,
            "&Password",
            [Option(each, title, PASSWORD_WORDS[each]) for each, title in _PASSWORDS.items()],
        )
        form.choice(
            Field.DISPLAY,
            "&Display check",
            [Option(each, title, DISPLAY_WORDS[each]) for each, title in _DISPLAYS.items()],
        )
        form.line(
            Field.MEANING,
            "&Meaning of the signature",
            wide=True,
            about="In the first person; it is stored with every lock.",
        )
        form.whole(
            Field.SESSION,
            "&Screen locks after",
            suffix=" idle minutes",
            zero="never",
            about="Without a key or a move; the password opens it again.",
        )
