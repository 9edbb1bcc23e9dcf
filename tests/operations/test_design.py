"""Putting designs in force: all before anybody reads, only what comes later afterwards, always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reader_app.errors import DesignError, NotAllowed, StudyError
from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.assign import assign_all
from reader_app.operations.design import changeable, changes, export_design, preview, set_design
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.verify import verify
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.design import Calibration, ReadingDesign, Rereads, Signing
from reader_app.reading.design_file import load_design
from reader_app.reading.planned import PlannedCase, PlannedEntry
from reader_app.store import accounts, case_plans, designs, journal
from reader_app.store.records import Actor, Role
from tests.operations.conftest import COORDINATOR, PASSWORD, leg

RICH = ReadingDesign(
    Presentation.SINGLE,
    Arm.UNAIDED,
    5,
    block_size=6,
    participant_distance=2,
    rereads=Rereads(percent=25, min_cases=3, mirrored=True),
    calibration=Calibration(cases=3, control_every=4),
)


@dataclass(frozen=True)
class Place:
    """A study with its coordinator, and a folder for films."""

    study: Study
    coordinator: Actor
    films: Path

    def import_visits(self, participants: range, visit: str, order: int = 0) -> None:
        """Import one film of each participant, with a reference grade."""
        folder = self.films / visit
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["image,participant,visit,side,ref_KL"]
        for number in participants:
            name = f"{number}-{visit}.png"
            Image.fromarray(leg(seed=1000 * order + number)).save(folder / name)
            lines.append(f"{name},person-{number:03d},{visit},R,{number % 5}")
        manifest = folder / f"{participants.start}.csv"
        manifest.write_text("\n".join([*lines, ""]), encoding="utf-8")
        import_films(self.study, self.coordinator, folder, manifest=manifest)

    def reader(self, name: str) -> Actor:
        add_account(self.study, self.coordinator, name=name, password=PASSWORD, role=Role.READER)
        return log_in(self.study, name, PASSWORD)

    def worklists(self) -> dict[int, tuple[PlannedEntry, ...]]:
        return case_plans.planned_entries(self.study.database, self.coordinator)

    def cases(self) -> tuple[PlannedCase, ...]:
        return case_plans.planned_cases(self.study.database, self.coordinator)


@pytest.fixture
def make_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Place]]:
    monkeypatch.setenv("READER_APP_HOME", str(tmp_path / "home"))
    made: list[Study] = []

    def make(name: str = "study", design: ReadingDesign = RICH) -> Place:
        choices = NewStudy("knee-kl", "T", COORDINATOR, PASSWORD, design=design)
        made.append(create_study(tmp_path / name, choices))
        return Place(made[-1], log_in(made[-1], COORDINATOR, PASSWORD), tmp_path / "films")

    yield make
    for study in made:
        study.close()


@pytest.fixture
def place(make_place: Callable[..., Place]) -> Place:
    """A study under the design `RICH`, without films or readers."""
    return make_place()


def opened(place: Place, reader: Actor) -> PlannedEntry:
    """Let a reader open the first case; return what it is in the plan."""
    first = read.worklist(place.study, reader)[0]
    read.open_case(place.study, reader, first.assignment_id)
    return place.worklists()[reader.account_id][0]


def test_a_new_study_is_read_as_its_preset_says_and_keeps_a_readable_copy(tmp_path: Path) -> None:
    choices = NewStudy("knee-kl", "T", COORDINATOR, PASSWORD, preset="mrmc-crossover", seed=9)
    with create_study(tmp_path / "s", choices) as study:
        assert (study.design.arm, study.design.washout_days, study.design.seed) == (Arm.CROSSOVER, 28.0, 9)
        assert load_design(study.folder / "design.toml", protocol=study.protocol) == study.design
        assert "A copy to read" in (study.folder / "design.toml").read_text(encoding="utf-8")
        design = study.design
    with open_study(tmp_path / "s") as study:
        assert study.design == design
    aided = replace(choices, arm=Arm.AIDED)
    with create_study(tmp_path / "t", aided) as study:
        assert (study.design.arm, study.design.washout_days) == (Arm.AIDED, 0.0)


def test_without_a_preset_a_study_takes_the_defaults_of_its_protocol(tmp_path: Path) -> None:
    with create_study(tmp_path / "s", NewStudy("hip-oarsi", "T", COORDINATOR, PASSWORD, seed=9)) as study:
        usual = study.protocol.reading
        assert study.design == ReadingDesign(
            usual.presentation,
            usual.arm,
            9,
            block_size=usual.block_size,
            rereads=Rereads(percent=usual.reread_percent),
        )
    blinded = NewStudy("hip-oarsi", "T", COORDINATOR, PASSWORD, presentation=Presentation.PAIRED_BLINDED)
    with create_study(tmp_path / "b", blinded) as study:
        assert study.design.presentation is Presentation.PAIRED_BLINDED


def test_worklists_are_as_previewed(place: Place) -> None:
    place.import_visits(range(1, 20), "baseline")
    for name in ("Ben", "Eve"):
        place.reader(name)
    found = preview(place.study, place.coordinator, RICH)
    assert found.notes == ()
    names = case_plans.pseudonyms(place.study.database, place.coordinator)
    participant = {case.case_id: names[case.participant_id] for case in place.cases()}
    for account_id, shown in zip(sorted(place.worklists()), found.readers, strict=True):
        entries = place.worklists()[account_id]
        assert [participant[entry.case_id] for entry in entries[:30]] == [
            row.participant for row in shown.first
        ]
        assert [entry.block for entry in entries[:30]] == [row.block for row in shown.first]
        assert (shown.cases, shown.calibration, shown.rereads, shown.controls) == (16, 3, 4, 5)
        assert shown.readings == len(entries) == 28
        assert (shown.aided, shown.blocks) == (0, 3)


def test_a_preview_changes_nothing_and_shows_another_design(place: Place) -> None:
    place.import_visits(range(1, 11), "baseline")
    before = journal.verify_chain(place.study.database)
    crossover = ReadingDesign(Presentation.SINGLE, Arm.CROSSOVER, 5, washout_days=28.0)
    found = preview(place.study, place.coordinator, crossover)
    assert [each.name for each in found.readers] == ["Reader 1", "Reader 2"]
    assert found.notes == ("The study has no readers yet; shown for 2 made-up ones.",)
    assert {(each.cases, each.readings, each.aided) for each in found.readers} == {(10, 20, 10)}
    purposes = [row.purpose for row in found.readers[0].first]
    assert purposes == ["reading"] * 10 + ["second reading, 28 days later"] * 10
    named = preview(place.study, place.coordinator, crossover, readers=["Ann", "Bob", "Cy"])
    assert [each.name for each in named.readers] == ["Ann", "Bob", "Cy"]
    assert journal.verify_chain(place.study.database) == before


def test_a_preview_says_what_cannot_be_met(place: Place) -> None:
    (note, *_) = preview(place.study, place.coordinator, RICH).notes
    assert note == "No radiographs are imported yet."
    place.import_visits(range(1, 6), "baseline")
    wanting = replace(RICH, calibration=Calibration(cases=9), rereads=Rereads())
    notes = preview(place.study, place.coordinator, wanting, readers=["Ann"]).notes
    assert notes == ("Only 5 of 9 calibration cases can be drawn: no other film has reference grades.",)
    gate = replace(wanting, calibration=Calibration(cases=5, min_kappa=0.6))
    (few,) = preview(place.study, place.coordinator, gate, readers=["Ann"]).notes
    assert "may not pass the gate" in few
    with pytest.raises(DesignError, match="The design: washout_days"):
        preview(place.study, place.coordinator, replace(RICH, washout_days=2.0))


def test_until_somebody_reads_it_does_not_matter_in_which_steps_films_and_readers_came(
    make_place: Callable[..., Place],
) -> None:
    paired = ReadingDesign(
        Presentation.PAIRED_ORDERED, Arm.UNAIDED, 5, readers_per_case=2, overlap_percent=50
    )
    steps, once = make_place("steps", paired), make_place("once", paired)
    steps.reader("Ben")
    steps.import_visits(range(1, 9), "V00", 0)
    steps.reader("Eve")
    steps.import_visits(range(1, 9), "V01", 1)
    steps.reader("Zoe")
    once.import_visits(range(1, 9), "V00", 0)
    once.import_visits(range(1, 9), "V01", 1)
    for name in ("Ben", "Eve", "Zoe"):
        once.reader(name)
    assert len(steps.cases()) == 8
    assert list(steps.worklists().values()) == list(once.worklists().values())
    assert sorted(len(entries) for entries in steps.worklists().values()) == [4, 4, 4]


def test_after_the_first_case_is_opened_every_place_stays(place: Place) -> None:
    place.import_visits(range(1, 15), "baseline")
    ben = place.reader("Ben")
    assert changeable(place.study, place.coordinator)
    opened(place, ben)
    assert not changeable(place.study, place.coordinator)
    before = place.worklists()[ben.account_id]
    made = place.cases()
    place.import_visits(range(20, 40), "baseline")
    eve = place.reader("Eve")
    after = place.worklists()
    assert after[ben.account_id][: len(before)] == before
    assert len(after[ben.account_id]) > len(before)
    assert place.cases()[: len(made)] == made
    # The calibration set was drawn before: another case in it would close live reading for all.
    assert sum(case.purpose == "calibration" for case in place.cases()) == 3
    live = {entry.case_id for entry in after[eve.account_id] if entry.purpose == "reading"}
    assert live == {case.case_id for case in place.cases() if case.purpose == "live"}
    assign_all(place.study, place.coordinator)
    assert place.worklists() == after


def test_the_journal_tells_every_place_that_was_ever_given(place: Place) -> None:
    place.import_visits(range(1, 10), "baseline")
    ben = place.reader("Ben")
    opened(place, ben)
    place.import_visits(range(20, 40), "baseline")
    place.reader("Eve")
    told: dict[int, list[PlannedEntry]] = {}
    for entry in journal.entries(place.study.database, place.coordinator):
        if entry.verb == "case.withdraw":
            told = {}
        if entry.verb == "case.assign":
            payload: Any = entry.payload
            told.setdefault(payload["reader"], []).extend(
                PlannedEntry(
                    one["case"],
                    one["pass"],
                    one["place"],
                    Arm(one["arm"]),
                    one["purpose"],
                    one["period"],
                    one["block"],
                    one["mirrored"],
                    tuple(one["after"]) if one["after"] else None,
                    one["after_days"],
                )
                for one in payload["entries"]
            )
    assert {account: tuple(entries) for account, entries in told.items()} == place.worklists()


def test_the_same_steps_give_the_same_worklists(make_place: Callable[..., Place]) -> None:
    found = []
    for name in ("one", "other"):
        place = make_place(name)
        place.import_visits(range(1, 12), "baseline")
        ben = place.reader("Ben")
        opened(place, ben)
        place.import_visits(range(20, 33), "baseline")
        place.reader("Eve")
        found.append(place.worklists())
    assert found[0] == found[1]


def test_before_reading_everything_may_change_and_is_dealt_anew(place: Place) -> None:
    place.import_visits(range(1, 9), "V00", 0)
    place.import_visits(range(1, 9), "V01", 1)
    ben = place.reader("Ben")
    chosen = ReadingDesign(Presentation.PAIRED_BLINDED, Arm.AIDED, 8)
    study = set_design(place.study, place.coordinator, chosen)
    assert study.design == designs.in_force(study.database) == chosen
    assert load_design(study.folder / "design.toml", protocol=study.protocol) == chosen
    entries = place.worklists()[ben.account_id]
    assert len(entries) == 8
    assert {(entry.arm, entry.purpose) for entry in entries} == {(Arm.AIDED, "reading")}
    assert verify(study, place.coordinator).faults == ()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"presentation": Presentation.PAIRED_ORDERED}, "presentation"),
        ({"arm": Arm.AIDED}, "arm"),
        ({"seed": 6}, "seed"),
        ({"readers_per_case": 2}, "readers_per_case"),
        ({"overlap_percent": 40}, "overlap_percent"),
        ({"block_size": 7}, "block_size"),
        ({"calibration": Calibration(cases=4, control_every=4)}, "calibration.cases"),
        ({"calibration": Calibration(cases=3, control_every=4, source="x")}, "calibration.source"),
    ],
)
def test_once_reading_has_begun_what_was_read_keeps_its_design(
    place: Place, change: dict[str, Any], key: str
) -> None:
    place.import_visits(range(1, 6), "baseline")
    opened(place, place.reader("Ben"))
    before = place.worklists()
    with pytest.raises(DesignError, match=f"Reading has begun, and {key} cannot change") as caught:
        set_design(place.study, place.coordinator, replace(RICH, **change), reason="because")
    assert "make a new study" in caught.value.next_step
    assert designs.in_force(place.study.database) == RICH
    assert place.worklists() == before


def test_once_reading_has_begun_what_comes_later_changes_with_a_reason(place: Place) -> None:
    place.import_visits(range(1, 12), "baseline")
    ben = place.reader("Ben")
    opened(place, ben)
    before = place.worklists()[ben.account_id]
    chosen = replace(
        RICH,
        rereads=Rereads(),
        calibration=replace(RICH.calibration, min_kappa=0.6, control_every=0),
        signing=Signing(meaning="I agree."),
        session_minutes=5,
    )
    with pytest.raises(DesignError, match="needs a reason"):
        set_design(place.study, place.coordinator, chosen, reason="  ")
    study = set_design(place.study, place.coordinator, chosen, reason="the pilot showed drift")
    assert place.worklists()[ben.account_id] == before
    again = replace(place, study=study)
    again.import_visits(range(20, 40), "baseline")
    later = place.worklists()[ben.account_id][len(before) :]
    assert len(later) == 20
    assert {entry.purpose for entry in later} == {"reading"}
    told = designs.all_designs(study.database, place.coordinator)
    assert [(one.design, one.reason) for one in told] == [(RICH, ""), (chosen, "the pilot showed drift")]


def test_the_same_design_again_is_no_change(place: Place) -> None:
    before = journal.verify_chain(place.study.database)
    assert set_design(place.study, place.coordinator, RICH).design == RICH
    assert journal.verify_chain(place.study.database) == before


def test_only_coordinators_change_a_design(place: Place) -> None:
    ben = place.reader("Ben")
    for refused in (
        lambda: set_design(place.study, ben, replace(RICH, seed=6)),
        lambda: preview(place.study, ben, RICH),
        lambda: changeable(place.study, ben),
    ):
        with pytest.raises(NotAllowed):
            refused()
    accounts.create_account(
        place.study.database, place.coordinator, name="Ada", password=PASSWORD, role=Role.AUDITOR
    )
    ada = log_in(place.study, "Ada", PASSWORD)
    assert changeable(place.study, ada)
    with pytest.raises(NotAllowed):
        set_design(place.study, ada, replace(RICH, seed=6))


def test_what_differs_is_named_by_the_keys_of_the_file() -> None:
    other = replace(RICH, seed=6, calibration=replace(RICH.calibration, min_kappa=0.5), rereads=Rereads())
    assert changes(RICH, RICH) == ()
    assert set(changes(RICH, other)) == {
        "seed",
        "calibration.min_kappa",
        "rereads.percent",
        "rereads.min_cases",
        "rereads.mirrored",
    }


def test_an_exported_design_begins_another_study(place: Place, tmp_path: Path) -> None:
    export_design(place.study, tmp_path / "mine.toml")
    choices = NewStudy("knee-kl", "T", COORDINATOR, PASSWORD, design_file=tmp_path / "mine.toml")
    with create_study(tmp_path / "next", choices) as study:
        assert study.design == RICH
    with pytest.raises(StudyError, match="cannot be written"):
        export_design(place.study, tmp_path / "gone" / "mine.toml")
