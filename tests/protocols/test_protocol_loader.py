from __future__ import annotations

import copy
import random
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from reader_app.errors import ProtocolError
from reader_app.protocols.loader import available_protocols, find_protocol, load_protocol, parse_protocol
from reader_app.settings import resource_path

SHIPPED = sorted(resource_path("protocols").glob("*.toml"))
IDS = [path.stem for path in SHIPPED]

MINIMAL: dict[str, Any] = {
    "id": "mini",
    "version": "1",
    "title": "Mini",
    "joint": "knee",
    "views": ["knee-ap"],
    "bundle": "mini",
    "source": "Made for a test.",
    "scales": [
        {
            "id": "four",
            "title": "Four",
            "levels": [{"code": code, "label": f"L{code}", "key": str(code)} for code in range(4)],
        }
    ],
    "features": [
        {
            "id": "AA",
            "title": "Alpha",
            "short_title": "A",
            "scale": "four",
            "sites": [{"id": "in", "title": "In"}, {"id": "out", "title": "Out"}],
            "combine": "max",
            "weights": "linear",
            "present_from": 1,
            "help": "Look.",
        },
        {
            "id": "BB",
            "title": "Beta",
            "short_title": "B",
            "scale": "four",
            "sites": [{"id": "in", "title": "In"}, {"id": "out", "title": "Out"}],
            "weights": "none",
            "help": "Look.",
        },
    ],
    "exclusion_reasons": [{"id": "bad", "title": "Bad", "scope": "joint", "needs_confirmation": False}],
    "cross_checks": [
        {
            "id": "odd",
            "title": "Odd",
            "message": "Odd.",
            "conditions": [
                {"feature": "AA", "is": ">=", "code": 1},
                {"feature": "BB", "site": "in", "is": "==", "code": 0},
            ],
        }
    ],
    "adjudication": [
        {"features": ["AA", "BB"], "triggers": [{"kind": "across-cut", "cut": 1}], "resolution": "median"}
    ],
    "reading": {
        "readers_per_case": 2,
        "presentation": "single",
        "arm": "aided",
        "block_size": 10,
        "reread_percent": 10,
    },
}


def _fault(change: Callable[[dict[str, Any]], object]) -> ProtocolError:
    document = copy.deepcopy(MINIMAL)
    change(document)
    with pytest.raises(ProtocolError) as error:
        parse_protocol(tomli_w.dumps(document), name="mine.toml")
    assert error.value.what.startswith("mine.toml")
    assert error.value.next_step
    return error.value


def _set(value: object, *path: str | int) -> Callable[[dict[str, Any]], object]:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def _drop(*path: str | int) -> Callable[[dict[str, Any]], object]:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


LEVELS = ("scales", 0, "levels")
CONDITIONS = ("cross_checks", 0, "conditions")
TRIGGER = ("adjudication", 0, "triggers", 0)

