"""What the wizard knows without a window: the draft, what is wrong with it, and where one may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reader_app.protocols.model import Arm, Presentation, Protocol
from reader_app.reading.design import ALL_READERS, ReadingDesign
from reader_app.ui.coordinator.design_wizard.fields import (
    FIELDS_OF,
    LARGEST_SEED,
    Field,
    Step,
    value_of,
    with_value,
)
from reader_app.ui.coordinator.design_wizard.rule_rows import RuleRow, rows_of, with_rows

_AIDED = (Arm.AIDED, Arm.UNAIDED_THEN_AIDED, Arm.CROSSOVER)
_OF_REREADS = (Field.REREAD_CASES, Field.REREAD_DAYS, Field.MIRRORED)
_OF_CALIBRATION = (Field.SOURCE, Field.FEEDBACK, Field.GATE_KAPPA, Field.CONTROLS)
_OF_GATE = (Field.GATE_FEATURES, Field.CONFIDENCE)


@dataclass(frozen=True)
class FieldFault:
    """What is wrong in one field, in one sentence."""

    field: Field
    sentence: str


@dataclass(frozen=True)
class Origin:
    """Where the draft comes from.

    Attributes
    ----------
    preset
        The id of a preset; empty for a file and for the design in force.
    file
        The name of a file; empty for the others.
    """

    preset: str = ""
    file: str = ""


IN_FORCE = Origin()


class WizardModel:
    """A design that is being made.

    Parameters
    ----------
    start
        The design in force, with which the wizard opens.
    fixed
        Fields that cannot change any more, with the reason in words.
    begun
        Whether reading has begun, so that a change is an amendment and needs a reason.
    """

    def __init__(
        self,
        protocol: Protocol,
        *,
        start: ReadingDesign,
        fixed: Mapping[Field, str] | None = None,
        begun: bool = False,
    ) -> None:
        self.protocol = protocol
        self.start = start
        self.fixed = dict(fixed or {})
        self.begun = begun
        self.step = Step.PRESET
        self.reason = ""
        self.origin = IN_FORCE
        self._draft = start
        self._typed_seed = str(start.seed)

    # The draft ------------------------------------------------------------------------------------

    @property
    def draft(self) -> ReadingDesign:
        """What the fields hold, also where it does not apply at the moment."""
        return self._draft

    @property
    def typed_seed(self) -> str:
        """The seed as it is typed, also where it is no number yet."""
        return self._typed_seed

    @property
    def changed(self) -> bool:
        """Whether something would be lost if the wizard were closed."""
        return self.chosen() != settled(self.start) or self._typed_seed != str(self._draft.seed)

    def value(self, field: Field) -> Any:
        """Return what a field holds."""
        return value_of(self._draft, field)

    def set(self, field: Field, value: object) -> None:
        """Put a value into a field that may be changed."""
        if field not in self.fixed:
            self._draft = with_value(self._draft, field, value)

    def type_seed(self, text: str) -> None:
        """Take what was typed as the seed; it counts once it is a number."""
        if Field.SEED in self.fixed:
            return
        self._typed_seed = text.strip()
        if _seed_fault(self._typed_seed) == "":
            self._draft = replace(self._draft, seed=int(self._typed_seed))

    def take(self, design: ReadingDesign, origin: Origin) -> tuple[Field, ...]:
        """Fill every page from a preset, a file or the design in force.

        Returns
        -------
        tuple of Field
            Those that the design would have changed and that are fixed: they stay as they are.
        """
        taken, kept = design, []
        for field in self.fixed:
            own = value_of(self.start, field)
            if value_of(taken, field) != own:
                kept.append(field)
                taken = with_value(taken, field, own)
        self._draft, self.origin = taken, origin
        self._typed_seed = str(taken.seed)
        return tuple(kept)

    def rows(self) -> tuple[RuleRow, ...]:
        """Return the rules of disagreement, one a feature."""
        return rows_of(self._draft, self.protocol)

    def set_rows(self, rows: Sequence[RuleRow]) -> None:
        """Put other rules of disagreement into the draft."""
        if Field.RULES not in self.fixed:
            self._draft = with_rows(self._draft, self.protocol, rows)

    def chosen(self) -> ReadingDesign:
        """Return the design as it would be put in force."""
        return settled(self._draft)

    # What is said beside the fields ---------------------------------------------------------------

    def not_applicable(self, field: Field) -> str:
        """Return why a field means nothing as the others stand; empty where it does."""
        draft = self._draft
        if field is Field.OVERLAP and draft.readers_per_case == 1:
            return "One reader a case: nothing overlaps."
        if field is Field.DISTANCE and draft.presentation is not Presentation.SINGLE:
            return "All visits of a participant are one case."
        if field is Field.WASHOUT and draft.arm is not Arm.CROSSOVER:
            return "Only a crossover has a washout."
        if field in _OF_REREADS and draft.rereads.percent == 0:
            return "No case is read again."
        if field in (*_OF_CALIBRATION, *_OF_GATE) and draft.calibration.cases == 0:
            return "There are no calibration cases."
        if field in _OF_GATE and draft.calibration.min_kappa is None:
            return "There is no gate."
        return ""

    def disabled(self, field: Field) -> str:
        """Return why a field cannot be changed; empty where it can."""
        return self.fixed.get(field, "") or self.not_applicable(field)

    def remark(self, field: Field) -> str:
        """Return what is not wrong, yet should be known, about a field."""
        if field is Field.ARM and self._draft.arm in _AIDED and self.protocol.bundle is None:
            return "This protocol names no bundle: there is nothing of the AI that could be shown."
        return ""

    def faults(self, step: Step) -> tuple[FieldFault, ...]:
        """Return what is wrong on a page, in the order of its fields."""
        found = [FieldFault(field, self._fault(field)) for field in FIELDS_OF[step]]
        return tuple(fault for fault in found if fault.sentence)

    def _fault(self, field: Field) -> str:
        draft = self._draft
        if self.disabled(field):
            return ""
        match field:
            case Field.SEED:
                return _seed_fault(self._typed_seed)
            case Field.WASHOUT if draft.washout_days <= 0:
                return "A crossover needs days between its two readings: give at least 0.1."
            case Field.RULES:
                return next((row.fault for row in self.rows() if row.fault), "")
            case Field.MEANING if not draft.signing.meaning.strip():
                return "Say what the signature means."
            case Field.GATE_FEATURES:
                return self._gate_fault()
        return ""

    def _gate_fault(self) -> str:
        known = {feature.id for feature in self.protocol.features}
        strange = [name for name in self._draft.calibration.features if name not in known]
        return f"The protocol has no feature {', '.join(strange)}." if strange else ""

    # Going on and back ----------------------------------------------------------------------------

    @property
    def why_not_next(self) -> str:
        """Why the next page cannot be opened yet; empty where it can."""
        return next((fault.sentence for fault in self.faults(self.step)), "")

    @property
    def why_not_in_force(self) -> str:
        """Why the draft cannot be put in force; empty where it can."""
        for step in Step:
            for fault in self.faults(step):
                return f"Page {step.number}, {step.value}: {fault.sentence}"
        if self.chosen() == settled(self.start):
            return "This is the design in force: nothing was changed."
        if self.begun and not self.reason.strip():
            return "Reading has begun, so this is an amendment: say why."
        return ""

    def reachable(self, step: Step) -> bool:
        """Return whether a page may be opened: none before it has a fault."""
        return all(not self.faults(before) for before in list(Step)[: step.number - 1])

    def go(self, step: Step) -> bool:
        """Open a page if it can be reached; return whether it was opened."""
        if not self.reachable(step):
            return False
        self.step = step
        return True

    def next(self) -> bool:
        """Open the next page; return whether that was possible."""
        steps = list(Step)
        return self.step is not steps[-1] and self.go(steps[self.step.number])

    def back(self) -> bool:
        """Open the page before; return whether there is one."""
        steps = list(Step)
        return self.step is not steps[0] and self.go(steps[self.step.number - 2])


def settled(design: ReadingDesign) -> ReadingDesign:
    """Return a design without values that mean nothing in it, so that its hash has one meaning."""
    if design.readers_per_case == 1:
        design = replace(design, overlap_percent=100)
    if design.arm is not Arm.CROSSOVER:
        design = replace(design, washout_days=0.0)
    calibration = design.calibration
    if calibration.cases == 0 and (calibration.min_kappa is not None or calibration.control_every):
        calibration = replace(calibration, min_kappa=None, control_every=0)
    if calibration.min_kappa is None and calibration.features:
        calibration = replace(calibration, features=())
    return replace(
        design,
        calibration=calibration,
        rereads=replace(design.rereads, mirrored=design.rereads.mirrored and design.rereads.percent > 0),
        signing=replace(design.signing, meaning=design.signing.meaning.strip()),
    )


def readers_words(readers_per_case: int) -> str:
    """Return how many readers read a case, in words."""
    if readers_per_case == ALL_READERS:
        return "all readers"
    return "1 reader" if readers_per_case == 1 else f"{readers_per_case} readers"


def _seed_fault(text: str) -> str:
    few = len(text) <= len(str(LARGEST_SEED))
    if few and text.isascii() and text.isdigit() and int(text) <= LARGEST_SEED:
        return ""
    return f"Type a whole number from 0 to {LARGEST_SEED}, or draw one."
