"""What a design would make of a study: each reader's worklist, before anything is assigned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reader_app.operations.assign import built_cases, planned_readers
from reader_app.operations.study import Study
from reader_app.protocols.model import Arm, Presentation, TriggerKind
from reader_app.reading.design import ReadingDesign
from reader_app.reading.design_file import check_design
from reader_app.reading.design_rules import rule_for
from reader_app.reading.planned import CasePurpose, PlannedCase, PlannedEntry, PlannedReader, Purpose
from reader_app.reading.worklists import plan_worklists
from reader_app.store import case_plans
from reader_app.store.records import Actor

FIRST = 30
"""So many places of each worklist are shown."""

_EXAMPLES = 2
"""So many readers are made up where there are none and the design wants all."""

CASES_FOR_A_GATE = 20
"""With fewer, an interval clustered by participant says little."""

ARM_WORDS = {
    Arm.UNAIDED: "without the AI",
    Arm.AIDED: "with the AI",
    Arm.UNAIDED_THEN_AIDED: "without, then with the AI",
}
_PURPOSE_WORDS = {
    Purpose.READING: "reading",
    Purpose.REREAD: "hidden re-read",
    Purpose.CALIBRATION: "calibration",
    Purpose.CONTROL: "control",
}


@dataclass(frozen=True)
class PreviewRow:
    """One place of a worklist as a coordinator previews it; no reader is ever shown this.

    Attributes
    ----------
    arm, purpose
        In words.
    block
        0 where there are none.
    participant
        The pseudonym.
    """

    place: int
    arm: str
    purpose: str
    block: int
    participant: str


@dataclass(frozen=True)
class ReaderPreview:
    """What one reader would read.

    Attributes
    ----------
    cases
        How many different live cases.
    readings
        How many places the worklist has in all.
    aided
        How many of them with the AI in sight at the end.
    first
        The first places.
    """

    name: str
    cases: int
    readings: int
    rereads: int
    calibration: int
    controls: int
    aided: int
    blocks: int
    first: tuple[PreviewRow, ...]


@dataclass(frozen=True)
class DesignPreview:
    """What a design would make of a study.

    Attributes
    ----------
    notes
        What cannot be met, or needs something that is not there, in sentences.
    """

    readers: tuple[ReaderPreview, ...]
    notes: tuple[str, ...]


def preview(
    study: Study, actor: Actor, design: ReadingDesign, *, readers: Sequence[str] = ()
) -> DesignPreview:
    """Return what a design would make of the study's films and readers; nothing is changed.

    Parameters
    ----------
    design
        In force or not.
    readers
        Names in place of the study's readers, as long as nobody has begun to read.

    Raises
    ------
    DesignError
        If the design is faulty.
    NotAllowed
        Unless the actor is a coordinator or an auditor.
    """
    check_design(design, study.protocol)
    notes = list(_notes(study, design))
    if case_plans.begun(study.database, actor):
        cases = case_plans.planned_cases(study.database, actor)
        people = planned_readers(study, actor)
    else:
        cases = _cases(study, actor, design, notes)
        people = _people(study, actor, design, readers, notes)
    plans = plan_worklists(design, cases=cases, readers=people)
    standing = {person.account_id: person.existing for person in people}
    pseudonyms = case_plans.pseudonyms(study.database, actor)
    names = {case.case_id: pseudonyms.get(case.participant_id, "") for case in cases}
    previews = []
    for plan in plans:
        previews.append(_reader(plan.name, (*standing[plan.account_id], *plan.entries), names))
        notes += [f"{plan.name}: {note}" if len(plans) > 1 else note for note in plan.notes]
    return DesignPreview(tuple(previews), tuple(dict.fromkeys(notes)))


def _cases(study: Study, actor: Actor, design: ReadingDesign, notes: list[str]) -> tuple[PlannedCase, ...]:
    """Return the cases as they would be made, numbered as they would be."""
    places = case_plans.all_film_places(study.database, actor)
    if not places:
        notes.append("No radiographs are imported yet.")
    wanted = design.calibration.cases
    source = design.calibration.source
    films = case_plans.referenced_films(study.database, actor, source=source) if wanted else ()
    participant = {place.radiograph_id: place.participant_id for place in places}
    built = built_cases(design, places, films)
    found = len(built[CasePurpose.CALIBRATION])
    if found < wanted and places:
        notes.append(
            f"Only {found} of {wanted} calibration cases can be drawn: no other film has reference grades"
            + (f" from “{source}”." if source else ".")
        )
    numbered = [(purpose, case) for purpose, each in built.items() for case in each]
    return tuple(
        PlannedCase(number, participant[case[0]], purpose)
        for number, (purpose, case) in enumerate(numbered, start=1)
    )


def _people(
    study: Study, actor: Actor, design: ReadingDesign, readers: Sequence[str], notes: list[str]
) -> tuple[PlannedReader, ...]:
    if readers:
        return tuple(PlannedReader(number, name) for number, name in enumerate(readers, start=1))
    known = [
        PlannedReader(each.account_id, each.name) for each in planned_readers(study, actor) if each.takes_more
    ]
    if known:
        return tuple(known)
    number = design.readers_per_case or _EXAMPLES
    notes.append(f"The study has no readers yet; shown for {number} made-up ones.")
    return tuple(PlannedReader(each, f"Reader {each}") for each in range(1, number + 1))


def _notes(study: Study, design: ReadingDesign) -> list[str]:
    notes = []
    protocol = study.protocol
    if design.arm is not Arm.UNAIDED and study.config.bundle is None:
        notes.append(
            "The study names no bundle: readings with the AI show no pre-grade until the films are "
            "pre-graded with one."
        )
    few = design.calibration.cases < CASES_FOR_A_GATE
    if design.calibration.min_kappa is not None and few:
        notes.append(
            f"With fewer than {CASES_FOR_A_GATE} calibration cases the interval of kappa is so wide that "
            "readers who agree well may not pass the gate either."
        )
    if design.presentation is Presentation.SINGLE:
        silent = [
            feature.id
            for feature in protocol.features
            if (rule := rule_for(design, protocol, feature.id)) is not None
            and any(trigger.kind is TriggerKind.DIRECTION_OF_CHANGE for trigger in rule.triggers)
        ]
        if silent:
            notes.append(
                f"The protocol adjudicates {', '.join(silent)} on the direction of change, which needs the "
                "visits of a participant in one case: with single presentation it never calls."
            )
    return notes


def _reader(name: str, entries: Sequence[PlannedEntry], names: dict[int, str]) -> ReaderPreview:
    purposes = Counter(entry.purpose for entry in entries)
    return ReaderPreview(
        name=name,
        cases=len({entry.case_id for entry in entries if entry.purpose == Purpose.READING}),
        readings=len(entries),
        rereads=purposes[Purpose.REREAD],
        calibration=purposes[Purpose.CALIBRATION],
        controls=purposes[Purpose.CONTROL],
        aided=sum(entry.arm is not Arm.UNAIDED for entry in entries),
        blocks=len({entry.block for entry in entries if entry.block}),
        first=tuple(_row(entry, names) for entry in entries[:FIRST]),
    )


def _row(entry: PlannedEntry, names: dict[int, str]) -> PreviewRow:
    words = _PURPOSE_WORDS[Purpose(entry.purpose)]
    if entry.purpose == Purpose.READING and entry.period == 2:
        words = f"second reading, {entry.after_days:g} days later"
    if entry.mirrored:
        words += ", mirrored"
    return PreviewRow(
        entry.place, ARM_WORDS[entry.arm], words, entry.block, participant=names.get(entry.case_id, "")
    )