FAULTS: list[tuple[Callable[[dict[str, Any]], object], list[str]]] = [
    (_drop("title"), ["title: expected one line of text", "found nothing"]),
    (_set("1", "wersion"), ["wersion: expected one of id, version,", "did you mean “version”?"]),
    (_set(1, "features", 1, "wieghts"), ["features[1].wieghts (in BB)", "did you mean “weights”?"]),
    (_set(1, "version"), ["version: expected a version in quotes", "found 1"]),
    (_set("elbow", "joint"), ["joint: expected one of knee, hip, found “elbow”"]),
    (_set([], "views"), ["views: expected a list of 1 to", "found a list of 0"]),
    (_set(["a", "A"], "views"), ["views[1]: expected a view named once", "views[0]"]),
    (_set("knee", "views"), ["views: expected a list", "found “knee”"]),
    (_set([MINIMAL["scales"][0]["levels"][0]], *LEVELS), ["levels (in four): expected a list of 2 to 20"]),
    (_set(1, *LEVELS, 2, "code"), ["scales[0].levels[2].code (in four): expected a code above 1", "found 1"]),
    (_set(True, *LEVELS, 2, "code"), ["levels[2].code", "expected a whole number", "found true"]),
    (_set(-1, *LEVELS, 0, "code"), ["levels[0].code", "from 0 to 99", "found -1"]),
    (
        _set("0", *LEVELS, 2, "key"),
        ["levels[2].key", "a key of its own", "scales[0].levels[0].key has already"],
    ),
    (_set("12", *LEVELS, 2, "key"), ["levels[2].key", "one printable character", "“12”"]),
    (_set(" ", *LEVELS, 2, "key"), ["levels[2].key", "not a space", "empty text"]),
    (_set("\x07", *LEVELS, 2, "key"), ["levels[2].key", "one printable character"]),
    (_set(2, *LEVELS, 2, "key"), ["levels[2].key", "in quotes", "found 2"]),
    (_set("l0", *LEVELS, 2, "label"), ["levels[2].label", "a label of its own"]),
    (
        _set("aa", "features", 1, "id"),
        ["features[1].id", "an id of its own", "“aa”, which features[0].id has"],
    ),
    (_set("A:B", "features", 1, "id"), ["features[1].id", "expected an id", "found “A:B”"]),
    (_set("in", "features", 0, "sites", 1, "id"), ["features[0].sites[1].id (in AA)", "an id of its own"]),
    (
        _set("for", "features", 0, "scale"),
        ["features[0].scale (in AA): expected one of four", "mean “four”?"],
    ),
    (
        _set("cubic", "features", 0, "weights"),
        ["features[0].weights (in AA)", "none, linear, quadratic", "“cubic”"],
    ),
    (_set(0, "features", 0, "present_from"), ["features[0].present_from", "one of 1, 2, 3", "found 0"]),
    (_set(4, "features", 0, "present_from"), ["features[0].present_from", "found 4"]),
    (_set(["x"], "features", 0, "level_help"), ["features[0].level_help", "4 texts", "found 1 texts"]),
    (_drop("features", 0, "sites"), ["features[0].combine (in AA): expected sites to combine"]),
    (
        _set("image", "exclusion_reasons", 0, "scope"),
        ["exclusion_reasons[0].scope (in bad)", "joint, radiograph"],
    ),
    (
        _set("no", "exclusion_reasons", 0, "needs_confirmation"),
        ["needs_confirmation", "true or false", "“no”"],
    ),
    (
        _set("AB", *CONDITIONS, 0, "feature"),
        ["cross_checks[0].conditions[0].feature (in odd)", "one of AA, BB"],
    ),
    (_set("inn", *CONDITIONS, 1, "site"), ["conditions[1].site", "one of in, out", "did you mean “in”?"]),
    (_drop(*CONDITIONS, 1, "site"), ["conditions[1].site", "since the sites stay separate", "found nothing"]),
    (_set("=>", *CONDITIONS, 0, "is"), ["conditions[0].is", "one of ==, !=, >=", "found “=>”"]),
    (_set(9, *CONDITIONS, 0, "code"), ["conditions[0].code", "one of 0, 1, 2, 3", "found 9"]),
    (
        _set("participant", "features", 1, "unit"),
        ["cross_checks[0].conditions (in odd)", "features of one unit"],
    ),
    (
        _set(["AA", "CC"], "adjudication", 0, "features"),
        ["adjudication[0].features[1]: expected one of AA, BB"],
    ),
    (
        _set(["AA", "AA"], "adjudication", 0, "features"),
        ["adjudication[0].features[1]", "that no rule has yet"],
    ),
    (_set(3, *TRIGGER, "cut"), ["adjudication[0].triggers[0].cut", "one of 0, 1, 2", "found 3"]),
    (_drop(*TRIGGER, "cut"), ["adjudication[0].triggers[0].cut", "found nothing"]),
    (_set(1, *TRIGGER, "above"), ["triggers[0].above: expected no such key for across-cut", "found 1"]),
    (
        _set({"kind": "difference-above", "above": 3}, *TRIGGER),
        ["triggers[0].above: expected a number below 3"],
    ),
    (
        _set("third", "adjudication", 0, "resolution"),
        ["adjudication[0].resolution", "third-final", "“third”"],
    ),
    (_drop("bundle"), ["reading.arm: expected unaided", "found aided"]),
    (_set(0, "reading", "readers_per_case"), ["reading.readers_per_case", "from 1 to 50", "found 0"]),
    (_set(120, "reading", "reread_percent"), ["reading.reread_percent", "from 0 to 100"]),
    (_drop("reading"), ["reading: expected a table with readers_per_case", "found nothing"]),
    (_set([1, "x"], "features"), ["features[0]: expected a table", "features[1]: expected a table"]),
]


@pytest.mark.parametrize(("change", "told"), FAULTS, ids=[faults[1][0] for faults in FAULTS])
def test_a_fault_names_file_key_expectation_and_finding(
    change: Callable[[dict[str, Any]], object], told: list[str]
) -> None:
    what = _fault(change).what
    for part in told:
        assert part in what


def test_the_minimal_protocol_that_the_faults_are_planted_in_is_valid() -> None:
    protocol = parse_protocol(tomli_w.dumps(MINIMAL), name="mini")
    assert protocol.feature("BB").present_from is None
    assert [item.key for item in protocol.items] == ["AA:in", "AA:out", "BB:in", "BB:out"]


def test_all_faults_are_told_together_and_each_once() -> None:
    def spoil(document: dict[str, Any]) -> None:
        document["joint"] = "elbow"
        document["features"][0]["scale"] = "five"
        document["adjudication"][0]["triggers"][0]["cut"] = 7
        del document["reading"]["arm"]

    what = _fault(spoil).what
    assert "has 4 faults" in what
    for key in ("joint:", "features[0].scale", "triggers[0].cut", "reading.arm"):
        assert what.count(key) == 1


def test_a_fault_does_not_cause_faults_that_are_none() -> None:
    # With a level broken, thresholds on that scale cannot be judged and must not be blamed.
    assert "levels[3].code" in _fault(_set("x", *LEVELS, 3, "code")).what
    assert "faults" not in _fault(_set("x", *LEVELS, 3, "code")).what


