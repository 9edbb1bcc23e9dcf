"""The rules of disagreement in the wizard, without a window: each cell says what the design then says."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import (
    AdjudicationRule,
    Arm,
    Presentation,
    Protocol,
    Resolution,
    Trigger,
    TriggerKind,
)
from reader_app.reading.design import Adjudicating, ReadingDesign
from reader_app.reading.design_file import design_faults
from reader_app.reading.design_rules import rule_for
from reader_app.ui.coordinator.design_wizard.fields import (
    Step,
)
from reader_app.ui.coordinator.design_wizard.model import WizardModel
from reader_app.ui.coordinator.design_wizard.rule_rows import (
    Column,
    RuleRow,
    cell,
    changed,
    choices,
    like,
    rows_of,
    with_rows,
    words_of,
)

HIP = find_protocol("hip-oarsi")
START = ReadingDesign(presentation=Presentation.SINGLE, arm=Arm.UNAIDED, seed=7, participant_distance=3)
REASON = "Reading has begun."


def wizard(protocol: Protocol = HIP, **more: object) -> WizardModel:
    return WizardModel(protocol, start=START, **more)  # type: ignore[arg-type]


def test_the_protocols_rules_are_shown_and_not_written_into_the_design() -> None:
    rows = rows_of(START, HIP)
    assert [row.feature_id for row in rows] == ["FO", "AO", "JSN", "SCL", "CYST", "KL"]
    assert all(row.any_difference and row.resolution is Resolution.THIRD_FINAL for row in rows)
    assert with_rows(START, HIP, rows) == START


def test_a_changed_row_becomes_a_rule_of_the_design_alone() -> None:
    rows = list(rows_of(START, HIP))
    rows[-1] = changed(changed(rows[-1], Column.ANY_DIFFERENCE, False), Column.CUT, 1)
    design = with_rows(START, HIP, rows)
    assert design.adjudication.rules == (
        AdjudicationRule(("KL",), (Trigger(TriggerKind.ACROSS_CUT, cut=1),), Resolution.THIRD_FINAL),
    )
    assert rule_for(design, HIP, "FO") == HIP.rule_for("FO")
    rows[-1] = rows_of(START, HIP)[-1]
    assert with_rows(design, HIP, rows) == START


def test_features_with_the_same_rule_are_written_together() -> None:
    rows = [changed(row, Column.RESOLUTION, Resolution.MEDIAN) for row in rows_of(START, HIP)[:2]]
    design = with_rows(START, HIP, [*rows, *rows_of(START, HIP)[2:]])
    (rule,) = design.adjudication.rules
    assert rule.feature_ids == ("FO", "AO")


def test_a_rule_without_a_trigger_is_said_on_its_page() -> None:
    model = wizard()
    rows = model.rows()
    model.set_rows([changed(rows[0], Column.ANY_DIFFERENCE, False), *rows[1:]])
    model.go(Step.DISAGREEMENTS)
    assert model.why_not_next.startswith("FO:")


def test_a_feature_without_a_rule_may_stand_side_by_side_and_one_with_a_rule_may_not() -> None:
    bare = replace(HIP, adjudication=())
    row = rows_of(START, bare)[0]
    assert words_of(bare, row, Column.RESOLUTION) == "stand side by side"
    assert row.fault == ""
    taken = changed(row, Column.DIRECTION, True)
    assert taken.resolution is Resolution.THIRD_FINAL
    assert changed(taken, Column.RESOLUTION, None) == row
    assert None not in [choice.value for choice in choices(HIP, row, Column.RESOLUTION)]
    chosen = changed(row, Column.RESOLUTION, Resolution.WORST)
    assert chosen.any_difference, "a rule begins with any difference"


def test_cuts_are_named_by_the_grades_on_both_sides() -> None:
    row = rows_of(START, HIP)[-1]
    assert [choice.words for choice in choices(HIP, row, Column.CUT)] == [
        "–", "0 | 1-4", "0-1 | 2-4", "0-2 | 3-4", "0-3 | 4",
    ]  # fmt: skip
    presence = rows_of(START, HIP)[3]
    assert [choice.value for choice in choices(HIP, presence, Column.ABOVE)] == [None]


def test_a_second_cut_is_kept_and_shown() -> None:
    cuts = (Trigger(TriggerKind.ACROSS_CUT, cut=1), Trigger(TriggerKind.ACROSS_CUT, cut=3))
    rule = AdjudicationRule(("KL",), cuts, Resolution.MAJORITY)
    design = replace(START, adjudication=Adjudicating(rules=(rule,)))
    rows = list(rows_of(design, HIP))
    assert words_of(HIP, rows[-1], Column.CUT) == "0-1 | 2-4 and 0-3 | 4"
    rows[0] = changed(rows[0], Column.RESOLUTION, Resolution.WORST)
    found = rule_for(with_rows(design, HIP, rows), HIP, "KL")
    assert found is not None
    assert set(found.triggers) == set(cuts)
    assert changed(rows[-1], Column.CUT, 2).triggers == (Trigger(TriggerKind.ACROSS_CUT, cut=2),)


def test_a_row_can_be_given_to_all_features_as_far_as_their_scales_go() -> None:
    rows = rows_of(START, HIP)
    source = changed(changed(rows[-1], Column.CUT, 2), Column.ABOVE, 2)
    jsn, presence = like(HIP, rows[2], source), like(HIP, rows[3], source)
    assert (jsn.feature_id, jsn.cut, jsn.above) == ("JSN", 2, 2)
    assert (presence.cut, presence.above, presence.any_difference) == (None, None, True)


def test_any_difference_takes_in_every_distance_and_cut() -> None:
    row = changed(rows_of(START, HIP)[-1], Column.CUT, 1)
    assert (row.any_difference, row.cut) == (False, 1)
    row = changed(row, Column.ABOVE, 2)
    assert (row.above, row.cut) == (2, 1)
    row = changed(row, Column.ANY_DIFFERENCE, True)
    assert (row.any_difference, row.above, row.cut) == (True, None, None)


@given(st.data())
def test_whatever_the_cells_are_set_to_the_design_says_the_same(data: st.DataObject) -> None:
    rows: list[RuleRow] = []
    for row in rows_of(START, HIP):
        for column in list(Column)[1:]:
            value = data.draw(st.sampled_from([choice.value for choice in choices(HIP, row, column)]))
            row = changed(row, column, value)
            assert cell(row, column) == value
        rows.append(row)
    if not any(row.fault for row in rows):
        paired = replace(START, presentation=Presentation.PAIRED_ORDERED)
        design = with_rows(paired, HIP, rows)
        assert list(rows_of(design, HIP)) == rows
        assert design_faults(design, HIP) == (), "what the table can say, a file can"
