"""What a network sees becomes at most one right and one left joint, by rules that can be stated."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reader_app.ai.choose_joints import Detection, FilmFacts, choose_joints
from reader_app.ai.film_image import ONE_JOINT
from reader_app.ai.located import Located
from reader_app.imaging.geometry import Box, Side

WIDE = FilmFacts(600.0, 1000.0, Side.RIGHT, "U", "knee")
RIGHT_KNEE = Detection("joint", 0.9, Box(100.0, 200.0, 240.0, 240.0))
LEFT_KNEE = Detection("joint", 0.8, Box(640.0, 210.0, 230.0, 230.0))


def choose(*seen: Detection, film: FilmFacts = WIDE, threshold: float = 0.5) -> Located:
    return choose_joints(seen, film, threshold=threshold, method="ssdlite")


def marker(letter: str, x: float) -> Detection:
    return Detection(f"marker-{letter}", 0.9, Box(x, 20.0, 20.0, 28.0))


def film(laterality: str, *, image_left: Side = Side.RIGHT) -> FilmFacts:
    return FilmFacts(600.0, 1000.0, image_left, laterality, "knee")


def square_film(laterality: str = "U") -> FilmFacts:
    return FilmFacts(224.0, 224.0, Side.RIGHT, laterality, "knee")


def test_two_joints_get_their_sides_by_position() -> None:
    found = choose(LEFT_KNEE, RIGHT_KNEE)
    assert [(joint.side, joint.box) for joint in found.joints] == [
        ("R", RIGHT_KNEE.box),
        ("L", LEFT_KNEE.box),
    ]
    assert not found.flags


def test_a_film_known_to_show_one_joint_gives_one_of_no_side_and_says_where_two_are_seen() -> None:
    both = choose(LEFT_KNEE, RIGHT_KNEE, film=film(ONE_JOINT))
    assert [(joint.side, joint.box) for joint in both.joints] == [("U", RIGHT_KNEE.box)]
    assert both.flags == ("The film is said to show one knee alone, but both are seen.",)
    assert choose(LEFT_KNEE, film=film(ONE_JOINT)).flags == ()


def test_a_film_hung_from_behind_swaps_the_sides() -> None:
    found = choose(LEFT_KNEE, RIGHT_KNEE, film=film("B", image_left=Side.LEFT))
    assert [joint.side for joint in found.joints] == ["L", "R"]


def test_several_boxes_of_one_joint_are_one_and_the_surest_stays() -> None:
    shifted = Detection("joint", 0.7, RIGHT_KNEE.box.moved(12.0, -9.0))
    found = choose(shifted, RIGHT_KNEE, LEFT_KNEE)
    assert [joint.box for joint in found.joints] == [RIGHT_KNEE.box, LEFT_KNEE.box]


def test_what_is_below_the_threshold_does_not_count() -> None:
    found = choose(RIGHT_KNEE, LEFT_KNEE, threshold=0.85)
    assert [joint.box for joint in found.joints] == [RIGHT_KNEE.box]


@pytest.mark.parametrize(
    "odd",
    [
        Detection("joint", 0.95, Box(620.0, 100.0, 90.0, 90.0)),  # far smaller than the other
        Detection("joint", 0.95, Box(160.0, 420.0, 240.0, 240.0)),  # below it, not beside it
    ],
)
def test_a_third_box_that_makes_no_pair_gives_way(odd: Detection) -> None:
    found = choose(odd, RIGHT_KNEE, LEFT_KNEE)
    assert [joint.box for joint in found.joints] == [RIGHT_KNEE.box, LEFT_KNEE.box]


def test_two_boxes_on_one_half_are_no_pair() -> None:
    near = Detection("joint", 0.7, Box(10.0, 200.0, 150.0, 150.0))
    next_to_it = Detection("joint", 0.9, Box(200.0, 200.0, 150.0, 150.0))
    found = choose(near, next_to_it)
    assert [joint.box for joint in found.joints] == [next_to_it.box]


def test_a_prosthesis_is_left_out_with_a_sentence_that_names_its_side() -> None:
    found = choose(RIGHT_KNEE, Detection("prosthesis", 0.8, LEFT_KNEE.box))
    assert [joint.side for joint in found.joints] == ["R"]
    (left_out,) = found.left_out
    assert left_out.side == "L"
    assert left_out.reason == "The left knee bears a prosthesis."


def test_a_joint_seen_in_the_place_of_a_prosthesis_is_left_out_too() -> None:
    surer_joint = Detection("joint", 0.99, LEFT_KNEE.box)
    found = choose(RIGHT_KNEE, surer_joint, Detection("prosthesis", 0.55, LEFT_KNEE.box.moved(5.0, 5.0)))
    assert [joint.side for joint in found.joints] == ["R"]
    assert [each.side for each in found.left_out] == ["L"]


def test_a_film_said_to_be_of_one_side_gives_one_joint_of_it() -> None:
    one = choose(LEFT_KNEE, film=film("R"))
    assert [joint.side for joint in one.joints] == ["R"]
    both = choose(RIGHT_KNEE, LEFT_KNEE, film=film("L"))
    assert [(joint.side, joint.box) for joint in both.joints] == [("L", LEFT_KNEE.box)]
    assert both.flags == ("The film is said to show the left knee alone, but both are seen.",)


def test_of_a_film_of_both_one_joint_is_sided_by_its_half_and_the_other_missed_aloud() -> None:
    found = choose(LEFT_KNEE, film=film("B"))
    assert [joint.side for joint in found.joints] == ["L"]
    assert found.flags == ("Of the two knees on the film only one was found.",)


def test_letters_that_agree_say_nothing() -> None:
    assert not choose(RIGHT_KNEE, LEFT_KNEE, marker("R", 30.0), marker("L", 900.0)).flags


def test_letters_on_the_wrong_sides_are_flagged_and_position_stays() -> None:
    found = choose(RIGHT_KNEE, LEFT_KNEE, marker("L", 30.0), marker("R", 900.0))
    assert [joint.side for joint in found.joints] == ["R", "L"]
    (flag,) = found.flags
    assert "L and R" in flag
    assert "reversed" in flag


def test_a_letter_gives_a_lone_joint_of_unknown_side_its_side() -> None:
    assert choose(RIGHT_KNEE, marker("L", 30.0)).joints[0].side == "L"
    assert choose(RIGHT_KNEE).joints[0].side == "U"
    assert choose(RIGHT_KNEE, marker("L", 30.0), marker("R", 900.0)).joints[0].side == "U"


def test_a_letter_that_contradicts_the_side_that_was_stated_is_flagged() -> None:
    found = choose(RIGHT_KNEE, marker("L", 30.0), film=film("R"))
    assert found.joints[0].side == "R"
    assert found.flags == ("The lead letter L is on the film, but the knee is taken as the right one.",)


def test_of_two_readings_of_one_letter_the_surer_counts() -> None:
    misread = Detection("marker-L", 0.6, Box(31.0, 21.0, 20.0, 28.0))
    assert not choose(RIGHT_KNEE, LEFT_KNEE, marker("R", 30.0), misread).flags


def test_a_film_cut_around_one_joint_is_taken_whole() -> None:
    found = choose(Detection("joint", 0.9, Box(15.0, 20.0, 200.0, 195.0)), film=square_film())
    assert found.joints[0].box == Box(0.0, 0.0, 224.0, 224.0)


def test_a_joint_that_is_but_a_part_of_a_square_film_keeps_its_box() -> None:
    small = Box(60.0, 60.0, 100.0, 100.0)
    assert choose(Detection("joint", 0.9, small), film=square_film()).joints[0].box == small


def test_where_nothing_stands_out_a_square_film_is_one_joint_of_no_confidence() -> None:
    found = choose(film=square_film("L"))
    assert [(joint.side, joint.confidence) for joint in found.joints] == [("L", 0.0)]
    assert found.flags


def test_where_nothing_stands_out_on_a_film_of_both_there_is_no_joint() -> None:
    found = choose(film=film("B"))
    assert found.joints == ()
    assert found.flags == ("No knee was found on the film.",)


boxes = st.builds(
    Box,
    st.floats(-50.0, 1000.0),
    st.floats(-50.0, 600.0),
    st.floats(0.0, 500.0),
    st.floats(0.0, 500.0),
)
detections = st.builds(
    Detection, st.sampled_from(["joint", "prosthesis", "marker-R", "marker-L"]), st.floats(0.0, 1.0), boxes
)


@given(
    st.lists(detections, max_size=12),
    st.sampled_from(["B", "R", "L", "U"]),
    st.sampled_from(list(Side)),
    st.floats(0.05, 0.95),
)
def test_whatever_is_seen_there_is_at_most_one_joint_of_a_side(
    seen: list[Detection], laterality: str, image_left: Side, threshold: float
) -> None:
    found = choose(*seen, film=film(laterality, image_left=image_left), threshold=threshold)
    sides = [joint.side for joint in found.joints] + [each.side for each in found.left_out]
    assert len(sides) <= 2
    assert len(set(sides)) == len(sides)
    if laterality in ("R", "L"):
        assert set(sides) <= {laterality}
    if len(found.joints) == 2:
        left, right = found.joints
        assert left.box.centre[0] < right.box.centre[0]
        assert left.side == image_left.value
    for joint in found.joints:
        assert joint.confidence >= threshold
    for prosthesis in found.left_out:
        assert all(joint.box.iou(prosthesis.box) < 0.4 for joint in found.joints)


@given(st.lists(detections, max_size=8), st.randoms())
def test_the_order_of_the_candidates_does_not_matter(seen: list[Detection], random: object) -> None:
    distinct = list({each.confidence: each for each in seen}.values())
    shuffled = sorted(distinct, key=lambda each: hash((each.confidence, id(random))))
    assert choose(*distinct) == choose(*shuffled)


@given(st.lists(detections, max_size=8), st.sampled_from(["B", "U"]))
def test_the_mirror_image_of_a_film_hung_the_other_way_gives_the_same_joints(
    seen: list[Detection], laterality: str
) -> None:
    joints = [each for each in seen if each.label == "joint"]
    distinct = list({each.confidence: each for each in joints}.values())
    assume(all(each.box.centre[0] != 500.0 for each in distinct))  # in the very middle a half is a convention
    mirrored = [Detection(each.label, each.confidence, each.box.mirrored(1000)) for each in distinct]
    one = choose(*distinct, film=film(laterality))
    other = choose(*mirrored, film=film(laterality, image_left=Side.LEFT))
    assert sorted((joint.side, joint.confidence) for joint in one.joints) == sorted(
        (joint.side, joint.confidence) for joint in other.joints
    )
