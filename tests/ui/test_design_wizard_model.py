"""The wizard without a window: what is wrong is said, nobody gets past it, and what is fixed stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import (
    Arm,
    Presentation,
    Protocol,
    Resolution,
)
from reader_app.reading.design import Calibration, ReadingDesign, Rereads
from reader_app.reading.presets import from_preset, presets
from reader_app.ui.coordinator.design_wizard.fields import (
    FIELDS_OF,
    Field,
    Step,
    bounds,
    field_at,
    longest,
    value_of,
    with_value,
)
from reader_app.ui.coordinator.design_wizard.model import Origin, WizardModel, settled
from reader_app.ui.coordinator.design_wizard.rule_rows import (
    Column,
    changed,
)

HIP = find_protocol("hip-oarsi")
START = ReadingDesign(presentation=Presentation.SINGLE, arm=Arm.UNAIDED, seed=7, participant_distance=3)
REASON = "Reading has begun."


def wizard(protocol: Protocol = HIP, **more: object) -> WizardModel:
    return WizardModel(protocol, start=START, **more)  # type: ignore[arg-type]


def test_every_field_stands_on_one_page_and_names_a_value_of_the_design() -> None:
    placed = [field for step in Step for field in FIELDS_OF[step]]
    assert sorted(placed) == sorted(Field)
    for field in Field:
        assert value_of(with_value(START, field, value_of(START, field)), field) == value_of(START, field)


def test_a_value_reaches_the_design_and_leaves_the_others_alone() -> None:
    model = wizard()
    model.set(Field.REREADS, 10)
    assert model.draft == replace(START, rereads=Rereads(percent=10))
    assert model.changed


def test_an_untouched_wizard_would_lose_nothing() -> None:
    model = wizard()
    model.next()
    model.next()
    assert not model.changed


def test_a_field_put_back_is_no_change() -> None:
    model = wizard()
    model.set(Field.BLOCK_SIZE, 50)
    model.set(Field.BLOCK_SIZE, 0)
    assert not model.changed


@pytest.mark.parametrize("typed", ["", "-1", "x", "2147483648", "9" * 5000, "1.5", "٣"])
def test_a_seed_that_is_no_number_holds_one_on_the_page(typed: str) -> None:
    model = wizard()
    model.next()
    model.type_seed(typed)
    assert "whole number" in model.why_not_next
    assert not model.next()
    assert model.step is Step.READERS
    assert model.draft.seed == START.seed
    assert model.changed, "what was typed would be lost"
    model.type_seed("2147483647")
    assert model.why_not_next == ""
    assert model.next()
    assert model.draft.seed == 2**31 - 1


def test_a_crossover_needs_a_washout() -> None:
    model = wizard()
    model.go(Step.AI)
    model.set(Field.ARM, Arm.CROSSOVER)
    assert "days" in model.why_not_next
    model.set(Field.WASHOUT, 28.0)
    assert model.why_not_next == ""
    assert model.chosen().washout_days == 28.0


def test_a_washout_without_a_crossover_is_not_kept_yet_comes_back_with_it() -> None:
    model = wizard()
    model.set(Field.ARM, Arm.CROSSOVER)
    model.set(Field.WASHOUT, 28.0)
    model.set(Field.ARM, Arm.UNAIDED)
    assert model.disabled(Field.WASHOUT) == "Only a crossover has a washout."
    assert model.chosen().washout_days == 0.0
    assert not model.changed
    model.set(Field.ARM, Arm.CROSSOVER)
    assert model.chosen().washout_days == 28.0


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (Field.OVERLAP, {Field.READERS_PER_CASE: 1}),
        (Field.DISTANCE, {Field.PRESENTATION: Presentation.PAIRED_ORDERED}),
        (Field.WASHOUT, {Field.ARM: Arm.AIDED}),
        (Field.MIRRORED, {Field.REREADS: 0}),
        (Field.REREADS, {Field.ARM: Arm.CROSSOVER}),
        (Field.RULES, {Field.READERS_PER_CASE: 1}),
        (Field.GATE_KAPPA, {Field.CALIBRATION: 0}),
        (Field.CONFIDENCE, {Field.CALIBRATION: 5, Field.GATE_KAPPA: None}),
    ],
)
def test_a_field_that_means_nothing_says_why(field: Field, values: dict[Field, object]) -> None:
    model = wizard()
    for other, value in values.items():
        model.set(other, value)
    assert model.disabled(field).endswith(".")


def test_a_signature_without_a_meaning_is_refused() -> None:
    model = wizard()
    model.go(Step.SIGNING)
    model.set(Field.MEANING, "   ")
    assert model.why_not_next == "Say what the signature means."
    assert not model.reachable(Step.PREVIEW)
    assert model.why_not_in_force.startswith("Page 6, Signing")


def test_an_aided_arm_without_a_bundle_is_remarked_upon_yet_allowed() -> None:
    protocol = replace(HIP, bundle=None)
    model = wizard(protocol)
    model.set(Field.ARM, Arm.AIDED)
    assert "no bundle" in model.remark(Field.ARM)
    assert wizard().remark(Field.ARM) == ""


def test_a_gate_on_features_that_the_protocol_lacks_is_refused() -> None:
    model = wizard()
    model.take(
        replace(START, calibration=Calibration(cases=9, features=("TOE",), min_kappa=0.5)), Origin(file="x")
    )
    (fault,) = model.faults(Step.REPEATS)
    assert fault.field is Field.GATE_FEATURES
    assert fault.sentence == "This must be one of FO, AO, JSN, SCL, CYST, KL, not “TOE”."


def test_nothing_changed_is_not_put_in_force() -> None:
    model = wizard()
    assert "nothing was changed" in model.why_not_in_force
    model.set(Field.BLOCK_SIZE, 50)
    assert model.why_not_in_force == ""


def test_an_amendment_asks_why() -> None:
    model = wizard(begun=True)
    model.set(Field.BLOCK_SIZE, 50)
    assert "say why" in model.why_not_in_force
    model.reason = " \n"
    assert "say why" in model.why_not_in_force
    model.reason = "Blocks end with the week."
    assert model.why_not_in_force == ""


def test_what_is_fixed_is_not_changed_by_hand_nor_by_a_preset() -> None:
    model = wizard(fixed={Field.ARM: REASON, Field.SEED: REASON, Field.RULES: REASON})
    model.set(Field.ARM, Arm.AIDED)
    model.type_seed("99")
    rows = model.rows()
    model.set_rows([changed(rows[0], Column.RESOLUTION, Resolution.WORST), *rows[1:]])
    assert model.draft == START
    assert model.disabled(Field.ARM) == REASON
    preset = replace(START, arm=Arm.AIDED, seed=99, block_size=25)
    assert set(model.take(preset, Origin(preset="some"))) == {Field.ARM, Field.SEED}
    assert model.chosen() == replace(START, block_size=25)


def test_a_preset_fills_every_page_and_its_seed_is_shown() -> None:
    model = wizard()
    model.type_seed("not a number")
    preset = replace(START, seed=12, rereads=Rereads(percent=10), preset="single-reader-rereads")
    assert model.take(preset, Origin(preset="single-reader-rereads")) == ()
    assert model.typed_seed == "12"
    assert model.chosen() == preset
    assert model.faults(Step.READERS) == ()


def test_one_can_go_back_from_a_faulty_page_but_not_past_it() -> None:
    model = wizard()
    model.go(Step.SIGNING)
    model.go(Step.AI)
    model.set(Field.ARM, Arm.CROSSOVER)
    assert not model.go(Step.SIGNING)
    assert model.back()
    assert model.step is Step.READERS
    assert model.go(Step.AI)
    assert not model.next()


def test_there_is_nothing_before_the_first_page_and_after_the_last() -> None:
    model = wizard()
    assert not model.back()
    assert model.go(Step.PREVIEW)
    assert not model.next()


def test_a_direction_of_change_asks_for_visits_in_pairs() -> None:
    model = wizard()
    rows = model.rows()
    model.set_rows([*rows[:-1], changed(rows[-1], Column.DIRECTION, True)])
    assert model.fault(Field.RULES).startswith("KL: a direction of change needs the visits")
    model.set(Field.PRESENTATION, Presentation.PAIRED_BLINDED)
    assert model.fault(Field.RULES) == ""


def test_cases_that_nobody_shares_are_refused() -> None:
    model = wizard()
    model.set(Field.READERS_PER_CASE, 2)
    model.set(Field.OVERLAP, 0)
    assert model.fault(Field.OVERLAP).startswith("Share 1 %")
    model.set(Field.READERS_PER_CASE, 1)
    assert model.fault(Field.OVERLAP) == ""
    assert model.chosen().overlap_percent == 100


def test_every_number_has_the_bounds_of_a_design_file() -> None:
    assert bounds(Field.READERS_PER_CASE) == (0, 50)
    assert bounds(Field.REREAD_CASES)[0] == 1
    assert bounds(Field.CONFIDENCE) == (0.5, 0.999)
    assert longest(Field.MEANING) == 400
    assert longest(Field.SOURCE) == 120
    for wrong in (Field.ARM, Field.MEANING):
        with pytest.raises(TypeError):
            bounds(wrong)
    with pytest.raises(TypeError):
        longest(Field.BLOCK_SIZE)


def test_a_fault_of_a_file_is_said_at_its_field() -> None:
    assert field_at("rereads.percent") is Field.REREADS
    assert field_at("adjudication.rules[2].triggers[0].cut") is Field.RULES
    assert field_at("calibration.features[0]") is Field.GATE_FEATURES
    assert field_at("preset") is None


@pytest.mark.parametrize("preset", [preset.id for preset in presets()])
def test_every_preset_passes_through_the_wizard_unaltered(preset: str) -> None:
    model = wizard()
    design = from_preset(preset, HIP, seed=5)
    model.take(design, Origin(preset=preset))
    for _ in list(Step)[1:]:
        assert model.next(), model.why_not_next
    assert model.why_not_in_force == ""
    assert model.chosen() == design


@given(
    st.builds(
        ReadingDesign,
        presentation=st.sampled_from(Presentation),
        arm=st.sampled_from(Arm),
        seed=st.integers(0, 99),
        readers_per_case=st.integers(0, 3),
        overlap_percent=st.integers(0, 100),
        washout_days=st.floats(0, 30),
        rereads=st.builds(Rereads, percent=st.sampled_from([0, 10]), mirrored=st.booleans()),
        calibration=st.builds(
            Calibration,
            cases=st.sampled_from([0, 20]),
            features=st.sampled_from([(), ("KL",)]),
            min_kappa=st.sampled_from([None, 0.6]),
            control_every=st.sampled_from([0, 50]),
        ),
    )
)
def test_settling_twice_is_settling_once(design: ReadingDesign) -> None:
    assert settled(settled(design)) == settled(design)
