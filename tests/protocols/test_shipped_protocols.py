"""The shipped protocols against what the published systems grade."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import reader_app
from reader_app.protocols.describe import PROTOCOL_COLUMNS, protocol_table, protocol_text
from reader_app.protocols.loader import available_protocols, find_protocol
from reader_app.protocols.model import (
    Combine,
    ExclusionScope,
    JointKind,
    Presentation,
    Protocol,
    Resolution,
    TriggerKind,
    Unit,
    Weights,
)

EXPECTED_ITEMS = {
    "hip-oarsi": [
        "FO:superior",
        "FO:inferior",
        "AO:superior",
        "AO:inferior",
        "JSN:medial",
        "JSN:lateral",
        "SCL:acetabular",
        "SCL:subchondral",
        "CYST:acetabular",
        "CYST:subchondral",
        "KL",
    ],
    "knee-oarsi-kl": [
        "KL",
        "FO:lateral",
        "FO:medial",
        "TO:lateral",
        "TO:medial",
        "JSN:lateral",
        "JSN:medial",
    ],
    "hip-morphology": ["ISS", "CAM", "DYSPL", "OTHER"],
    "ct-ap-rhoa": ["RHOA"],
    "hip-osteoporosis": ["OP"],
    "knee-kl": ["KL"],
}


def shipped() -> list[Protocol]:
    return [file.protocol for file in available_protocols() if file.protocol is not None]


def test_all_six_are_there_and_named_as_their_files() -> None:
    files = available_protocols()
    assert {file.path.stem: file.id for file in files} == {name: name for name in EXPECTED_ITEMS}
    assert all(file.error is None for file in files)


@pytest.mark.parametrize(("name", "items"), EXPECTED_ITEMS.items())
def test_what_is_graded(name: str, items: list[str]) -> None:
    protocol = find_protocol(name)
    assert [item.key for item in protocol.items] == items
    assert protocol.bundle == name
    assert protocol.joint is (JointKind.KNEE if name.startswith("knee") else JointKind.HIP)


def test_the_hip_takes_the_worse_site_and_linear_weights() -> None:
    protocol = find_protocol("hip-oarsi")
    for feature in protocol.features:
        assert feature.weights is Weights.LINEAR
        assert (feature.combine is Combine.MAX) == bool(feature.sites)
    codes = {feature.id: feature.scale.codes for feature in protocol.features}
    assert codes == {
        "FO": (0, 1, 2, 3),
        "AO": (0, 1, 2, 3),
        "JSN": (0, 1, 2, 3),
        "SCL": (0, 1),
        "CYST": (0, 1),
        "KL": (0, 1, 2, 3, 4),
    }
    rule = protocol.rule_for("CYST")
    assert rule is not None
    assert rule.resolution is Resolution.THIRD_FINAL
    assert [trigger.kind for trigger in rule.triggers] == [TriggerKind.ANY_DIFFERENCE]
    assert protocol.reading.presentation is Presentation.PAIRED_ORDERED
    poor = next(reason for reason in protocol.exclusion_reasons if reason.scope is ExclusionScope.RADIOGRAPH)
    assert poor.needs_confirmation


def test_the_knee_keeps_compartments_apart_and_is_adjudicated_as_published() -> None:
    protocol = find_protocol("knee-oarsi-kl")
    for feature in protocol.features:
        assert feature.weights is Weights.QUADRATIC
        assert feature.combine is Combine.SEPARATE
        assert feature.present_from == (2 if feature.id == "KL" else 1)
    rules = {feature.id: protocol.rule_for(feature.id) for feature in protocol.features}
    grade, space = rules["KL"], rules["JSN"]
    assert grade is not None
    assert space is not None
    assert [(trigger.kind, trigger.cut) for trigger in grade.triggers] == [
        (TriggerKind.ACROSS_CUT, 1),
        (TriggerKind.DIRECTION_OF_CHANGE, None),
    ]
    assert [trigger.kind for trigger in space.triggers] == [TriggerKind.DIRECTION_OF_CHANGE]
    assert grade.resolution is space.resolution is Resolution.THIRD_IF_MATCH


def test_osteoporosis_is_graded_once_for_the_participant_on_five_points() -> None:
    feature = find_protocol("hip-osteoporosis").feature("OP")
    assert feature.unit is Unit.PARTICIPANT
    assert feature.scale.codes == (1, 2, 3, 4, 5)


def test_the_single_knee_grade_has_quadratic_weights_and_the_usual_threshold() -> None:
    feature = find_protocol("knee-kl").feature("KL")
    assert (feature.weights, feature.present_from, feature.scale.codes) == (
        Weights.QUADRATIC,
        2,
        (0, 1, 2, 3, 4),
    )


@pytest.mark.parametrize("name", EXPECTED_ITEMS)
def test_every_grade_has_its_own_key_and_help(name: str) -> None:
    for feature in find_protocol(name).features:
        texts = [feature.help_for(code) for code in feature.scale.codes]
        assert all(texts)
        assert len(set(texts)) == len(texts)
        assert len({level.key for level in feature.scale.levels}) == len(feature.scale.levels)


@pytest.mark.parametrize("name", EXPECTED_ITEMS)
def test_the_page_of_a_protocol_shows_everything_and_fits(name: str) -> None:
    protocol = find_protocol(name)
    text = protocol_text(protocol)
    assert protocol.sha256 in text
    for feature in protocol.features:
        assert feature.title in text
        for site in feature.sites:
            assert site.title in text
        for level in feature.scale.levels:
            assert level.label in text
    for reason in protocol.exclusion_reasons:
        assert reason.title in text
    for check in protocol.cross_checks:
        assert check.title in text
    assert max(len(line) for line in text.splitlines()) <= 110


def test_the_table_has_a_row_for_each_file_also_for_a_faulty_one(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("id = ", encoding="utf-8")
    rows = protocol_table(tmp_path)
    assert [row[0] for row in rows] == ["broken", *sorted(EXPECTED_ITEMS)]
    assert all(len(row) == len(PROTOCOL_COLUMNS) for row in rows)
    assert "FAULTY" in rows[0][2]
    assert "line 1" in rows[0][2]


def _strings(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_feature_is_written_in_the_rooms_of_rules() -> None:
    """What is graded is data: Python that knows a feature by name would not serve a site's own protocol."""
    names = {
        name
        for protocol in shipped()
        for feature in protocol.features
        for name in (feature.id, feature.title)
    }
    package = Path(reader_app.__file__).parent
    rooms = ("protocols", "reading", "store", "agreement", "operations", "report", "ui")
    found = {
        f"{path.relative_to(package)}: {name}"
        for room in rooms
        for path in (package / room).rglob("*.py")
        for name in _strings(path) & names
    }
    assert not found
