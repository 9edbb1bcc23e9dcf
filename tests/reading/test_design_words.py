"""A design in sentences: everything that matters is said, and what does not apply is not."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import (
    AdjudicationRule,
    Arm,
    Presentation,
    Resolution,
    Trigger,
    TriggerKind,
)
from reader_app.reading.design import (
    ALL_READERS,
    Adjudicating,
    Calibration,
    DisplayPolicy,
    PasswordPolicy,
    ReadingDesign,
    Rereads,
    Signing,
    WithinRule,
)
from reader_app.reading.design_words import in_words

PROTOCOL = find_protocol("hip-oarsi")
PLAIN = ReadingDesign(presentation=Presentation.SINGLE, arm=Arm.UNAIDED, seed=7)
FULL = ReadingDesign(
    presentation=Presentation.SINGLE,
    arm=Arm.CROSSOVER,
    seed=4711,
    readers_per_case=2,
    overlap_percent=40,
    block_size=50,
    participant_distance=9,
    washout_days=28.0,
    rereads=Rereads(percent=10, min_cases=30, min_days=14.0, mirrored=True),
    calibration=Calibration(
        cases=25, source="core lab", features=("KL",), min_kappa=0.6, confidence=0.9, control_every=80
    ),
    adjudication=Adjudicating(
        rules=(
            AdjudicationRule(("JSN",), (Trigger(TriggerKind.ACROSS_CUT, cut=1),), Resolution.THIRD_FINAL),
        ),
        third_blind=True,
    ),
    signing=Signing(PasswordPolicy.EACH_LOCK, DisplayPolicy.DAILY, "These grades are mine."),
    session_minutes=20,
)


def text(design: ReadingDesign) -> str:
    return " ".join(sentence for topic in in_words(design, PROTOCOL) for sentence in topic.sentences)


def test_every_choice_of_a_full_design_is_said() -> None:
    said = text(FULL)
    for words in (
        "40 % of the cases are read by 2 readers",
        "in blocks of 50",
        "seed 4711",
        "9 other cases lie between two cases of one participant",
        "opens 28 days after",
        "10 % of a reader's cases",
        "30 other cases and 14 days",
        "shown mirrored",
        "25 cases that have reference grades by “core lab”",
        "reaches 0.60 for KL (90 % interval)",
        "After every 80 live cases",
        "grades before seeing what the readers gave",
        "“These grades are mine.”",
        "Every lock asks the password",
        "once a day",
        "20 idle minutes",
    ):
        assert words in said


@pytest.mark.parametrize(
    "other",
    [
        replace(FULL, presentation=Presentation.PAIRED_BLINDED),
        replace(FULL, arm=Arm.AIDED),
        replace(FULL, seed=1),
        replace(FULL, readers_per_case=3),
        replace(FULL, overlap_percent=41),
        replace(FULL, block_size=51),
        replace(FULL, participant_distance=8),
        replace(FULL, washout_days=14.0),
        replace(FULL, rereads=replace(FULL.rereads, percent=11)),
        replace(FULL, rereads=replace(FULL.rereads, min_cases=31)),
        replace(FULL, rereads=replace(FULL.rereads, min_days=15.0)),
        replace(FULL, rereads=replace(FULL.rereads, mirrored=False)),
        replace(FULL, calibration=replace(FULL.calibration, cases=26)),
        replace(FULL, calibration=replace(FULL.calibration, source="")),
        replace(FULL, calibration=replace(FULL.calibration, feedback=False)),
        replace(FULL, calibration=replace(FULL.calibration, features=())),
        replace(FULL, calibration=replace(FULL.calibration, min_kappa=0.65)),
        replace(FULL, calibration=replace(FULL.calibration, confidence=0.975)),
        replace(FULL, calibration=replace(FULL.calibration, control_every=0)),
        replace(FULL, adjudication=replace(FULL.adjudication, third_blind=False)),
        replace(FULL, adjudication=replace(FULL.adjudication, pregrade_shown=True)),
        replace(FULL, adjudication=replace(FULL.adjudication, within=WithinRule.OPEN)),
        replace(
            FULL,
            adjudication=replace(
                FULL.adjudication,
                rules=(
                    AdjudicationRule(
                        ("KL",), (Trigger(TriggerKind.ACROSS_CUT, cut=1),), Resolution.THIRD_IF_MATCH
                    ),
                ),
            ),
        ),
        replace(FULL, signing=replace(FULL.signing, password=PasswordPolicy.NEVER)),
        replace(FULL, signing=replace(FULL.signing, display_check=DisplayPolicy.NEVER)),
        replace(FULL, signing=replace(FULL.signing, meaning="Mine.")),
        replace(FULL, session_minutes=0),
    ],
)
def test_whatever_differs_between_two_designs_is_said(other: ReadingDesign) -> None:
    assert text(other) != text(FULL)


def test_no_field_of_a_design_is_forgotten_above() -> None:
    # A new field must be said in words, or knowingly left out as the name of the preset is.
    assert {field.name for field in fields(ReadingDesign)} == {
        "presentation", "arm", "seed", "readers_per_case", "overlap_percent", "block_size",
        "participant_distance", "washout_days", "rereads", "calibration", "adjudication", "signing",
        "session_minutes", "preset",
    }  # fmt: skip


def test_what_does_not_apply_is_not_said() -> None:
    said = text(replace(PLAIN, washout_days=28.0, overlap_percent=100))
    assert "28" not in said
    assert "unannounced" not in said
    assert "Every case is read by all readers." in said
    assert "kappa" not in said


def test_features_that_share_a_rule_share_a_sentence() -> None:
    (topic,) = (topic for topic in in_words(PLAIN, PROTOCOL) if topic.title == "Disagreements")
    assert topic.sentences[0].startswith("FO, AO, JSN, SCL, CYST, KL: when the readers differ")


def test_what_holds_within_a_rule_is_said_only_where_a_rule_leaves_room() -> None:
    assert "without calling anybody" in text(FULL)
    assert "without calling anybody" not in text(PLAIN), "every difference calls"


def test_one_reader_is_one_and_all_are_all() -> None:
    assert "read by 1 reader." in text(replace(PLAIN, readers_per_case=1))
    assert "read by all readers." in text(replace(PLAIN, readers_per_case=ALL_READERS))
