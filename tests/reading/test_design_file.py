"""Design files: read with every fault told, written so that they read back the same; presets that fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.errors import DesignError
from reader_app.protocols.loader import available_protocols, find_protocol
from reader_app.protocols.model import (
    AdjudicationRule,
    Arm,
    Presentation,
    Protocol,
    Resolution,
    Trigger,
    TriggerKind,
)
from reader_app.reading.design import (
    Adjudicating,
    Calibration,
    DisplayPolicy,
    PasswordPolicy,
    ReadingDesign,
    Rereads,
    Signing,
    WithinRule,
)
from reader_app.reading.design_file import check_design, design_faults, design_text, load_design, parse_design
from reader_app.reading.presets import adapt, from_preset, presets

KNEES = find_protocol("knee-oarsi-kl")
HIPS = find_protocol("hip-oarsi")
PROTOCOLS = [file.protocol for file in available_protocols() if file.protocol is not None]
LEAST = 'presentation = "single"\narm = "unaided"\n'

_triggers = st.lists(
    st.sampled_from(
        [
            Trigger(TriggerKind.DIFFERENCE_ABOVE, above=1),
            Trigger(TriggerKind.ACROSS_CUT, cut=1),
            Trigger(TriggerKind.DIRECTION_OF_CHANGE),
        ]
    ),
    min_size=1,
    unique=True,
).map(tuple) | st.just((Trigger(TriggerKind.ANY_DIFFERENCE),))


@st.composite
def _rules(draw: st.DrawFn) -> tuple[AdjudicationRule, ...]:
    names = draw(st.lists(st.sampled_from(["KL", "JSN", "FO", "TO"]), unique=True))
    cut = draw(st.integers(0, len(names)))
    groups = [tuple(group) for group in (names[:cut], names[cut:]) if group]
    return tuple(
        AdjudicationRule(group, draw(_triggers), draw(st.sampled_from(Resolution))) for group in groups
    )


@st.composite
def valid_designs(draw: st.DrawFn) -> ReadingDesign:
    arm = draw(st.sampled_from(Arm))
    days = st.floats(0, 3650, allow_subnormal=False)
    percent = 0 if arm is Arm.CROSSOVER else draw(st.integers(0, 50))
    cases = draw(st.integers(0, 1000))
    return ReadingDesign(
        presentation=draw(st.sampled_from((Presentation.PAIRED_ORDERED, Presentation.PAIRED_BLINDED))),
        arm=arm,
        seed=draw(st.integers(0, 2**31 - 1)),
        readers_per_case=draw(st.sampled_from((0, 2, 3, 50))),
        overlap_percent=draw(st.integers(1, 100)),
        block_size=draw(st.integers(0, 10_000)),
        participant_distance=draw(st.integers(0, 10_000)),
        washout_days=draw(st.floats(0.01, 3650)) if arm is Arm.CROSSOVER else 0.0,
        rereads=Rereads(percent, draw(st.integers(1, 10_000)), draw(days), draw(st.booleans())),
        calibration=Calibration(
            cases=cases,
            source=draw(st.sampled_from(("", "OAI", "Ada “the eye” Moreno"))),
            feedback=draw(st.booleans()),
            features=("KL", "JSN") if cases and draw(st.booleans()) else (),
            min_kappa=draw(st.none() | st.floats(0, 1)) if cases else None,
            confidence=draw(st.floats(0.5, 0.999)),
            control_every=draw(st.integers(0, 10_000)) if cases else 0,
        ),
        adjudication=Adjudicating(
            draw(_rules()), draw(st.sampled_from(WithinRule)), draw(st.booleans()), draw(st.booleans())
        ),
        signing=Signing(
            draw(st.sampled_from(PasswordPolicy)),
            draw(st.sampled_from(DisplayPolicy)),
            draw(st.sampled_from(("I stand by it.", 'Ich habe "alles" gesehen – und \\ stehe dazu.'))),
        ),
        session_minutes=draw(st.integers(0, 1440)),
        preset=draw(st.sampled_from(("", "mrmc-crossover"))),
    )


@settings(max_examples=200, deadline=None)
@given(valid_designs())
def test_what_is_written_reads_back_as_the_same_design(design: ReadingDesign) -> None:
    assert design_faults(design, KNEES) == ()
    read = parse_design(design_text(design), name="design.toml", protocol=KNEES)
    assert read == design
    assert read.sha256 == design.sha256
    assert ReadingDesign.from_canonical(read.canonical()) == design


def test_what_a_file_leaves_out_is_as_usual_and_the_seed_is_drawn() -> None:
    read = parse_design(LEAST + "seed = 9", name="d", protocol=KNEES)
    assert read == ReadingDesign(Presentation.SINGLE, Arm.UNAIDED, 9)
    assert parse_design(LEAST + "seed = 9", name="d", protocol=KNEES, seed=4).seed == 4
    assert len({parse_design(LEAST, name="d", protocol=KNEES).seed for _ in range(4)}) > 1


RULE = "[[adjudication.rules]]\nfeatures = {}\ntriggers = [{}]\nresolution = 'third-final'\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'arm = "unaided"',
            "presentation: expected one of single, paired-ordered, paired-blinded, found nothing",
        ),
        (
            LEAST.replace("unaided", "unaidet"),
            "arm: expected one of unaided, aided, unaided-then-aided, crossover",
        ),
        (LEAST + "blocksize = 5", "blocksize: expected one of presentation"),
        (
            LEAST + "readers_per_case = 0",
            'readers_per_case: expected a whole number from 1 to 50, or "all", found 0',
        ),
        (
            LEAST + "readers_per_case = 1\noverlap_percent = 20",
            "overlap_percent: expected 100, since one reader",
        ),
        (
            LEAST + "readers_per_case = 2\noverlap_percent = 0",
            "overlap_percent: expected 1 to 100, or readers_per",
        ),
        (LEAST + "washout_days = 28", "washout_days: expected 0 with the arm unaided"),
        (LEAST.replace('"unaided"', '"crossover"'), "washout_days: expected more than 0 days"),
        (
            LEAST.replace('"unaided"', '"crossover"') + "washout_days = 2.5\n[rereads]\npercent = 5",
            "rereads.percent: expected 0 in a crossover",
        ),
        (
            LEAST + "[rereads]\npercent = 5\nmin_cases = 0",
            "rereads.min_cases: expected a whole number from 1",
        ),
        (
            LEAST + "[rereads]\npercent = 51\nmirrored = true",
            "rereads.percent: expected at most 50 with mirrored",
        ),
        (LEAST + "[rereads]\nmin_days = nan", "rereads.min_days: expected a number from 0 to 3650"),
        (LEAST + "[calibration]\nmin_kappa = 0.6", "calibration.cases: expected 1 or more, since there is"),
        (LEAST + "[calibration]\ncontrol_every = 5", "calibration.cases: expected 1 or more, since there is"),
        (
            LEAST + '[calibration]\ncases = 5\nfeatures = ["KLL"]',
            "calibration.features[0]: expected one of KL, FO, TO, JSN, found “KLL” (did you mean “KL”?)",
        ),
        (
            LEAST + '[calibration]\ncases = 5\nfeatures = ["KL", "KL"]',
            "calibration.features[1]: expected a feature named once",
        ),
        (
            LEAST + RULE.format('["CYST"]', "{kind = 'any-difference'}"),
            "adjudication.rules[0].features[0]: expected one of KL, FO, TO, JSN, found “CYST”",
        ),
        (
            LEAST + 2 * RULE.format('["KL"]', "{kind = 'any-difference'}"),
            "adjudication.rules[1].features[0]: expected a feature that no rule has yet",
        ),
        (
            LEAST + RULE.format('["KL"]', "{kind = 'across-cut', cut = 4}"),
            "adjudication.rules[0].triggers[0].cut: expected one of 0, 1, 2, 3, the last code below",
        ),
        (
            LEAST + RULE.format('["KL"]', "{kind = 'difference-above'}"),
            "adjudication.rules[0].triggers[0].above: expected a whole number for difference-above",
        ),
        (
            LEAST + RULE.format('["KL"]', "{kind = 'any-difference'}, {kind = 'across-cut', cut = 1}"),
            "expected at most direction-of-change beside any-difference",
        ),
        (
            LEAST + RULE.format('["KL"]', "{kind = 'any-difference'}, {kind = 'any-difference'}"),
            "expected a kind that the rule has not named yet",
        ),
        (
            LEAST + RULE.format('["KL"]', "{kind = 'direction-of-change'}"),
            "expected presentation paired-ordered or paired-blinded with it",
        ),
        (
            LEAST + "readers_per_case = 1\n" + RULE.format('["KL"]', "{kind = 'any-difference'}"),
            "adjudication.rules: expected no rules, since one reader reads a case, found 1",
        ),
        (LEAST + "rereads = 5", "rereads: expected a table, found 5"),
        (LEAST + "[signing]\nmeaning = ''", "signing.meaning: expected one line of text"),
        (LEAST + "seed = [", "line 3: not valid TOML"),
    ],
)
def test_a_fault_is_told_with_its_key_and_what_was_expected(text: str, told: str) -> None:
    with pytest.raises(DesignError) as caught:
        parse_design(text, name="mine.toml", protocol=KNEES)
    assert told in caught.value.what
    assert caught.value.what.startswith("mine.toml")
    assert caught.value.next_step


def test_all_faults_are_told_together() -> None:
    with pytest.raises(DesignError) as caught:
        parse_design(
            'arm = "aided"\nwashout_days = 3\nx = 1\n[rereads]\npercent = true', name="d", protocol=KNEES
        )
    assert caught.value.what.startswith("d has 4 faults:")
    for key in ("presentation", "washout_days", "x", "rereads.percent"):
        assert f"\n  {key}: expected" in caught.value.what


def test_a_design_made_in_the_program_is_held_to_the_same_rules() -> None:
    design = ReadingDesign(Presentation.SINGLE, Arm.AIDED, 1, washout_days=3.0, readers_per_case=51)
    assert {fault.key for fault in design_faults(design, KNEES)} == {"washout_days", "readers_per_case"}
    with pytest.raises(DesignError, match="The design has 2 faults"):
        check_design(design, KNEES)


def test_a_file_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "d.toml"
    with pytest.raises(DesignError, match="cannot be read"):
        load_design(path, protocol=KNEES)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DesignError, match="is not UTF-8"):
        load_design(path, protocol=KNEES)
    path.write_text(LEAST)
    assert load_design(path, protocol=KNEES, unsaid=5).seed == 5
    path.write_text(LEAST + "seed = 6")
    assert load_design(path, protocol=KNEES, unsaid=5).seed == 6
    assert load_design(path, protocol=KNEES, unsaid=5, seed=7).seed == 7


# Presets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.id)
@pytest.mark.parametrize("preset", [preset.id for preset in presets()])
def test_a_preset_fits_a_protocol_or_says_that_it_does_not(preset: str, protocol: Protocol) -> None:
    needs = {"hip-oarsi-2020": {"FO", "AO", "JSN", "SCL", "CYST", "KL"}, "oai-project-15": {"KL", "JSN"}}
    if preset in needs and not needs[preset] & {feature.id for feature in protocol.features}:
        with pytest.raises(DesignError, match="does not fit the protocol"):
            from_preset(preset, protocol, seed=3)
        return
    design = from_preset(preset, protocol, seed=3)
    assert design.preset == preset
    assert design_faults(design, protocol) == ()
    assert parse_design(design_text(design), name=preset, protocol=protocol) == design


def test_the_presets_are_those_that_core_labs_and_papers_use() -> None:
    assert {preset.id for preset in presets()} == {
        "hip-oarsi-2020",
        "median-of-two",
        "oai-project-15",
        "unaided-then-aided",
        "mrmc-crossover",
        "single-reader-rereads",
    }
    hip = from_preset("hip-oarsi-2020", HIPS, seed=1)
    assert (hip.readers_per_case, hip.presentation, hip.arm) == (2, Presentation.PAIRED_ORDERED, Arm.UNAIDED)
    assert hip.adjudication.rules == HIPS.adjudication
    oai = from_preset("oai-project-15", KNEES, seed=1)
    assert oai.adjudication.rules == KNEES.adjudication
    assert oai.adjudication.third_blind
    median = from_preset("median-of-two", KNEES, seed=1)
    (rule,) = median.adjudication.rules
    assert rule.feature_ids == tuple(feature.id for feature in KNEES.features)
    assert rule.resolution is Resolution.MEDIAN
    crossover = from_preset("mrmc-crossover", KNEES, seed=1)
    assert (crossover.arm, crossover.washout_days, crossover.readers_per_case) == (Arm.CROSSOVER, 28.0, 0)
    single = from_preset("single-reader-rereads", KNEES, seed=1)
    assert (single.readers_per_case, single.rereads.percent) == (1, 10)


def test_features_that_a_protocol_does_not_grade_are_left_out_with_a_note() -> None:
    adapted = adapt("oai-project-15", find_protocol("knee-kl"), seed=1)
    assert [rule.feature_ids for rule in adapted.design.adjudication.rules] == [("KL",)]
    assert adapted.notes == ("The protocol “knee-kl” does not grade JSN: left out.",)


def test_a_rule_that_is_about_other_grades_is_left_to_the_protocol() -> None:
    (kl,) = [feature for feature in KNEES.features if feature.id == "KL"]
    two = replace(kl, scale=replace(kl.scale, levels=kl.scale.levels[:2]))
    protocol = replace(KNEES, features=(two, *KNEES.features[1:]))
    adapted = adapt("oai-project-15", protocol, seed=1)
    assert [rule.feature_ids for rule in adapted.design.adjudication.rules] == [("JSN",)]
    assert adapted.notes == ("KL: the preset's rule is about other grades; the protocol's holds.",)


def test_an_arm_with_the_ai_says_that_it_needs_a_bundle() -> None:
    adapted = adapt("mrmc-crossover", replace(KNEES, bundle=None), seed=1)
    assert "names no bundle" in adapted.notes[0]


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(DesignError, match="did you mean “median-of-two”"):
        from_preset("median-of-too", KNEES)