def test_a_file_full_of_faults_does_not_fill_the_screen() -> None:
    what = _fault(lambda document: document.update({f"k{n}": 1 for n in range(500)})).what
    assert "500 faults" in what
    assert "and 460 more" in what


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('id = "a"\ntitle = \n', "mine.toml, line 2: not valid TOML"),
        ('id = "a"\nid = "b"\n', "mine.toml, line 2: not valid TOML"),
        ('id = "a"\ntitle = """open\n', "not valid TOML"),
        ("a = " + "9" * 5000, "not valid TOML"),
        ("a = " + "[" * 20000, "not valid TOML"),
        ("", "faults"),
        ('"a\\nb" = 1', "faults"),
    ],
)
def test_text_that_is_no_protocol_is_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(ProtocolError) as error:
        parse_protocol(text, name="mine.toml")
    assert told in error.value.what


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_damaged_files_are_refused_or_read_but_never_crash(seed: int, cuts: int) -> None:
    text = SHIPPED[0].read_text(encoding="utf-8")
    dice = random.Random(seed)
    for _ in range(cuts):
        at = dice.randrange(len(text))
        text = text[:at] + dice.choice(["", '"', "=", "[", "\n", "0", "é", "\x00", "true"]) + text[at + 1 :]
    told = ""
    try:
        assert parse_protocol(text, name="damaged").items
    except ProtocolError as error:
        told = error.what
    assert told == "" or told.startswith("damaged")


def _shuffled(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        dice.shuffle(keys)
        return {key: _shuffled(value[key], dice) for key in keys}
    return [_shuffled(member, dice) for member in value] if isinstance(value, list) else value


def _commented(text: str, dice: random.Random) -> str:
    # Comments go where a table starts: a line inside a text of several lines would change the text.
    return "".join(
        f"# {dice.random()}\n\n{line}" if line.startswith("[") else line
        for line in text.splitlines(keepends=True)
    )


@pytest.mark.parametrize("path", SHIPPED, ids=IDS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_canonical_form_does_not_depend_on_key_order_and_comments(path: Path, seed: int) -> None:
    text = path.read_text(encoding="utf-8")
    dice = random.Random(seed)
    written = _commented(tomli_w.dumps(_shuffled(tomllib.loads(text), dice)), dice)
    assert parse_protocol(written, name="other").canonical() == load_protocol(path).canonical()


def test_how_prose_is_wrapped_does_not_change_the_hash() -> None:
    wrapped = copy.deepcopy(MINIMAL)
    wrapped["source"] = "Made\n   for a\ntest.\n"
    one, other = (parse_protocol(tomli_w.dumps(table), name="x") for table in (MINIMAL, wrapped))
    assert one.sha256 == other.sha256


def test_a_changed_label_in_the_file_changes_the_hash() -> None:
    changed = copy.deepcopy(MINIMAL)
    changed["scales"][0]["levels"][1]["label"] = "Else"
    one, other = (parse_protocol(tomli_w.dumps(table), name="x") for table in (MINIMAL, changed))
    assert one.sha256 != other.sha256


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    for path in (missing, tmp_path):
        with pytest.raises(ProtocolError, match="cannot be read") as error:
            load_protocol(path)
        assert str(path) in error.value.what


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes('id = "a"\ntitle = "Hüfte"\n'.encode("latin-1"))
    with pytest.raises(ProtocolError, match=r"not UTF-8 text \(line 2\)"):
        load_protocol(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbf" + tomli_w.dumps(MINIMAL).encode().replace(b"\n", b"\r\n"))
    assert load_protocol(path).id == "mini"


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.toml"
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ProtocolError, match="far more than a protocol file"):
        load_protocol(path)


def test_a_faulty_file_is_listed_and_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("id = ", encoding="utf-8")
    (tmp_path / "mine.toml").write_text(tomli_w.dumps(MINIMAL), encoding="utf-8")
    (tmp_path / "study.toml").write_text("x = 1", encoding="utf-8")
    files = available_protocols(tmp_path, tmp_path / "nowhere")
    assert [file.id for file in files] == ["broken", "mini", *IDS]
    assert [file.id for file in files if file.error is not None] == ["broken"]
    assert all((file.protocol is None) != (file.error is None) for file in files)


def test_a_protocol_of_the_site_goes_before_a_shipped_one(tmp_path: Path) -> None:
    own = {**MINIMAL, "id": IDS[0]}
    (tmp_path / "own.toml").write_text(tomli_w.dumps(own), encoding="utf-8")
    assert find_protocol(IDS[0], tmp_path).title == "Mini"
    assert find_protocol(IDS[0]).title != "Mini"


def test_an_unknown_protocol_suggests_the_nearest() -> None:
    with pytest.raises(ProtocolError, match="did you mean “knee-kl”") as error:
        find_protocol("kneekl")
    assert "hip-oarsi" in error.value.next_step


def test_asking_for_a_faulty_file_tells_its_faults(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("id = ", encoding="utf-8")
    with pytest.raises(ProtocolError, match="line 1"):
        find_protocol("broken", tmp_path)
