"""The consensus in a file: every reading, the final grade, and how it came about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TypedDict, Unpack

from reader_app.errors import StudyError
from reader_app.operations.consensus import FinalGrade, LockedResults, final_grades, locked_results
from reader_app.operations.exporting import write_export
from reader_app.operations.flow import drawn_flow, numbers_of
from reader_app.operations.people import Labels, film_label
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.adjudication import ExclusionState
from reader_app.reading.consensus import final_items, reader_finals
from reader_app.report.consensus_table import (
    FINAL,
    SITE,
    ConsensusExport,
    ConsensusExportRow,
    ReadGrade,
    consensus_csv,
    consensus_json,
)
from reader_app.settings import software_version
from reader_app.store import cases
from reader_app.store.records import Actor, JointPlace

_RENDERED = {".csv": consensus_csv, ".json": consensus_json}


def export_consensus(study: Study, actor: Actor, path: Path, *, names: bool = False) -> int:
    """Write the consensus as CSV or JSON, by the suffix of the file's name.

    Participants stand under their pseudonyms, visits under their rank, films under their number.

    Parameters
    ----------
    names
        Whether readers and adjudicators appear by name.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    NotAllowed
        If the acting account is neither the auditor nor, once the study is frozen, the coordinator.
    StudyError
        If the suffix is another one, or the file cannot be written.
    """
    render = _RENDERED.get(path.suffix.lower())
    if render is None:
        raise StudyError(
            f"The consensus cannot be exported as “{path.name}”.",
            "Choose a name that ends in .csv or .json.",
        )
    export = consensus_export(study, actor, names=names)
    write_export(study, actor, path, render(export), verb="export.consensus")
    return len(export.rows)


def export_results(study: Study, actor: Actor, folder: Path, *, names: bool = False) -> tuple[Path, ...]:
    """Write the consensus as CSV and JSON, and the flow of the study as a drawing, into a folder.

    Returns
    -------
    tuple of Path
        The files; raises like `export_consensus`.
    """
    found = locked_results(study, actor)
    finals = final_grades(study, found)
    export = _export(study, found, finals, names=names)
    flow = numbers_of(study, cases.counts(study.database, actor), found, finals)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StudyError(
            f"The folder {folder} cannot be made: {fault.strerror or fault}.", "Choose another folder."
        ) from fault
    table = [
        write_export(study, actor, folder / f"consensus{suffix}", render(export), verb="export.consensus")
        for suffix, render in _RENDERED.items()
    ]
    drawing = write_export(study, actor, folder / "flow.svg", drawn_flow(study, flow), verb="export.report")
    return (*table, drawing)


def consensus_export(study: Study, actor: Actor, *, names: bool = False) -> ConsensusExport:
    """Gather what the file holds; raises like `export_consensus`."""
    found = locked_results(study, actor)
    return _export(study, found, final_grades(study, found), names=names)


def _export(
    study: Study, found: LockedResults, finals: tuple[FinalGrade, ...], *, names: bool
) -> ConsensusExport:
    table = _Table(study, found, Labels(found, names=names))
    return ConsensusExport(
        about={
            "study": study.config.id,
            "title": study.config.title,
            "protocol": f"{study.protocol.id} {study.protocol.version}",
            "protocol_sha256": study.protocol.sha256,
            "design_sha256": study.design.sha256,
            "software": software_version(),
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        readers=tuple(table.people.readers.values()),
        rows=tuple(table.rows(finals)),
    )


@dataclass(frozen=True)
class _Given:
    """One reader's grades of one joint by item: what counts, and what was signed."""

    counts: Mapping[Item, int]
    signed: Mapping[Item, int]


