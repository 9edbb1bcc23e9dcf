from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.errors import GradeError
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import (
    Combine,
    Comparison,
    Condition,
    Feature,
    Item,
    Level,
    Scale,
    Site,
    Unit,
    Weights,
)

HIP = find_protocol("hip-oarsi")
KNEE = find_protocol("knee-oarsi-kl")

ids = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,12}", fullmatch=True)


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    codes = sorted(draw(st.sets(st.integers(0, 99), min_size=2, max_size=8)))
    keys = draw(st.permutations("0123456789abcdef"))
    return Scale(
        "s", "S", tuple(Level(code, f"level {code}", key) for code, key in zip(codes, keys, strict=False))
    )


@given(scales())
def test_a_key_and_its_level_find_each_other(scale: Scale) -> None:
    for level in scale.levels:
        assert scale.code_for_key(level.key) == level.code
        assert scale.level(level.code) is level
    assert scale.codes == tuple(sorted(scale.codes))


@given(scales(), st.integers(-5, 120))
def test_a_code_is_on_the_scale_or_refused_in_words(scale: Scale, code: int) -> None:
    if code in scale.codes:
        assert scale.level(code).code == code
    else:
        with pytest.raises(GradeError, match=f"^{code} is not a grade") as refusal:
            scale.level(code)
        assert str(scale.codes[-1]) in refusal.value.next_step


def test_a_key_that_sets_nothing_gives_none() -> None:
    assert HIP.feature("FO").scale.code_for_key("7") is None


@given(ids, st.none() | ids)
def test_an_item_reads_back_from_its_key(feature_id: str, site_id: str | None) -> None:
    item = Item(feature_id, site_id)
    assert Item.parse(item.key) == item


@pytest.mark.parametrize("text", ["", ":", "FO:", ":medial", "FO:medial:deep"])
def test_text_that_names_no_item_is_refused(text: str) -> None:
    with pytest.raises(GradeError, match="does not name a feature"):
        Item.parse(text)


def test_items_come_in_reading_order() -> None:
    assert [item.key for item in KNEE.items] == [
        "KL",
        "FO:lateral",
        "FO:medial",
        "TO:lateral",
        "TO:medial",
        "JSN:lateral",
        "JSN:medial",
    ]


def test_combined_sites_get_one_final_grade_and_separate_sites_one_each() -> None:
    assert [item.key for item in HIP.feature("FO").final_items] == ["FO"]
    assert [item.key for item in KNEE.feature("FO").final_items] == ["FO:lateral", "FO:medial"]
    assert [item.key for item in HIP.feature("KL").final_items] == ["KL"]


def test_a_scale_is_found_for_every_item_and_final_grade_only() -> None:
    for item in (*HIP.items, Item("FO"), Item("KL")):
        assert HIP.item_scale(item) is HIP.feature(item.feature_id).scale
    for item in (Item("FO", "medial"), Item("KL", "superior")):
        with pytest.raises(GradeError, match="does not grade"):
            HIP.item_scale(item)
    with pytest.raises(GradeError, match="does not grade"):
        KNEE.item_scale(Item("FO"))
    with pytest.raises(GradeError, match="no feature “XX”"):
        HIP.item_scale(Item("XX"))


site_grades = st.lists(st.integers(0, 3), min_size=1, max_size=6)


def _with_sites(count: int, combine: Combine) -> Feature:
    sites = tuple(Site(f"s{n}", f"Site {n}") for n in range(count))
    scale = Scale("s", "S", tuple(Level(code, str(code), str(code)) for code in range(4)))
    return Feature("F", "F", "F", scale, sites, combine, Weights.LINEAR, 1, Unit.JOINT, "look")


@given(site_grades, st.randoms())
def test_the_worst_site_is_final_whatever_the_order_of_grading(codes: list[int], random: object) -> None:
    feature = _with_sites(len(codes), Combine.MAX)
    protocol = replace(HIP, features=(feature,), cross_checks=(), adjudication=())
    pairs = list(zip(feature.items, codes, strict=True))
    random.shuffle(pairs)  # type: ignore[attr-defined]
    combined = protocol.combined("F", dict(pairs))
    assert combined == sorted(codes)[-1]
    # A site more, graded no worse, changes nothing; one that is not graded yet leaves the feature open.
    wider = _with_sites(len(codes) + 1, Combine.MAX)
    protocol = replace(protocol, features=(wider,))
    grades = dict(zip(wider.items, codes, strict=False))
    assert protocol.combined("F", grades) is None
    assert protocol.combined("F", {**grades, wider.items[-1]: min(codes)}) == combined


