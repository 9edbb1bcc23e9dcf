"""What the wizard knows without a window: the draft, what is wrong with it, and where one may go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reader_app.protocols.model import Arm, Presentation, Protocol, TriggerKind
from reader_app.protocols.schema import Fault
from reader_app.reading.design import ReadingDesign
from reader_app.reading.design_file import MAX_SEED, design_faults
from reader_app.ui.coordinator.design_wizard.fields import (
    FIELDS_OF,
    Field,
    Step,
    field_at,
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
        self._checked: tuple[ReadingDesign, tuple[Fault, ...]] | None = None

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
        if seed_fault(self._typed_seed) == "":
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
        if field is Field.RULES and draft.readers_per_case == 1:
            return "One reader a case: there is nobody to differ from."
        if field is Field.DISTANCE and draft.presentation is not Presentation.SINGLE:
            return "All visits of a participant are one case."
        if field is Field.WASHOUT and draft.arm is not Arm.CROSSOVER:
            return "Only a crossover has a washout."
        if field in (Field.REREADS, *_OF_REREADS) and draft.arm is Arm.CROSSOVER:
            return "In a crossover every case is read twice as it is."
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
        found = [FieldFault(field, self.fault(field)) for field in FIELDS_OF[step]]
        return tuple(fault for fault in found if fault.sentence)

    def fault(self, field: Field) -> str:
        """Return what is wrong in a field, in one sentence; empty if nothing."""
        if self.disabled(field):
            return ""
        if field is Field.SEED and (said := seed_fault(self._typed_seed)):
            return said
        if field is Field.MEANING and not self._draft.signing.meaning.strip():
            return "Say what the signature means."
        if field is Field.RULES and (said := next((row.fault for row in self.rows() if row.fault), "")):
            return said
        found = (fault for fault in self._found() if field_at(fault.key) is field)
        return next((self._sentence(field, fault) for fault in found), "")

    def _found(self) -> tuple[Fault, ...]:
        """Return what the rules of design files say of the design; looked up once a design."""
        chosen = self.chosen()
        if self._checked is None or self._checked[0] != chosen:
            self._checked = (chosen, design_faults(chosen, self.protocol))
        return self._checked[1]

    def _sentence(self, field: Field, fault: Fault) -> str:
        """Return a fault in the words of the wizard, where those of a file's keys would not help."""
        if field is Field.OVERLAP:
            return "Share 1 % of the cases at least, or let 1 reader read each case."
        if field is Field.RULES:
            return _rule_sentence(self.chosen(), fault)
        return f"This must be {fault.expected}, not {fault.found}."

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
        for other in self._found():
            return f"{other}."
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
    rereads, calibration, judging = design.rereads, design.calibration, design.adjudication
    if design.arm is Arm.CROSSOVER:
        rereads = replace(rereads, percent=0)
    if calibration.cases == 0:
        calibration = replace(calibration, min_kappa=None, control_every=0, features=())
    if design.readers_per_case == 1:
        judging = replace(judging, rules=())
    return replace(
        design,
        rereads=replace(rereads, mirrored=rereads.mirrored and rereads.percent > 0),
        calibration=calibration,
        adjudication=judging,
        signing=replace(design.signing, meaning=design.signing.meaning.strip()),
    )


def seed_fault(text: str) -> str:
    """Return what is wrong with text that should be a seed, in one sentence; empty if nothing."""
    few = len(text) <= len(str(MAX_SEED))
    if few and text.isascii() and text.isdigit() and int(text) <= MAX_SEED:
        return ""
    return f"Type a whole number from 0 to {MAX_SEED}, or draw one."


def _rule_sentence(design: ReadingDesign, fault: Fault) -> str:
    """Return a fault in a rule by the features that the rule is about."""
    found = re.match(r"adjudication\.rules\[(\d+)\](?:\.triggers\[(\d+)\])?", fault.key)
    if found is None:
        return f"{fault}."
    rule = design.adjudication.rules[int(found[1])]
    names = ", ".join(rule.feature_ids)
    about_change = (
        found[2] is not None and rule.triggers[int(found[2])].kind is TriggerKind.DIRECTION_OF_CHANGE
    )
    if about_change and design.presentation is Presentation.SINGLE:
        return f"{names}: a direction of change needs the visits of a participant in one case (page 2)."
    return f"{names}: this must be {fault.expected}, not {fault.found}."