class _Table:
    """From fetched results to rows."""

    def __init__(self, study: Study, found: LockedResults, people: Labels) -> None:
        self.study, self.found, self.people = study, found, people
        self.given = _given(study, found)
        titles = {reason.id: reason.title for reason in study.protocol.exclusion_reasons}
        self.excluded: dict[int, dict[int, tuple[str, ExclusionState]]] = defaultdict(dict)
        for one in found.exclusions:
            state = found.states.get((one.reading_id, one.joint_id), ExclusionState.WAITING)
            reason = titles.get(one.reason_id, one.reason_id)
            self.excluded[one.joint_id][one.account_id] = (reason, state)

    def rows(self, finals: tuple[FinalGrade, ...]) -> Iterator[ConsensusExportRow]:
        """Give the finals of each joint, and then the sites that they are made of."""
        for _, of_joint in groupby(finals, key=lambda final: final.joint.joint_id):
            lines = list(of_joint)
            joint = _Joint(self, lines[0].joint)
            yield from (self._final(joint, line) for line in lines)
            yield from (joint.row(item, SITE) for item in joint.sites())

    def _final(self, joint: _Joint, final: FinalGrade) -> ConsensusExportRow:
        settled, code = final.settled, final.code
        label = "" if code is None else self.study.protocol.item_scale(final.item).level(code).label
        return joint.row(
            final.item,
            FINAL,
            third=None if settled is None else settled.third_code,
            final=code,
            final_label=label,
            method="" if code is None else final.status,
            settled_by="" if settled is None else self.people.adjudicators[settled.adjudicator],
            consensus_participants=() if settled is None else self.people.sat(settled.participants),
            rationale="" if settled is None else settled.rationale,
            missing_because=final.status if code is None else "",
        )


class _Joint:
    """What the rows of one joint share."""

    def __init__(self, table: _Table, joint: JointPlace) -> None:
        self._protocol, self._side = table.study.protocol, joint.side
        self._given = table.given.get(joint.joint_id, {})
        excluded = table.excluded.get(joint.joint_id, {})
        states = {state for _, state in excluded.values()}
        self._place = (
            joint.participant,
            table.people.visit(joint.participant, joint.visit),
            film_label(joint.radiograph_id),
            joint.side.label,
        )
        self._exclusion = next((state.value for state in _GRAVEST if state in states), "")
        self._readers = [
            (table.people.readers[account], self._given.get(account, _NOTHING), _why(excluded.get(account)))
            for account in table.found.readers_of(joint).assigned
        ]

    def sites(self) -> Iterator[Item]:
        """Give what was graded and is no final grade by itself."""
        finals = final_items(self._protocol, self._side)
        graded = {item for each in self._given.values() for item in (*each.counts, *each.signed)}
        return (item for item in self._protocol.items if item in graded and item not in finals)

    def row(self, item: Item, kind: str, **outcome: Unpack[_Outcome]) -> ConsensusExportRow:
        """Return one row."""
        participant, visit, radiograph, side = self._place
        return ConsensusExportRow(
            participant=participant,
            visit=visit,
            radiograph=radiograph,
            side=side,
            kind=kind,
            feature=item.feature_id,
            site=item.site_id,
            readings={
                label: ReadGrade(given.counts.get(item), given.signed.get(item), why)
                for label, given, why in self._readers
            },
            exclusion=self._exclusion,
            **outcome,
        )


class _Outcome(TypedDict, total=False):
    """What only the rows of final grades have; as `ConsensusExportRow` means it."""

    third: int | None
    final: int | None
    final_label: str
    method: str
    settled_by: str
    consensus_participants: tuple[str, ...]
    rationale: str
    missing_because: str


_NOTHING = _Given({}, {})
_GRAVEST = (ExclusionState.CONFIRMED, ExclusionState.WAITING, ExclusionState.REJECTED)


def _why(excluded: tuple[str, ExclusionState] | None) -> str:
    return "" if excluded is None else f"{excluded[0]}: {excluded[1].value}"


def _given(study: Study, found: LockedResults) -> dict[int, dict[int, _Given]]:
    """Return of each joint what every reader gave: items as graded, and the finals made of them."""
    counts: dict[tuple[int, int], dict[Item, int]] = defaultdict(dict)
    signed: dict[tuple[int, int], dict[Item, int]] = defaultdict(dict)
    for grade in found.grades:
        key = (grade.joint_id, grade.account_id)
        if grade.code is not None:
            counts[key][grade.item] = grade.code
        original = grade.original if grade.amended else grade.code
        if original is not None:
            signed[key][grade.item] = original
    sides = {joint.joint_id: joint.side for joint in found.joints}
    given: dict[int, dict[int, _Given]] = defaultdict(dict)
    for joint_id, account in {*counts, *signed}:
        key = (joint_id, account)
        given[joint_id][account] = _Given(
            {**counts[key], **reader_finals(study.protocol, sides[joint_id], counts[key])},
            {**signed[key], **reader_finals(study.protocol, sides[joint_id], signed[key])},
        )
    return dict(given)