@given(site_grades)
def test_separate_sites_have_no_common_grade(codes: list[int]) -> None:
    feature = _with_sites(len(codes), Combine.SEPARATE)
    protocol = replace(HIP, features=(feature,), cross_checks=(), adjudication=())
    assert protocol.combined("F", dict(zip(feature.items, codes, strict=True))) is None


def test_without_sites_the_grade_is_the_final_grade() -> None:
    assert HIP.combined("KL", {Item("KL"): 3}) == 3
    assert HIP.combined("KL", {}) is None


@pytest.mark.parametrize(
    ("comparison", "held"),
    [
        (Comparison.EQUAL, [2]),
        (Comparison.NOT_EQUAL, [0, 1, 3, 4]),
        (Comparison.AT_LEAST, [2, 3, 4]),
        (Comparison.AT_MOST, [0, 1, 2]),
        (Comparison.ABOVE, [3, 4]),
        (Comparison.BELOW, [0, 1]),
    ],
)
def test_a_condition_compares_as_it_is_written(comparison: Comparison, held: list[int]) -> None:
    condition = Condition("KL", None, comparison, 2)
    assert [code for code in range(5) if condition.holds(code)] == held


def test_a_cross_check_looks_at_the_worse_site_and_waits_for_all() -> None:
    grades = {Item("KL"): 0, Item("JSN", "medial"): 0}
    assert HIP.check(grades) == ()
    grades[Item("JSN", "lateral")] = 1
    assert [check.id for check in HIP.check(grades)] == ["jsn-in-kl0"]
    grades[Item("KL")] = 1
    assert HIP.check(grades) == ()


def test_a_cross_check_on_one_site_does_not_look_at_the_other() -> None:
    grades = {Item("KL"): 0, Item("JSN", "medial"): 2, Item("JSN", "lateral"): 0}
    assert [check.id for check in KNEE.check(grades)] == ["jsn-medial-in-kl0"]


def test_a_reading_that_fits_together_warns_about_nothing() -> None:
    assert KNEE.check(dict.fromkeys(KNEE.items, 0)) == ()
    assert KNEE.check(dict.fromkeys(KNEE.items, 2)) == ()
    assert HIP.check(dict.fromkeys(HIP.items, 0)) == ()


def test_a_rule_is_found_by_feature_and_may_be_missing() -> None:
    rule = KNEE.rule_for("JSN")
    assert rule is not None
    assert rule.feature_ids == ("JSN",)
    assert KNEE.rule_for("FO") is None
    with pytest.raises(GradeError, match="no feature"):
        KNEE.rule_for("XX")


def test_help_is_found_by_code() -> None:
    likelihood = find_protocol("hip-osteoporosis").feature("OP")
    assert likelihood.help_for(1) == likelihood.level_help[0]
    assert likelihood.help_for(5) == likelihood.level_help[4]
    assert replace(likelihood, level_help=()).help_for(5) == ""
    with pytest.raises(GradeError):
        likelihood.help_for(0)


def test_a_protocol_travels_to_another_process_unchanged() -> None:
    other = pickle.loads(pickle.dumps(HIP))
    assert other == HIP
    assert hash(other) == hash(HIP)
    assert other.sha256 == HIP.sha256


@given(st.data())
def test_any_change_of_a_label_changes_the_hash(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(HIP.features) - 1))
    feature = HIP.features[position]
    at = data.draw(st.integers(0, len(feature.scale.levels) - 1))
    level = feature.scale.levels[at]
    label = data.draw(st.text(min_size=1, max_size=20).filter(lambda text: text != level.label))
    levels = (*feature.scale.levels[:at], replace(level, label=label), *feature.scale.levels[at + 1 :])
    changed_feature = replace(feature, scale=replace(feature.scale, levels=levels))
    changed = replace(
        HIP, features=(*HIP.features[:position], changed_feature, *HIP.features[position + 1 :])
    )
    assert changed.sha256 != HIP.sha256
    assert replace(changed, features=HIP.features).sha256 == HIP.sha256


@pytest.mark.parametrize(
    "change",
    [{"version": "2"}, {"bundle": None}, {"views": ("ct-ap",)}, {"adjudication": ()}, {"source": "else"}],
)
def test_every_part_counts_for_the_hash(change: dict[str, object]) -> None:
    assert replace(HIP, **change).sha256 != HIP.sha256  # type: ignore[arg-type]
