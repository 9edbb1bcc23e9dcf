"""The flow of a study: its numbers add up at every level, and the drawing tells them all."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.report import numbers
from reader_app.report.flow import (
    SEVERAL,
    Count,
    FlowNumbers,
    FlowPart,
    FlowStage,
    JointFlow,
    flow_of,
    flow_rows,
    total,
)
from reader_app.report.flowchart import flowchart

SVG = "{http://www.w3.org/2000/svg}"
DETAILS = {
    FlowStage.EXCLUDED: ("Poor quality", "Replacement", SEVERAL),
    FlowStage.UNREAD: ("0 of 2 readings locked", "1 of 2 readings locked"),
    FlowStage.BY_RULE: ("median", "within rule"),
    FlowStage.ADJUDICATED: ("third reader", "consensus session"),
    FlowStage.WAITING: ("waiting for the adjudicator", "waiting for a consensus session"),
}


@st.composite
def studies(draw: st.DrawFn) -> list[JointFlow]:
    """Joints of some radiographs; those of one radiograph are in one case, and so equally far read."""
    joints: list[JointFlow] = []
    for film in range(draw(st.integers(0, 8))):
        readings = draw(st.integers(1, 3))
        apart = draw(st.sampled_from((None, FlowStage.CALIBRATION, FlowStage.NO_CASE, FlowStage.UNREAD)))
        detail = draw(st.sampled_from(DETAILS[FlowStage.UNREAD]))
        for _ in range(draw(st.integers(1, 2))):
            stage = apart or draw(st.sampled_from([s for s in FlowStage if s not in list(FlowStage)[:3]]))
            words = detail if stage is FlowStage.UNREAD else draw(st.sampled_from(DETAILS.get(stage, ("",))))
            joints.append(JointFlow(film, stage, words, readings, draw(st.booleans())))
    return joints


@given(studies(), st.integers(0, 3), st.integers(0, 2), st.randoms(use_true_random=False))
def test_every_level_adds_up_in_radiographs_and_in_joints(
    joints: list[JointFlow], refused: int, bare: int, random: object
) -> None:
    flow = flow_of(joints, participants=3, refused=refused, bare=bare)
    assert flow.imported == Count(len({joint.radiograph_id for joint in joints}) + bare, len(joints))
    assert flow.files == flow.imported.radiographs + refused
    ends = (
        total(flow.aside) + total(flow.unread) + total(flow.excluded) + flow.checking + flow.ungraded
        + total(flow.waiting) + flow.left_open + flow.final
    )  # fmt: skip
    assert ends == flow.imported, "whatever was imported is somewhere, once"
    shuffled = list(joints)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert flow_of(shuffled, participants=3, refused=refused, bare=bare) == flow


@given(studies())
def test_joints_are_counted_where_they_stand(joints: list[JointFlow]) -> None:
    flow = flow_of(joints, participants=1, refused=0)
    by_stage = {stage: sum(joint.stage is stage for joint in joints) for stage in FlowStage}
    assert flow.agreed.joints == by_stage[FlowStage.AGREED]
    assert total(flow.excluded).joints == by_stage[FlowStage.EXCLUDED]
    assert total(flow.adjudicated).joints == by_stage[FlowStage.ADJUDICATED]
    assert flow.checking.joints == by_stage[FlowStage.CHECKING]
    read = {part.label: part.count.joints for part in flow.read}
    done = [joint for joint in joints if joint.stage not in list(FlowStage)[:3]]
    assert read.get("Read twice", 0) == sum(joint.readings == 2 for joint in done)


def two(first: JointFlow, second: JointFlow) -> FlowNumbers:
    return flow_of([first, second], participants=1, refused=0)


def test_a_radiograph_is_excluded_only_where_all_its_joints_are() -> None:
    out = JointFlow(1, FlowStage.EXCLUDED, "Replacement", 2)
    half = two(out, JointFlow(1, FlowStage.AGREED, "", 2))
    assert total(half.excluded) == Count(0, 1)
    assert half.final == Count(1, 1)
    whole = two(out, dataclasses.replace(out, detail="Poor quality"))
    assert {part.label: part.count for part in whole.excluded} == {
        "Different reasons": Count(1, 0),
        "Poor quality": Count(0, 1),
        "Replacement": Count(0, 1),
    }


def test_a_radiograph_is_as_far_as_the_least_finished_of_its_joints() -> None:
    waiting = two(
        JointFlow(1, FlowStage.AGREED, "", 2),
        JointFlow(1, FlowStage.WAITING, "waiting for the adjudicator", 2),
    )
    assert waiting.final == Count(0, 1)
    assert total(waiting.waiting) == Count(1, 1)


def test_rejected_exclusions_are_told_among_the_graded() -> None:
    flow = two(
        JointFlow(1, FlowStage.ADJUDICATED, "third reader", 2, rejected=True),
        JointFlow(1, FlowStage.AGREED, "", 2),
    )
    assert (flow.rejected, flow.graded) == (Count(1, 1), Count(1, 2))


@pytest.mark.parametrize(
    ("field", "level"),
    [
        ("imported", "imported"),
        ("given", "given to readers"),
        ("complete", "read"),
        ("checking", "read and what follows"),
        ("graded", "graded"),
        ("disagreed", "disagreed"),
        ("final", "final"),
        ("rejected", "rejected exclusions"),
    ],
)
@pytest.mark.parametrize("more", [Count(1, 0), Count(0, 1)])
def test_numbers_that_do_not_add_up_are_refused(field: str, level: str, more: Count) -> None:
    flow = two(JointFlow(1, FlowStage.AGREED, "", 2), JointFlow(2, FlowStage.ADJUDICATED, "third reader", 2))
    wrong = getattr(flow, field) + more + (Count(5, 5) if field == "rejected" else Count())
    with pytest.raises(ValueError, match=f"does not add up.*{level}"):
        dataclasses.replace(flow, **{field: wrong})


def test_a_lost_file_is_found() -> None:
    flow = flow_of([], participants=0, refused=2)
    with pytest.raises(ValueError, match="files"):
        dataclasses.replace(flow, files=1)


def test_a_part_that_was_dropped_is_found() -> None:
    flow = two(JointFlow(1, FlowStage.EXCLUDED, "A", 2), JointFlow(2, FlowStage.EXCLUDED, "B", 2))
    with pytest.raises(ValueError, match="what follows"):
        dataclasses.replace(flow, excluded=flow.excluded[:1])


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@given(studies(), st.integers(0, 3))
def test_the_drawing_tells_every_number_and_stays_inside_itself(
    joints: list[JointFlow], refused: int
) -> None:
    flow = flow_of(joints, participants=2, refused=refused)
    svg = str(flowchart(flow, title="Flow"))
    words = " ".join(texts(svg)).replace("\xa0", " ")
    parts = [*flow.aside, *flow.unread, *flow.read, *flow.excluded, *flow.adjudicated, *flow.by_rule]
    for part in [*parts, FlowPart("", flow.final), FlowPart("", flow.agreed), FlowPart("", flow.graded)]:
        count = part.count
        said = f"{numbers.count(count.radiographs)} radiograph{'s' * (count.radiographs != 1)}"
        assert said in words
        assert part.label in words
    root = ElementTree.fromstring(svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for box in root.iter(f"{SVG}rect"):
        x, y = float(box.attrib.get("x", 0)), float(box.attrib.get("y", 0))
        assert x + float(box.attrib["width"]) <= width
        assert y + float(box.attrib["height"]) <= height
    assert {box.attrib["fill"] for box in root.iter(f"{SVG}rect")} == {"#ffffff"}


def test_boxes_never_lie_upon_each_other() -> None:
    joints = [
        JointFlow(10 * place + number, stage, words, 1 + number % 2)
        for place, stage in enumerate(FlowStage)
        for number, words in enumerate(DETAILS.get(stage, ("",)))
    ]
    svg = str(flowchart(flow_of(joints, participants=9, refused=4), title="Flow"))
    boxes = [
        tuple(float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        for box in list(ElementTree.fromstring(svg).iter(f"{SVG}rect"))[1:]
    ]
    assert len(boxes) >= 12
    for place, (x, y, width, height) in enumerate(boxes):
        for left, top, across, down in boxes[place + 1 :]:
            apart = x + width <= left or left + across <= x or y + height <= top or top + down <= y
            assert apart


def test_hostile_words_stay_words() -> None:
    hostile = "</text><script>alert('x')</script>\"&"
    svg = str(
        flowchart(
            flow_of([JointFlow(1, FlowStage.EXCLUDED, hostile, 2)], participants=1, refused=0), title=hostile
        )
    )
    root = ElementTree.fromstring(svg)
    assert root.attrib["aria-label"] == hostile
    assert not list(root.iter(f"{SVG}script"))


def test_a_reason_longer_than_its_box_is_broken_and_not_cut() -> None:
    reason = "quality " * 40 + "x" * 200
    svg = str(
        flowchart(
            flow_of([JointFlow(1, FlowStage.EXCLUDED, reason, 2)], participants=1, refused=0), title="Flow"
        )
    )
    *lines, _note = texts(svg)
    assert " ".join(lines).count("uality") == 40
    assert "x" * 200 in "".join(lines)
    assert max(map(len, lines)) < 70


def test_the_table_of_the_flow_has_all_levels_with_their_parts() -> None:
    flow = two(
        JointFlow(1, FlowStage.EXCLUDED, "A", 2), JointFlow(2, FlowStage.ADJUDICATED, "third reader", 2)
    )
    rows = {(level, part): count for level, part, count in flow_rows(flow)}
    assert rows[("excluded", "")] == rows[("excluded", "A")] == Count(1, 1)
    assert rows[("adjudicated", "Third reader")] == Count(1, 1)
    assert rows[("final grade of every feature", "")] == Count(1, 1)
