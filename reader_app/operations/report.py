"""The agreement report of a study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reader_app.agreement.weights import Weights
from reader_app.errors import StudyError
from reader_app.operations.consensus import FinalGrade, LockedResults, final_grades, locked_results
from reader_app.operations.exporting import note_file
from reader_app.operations.flow import numbers_of
from reader_app.operations.people import Labels, film_label
from reader_app.operations.report_amendments import amendment_lines
from reader_app.operations.rereads import within_readers
from reader_app.operations.study import Study
from reader_app.protocols.model import Arm, Combine, Feature, Item
from reader_app.reading.adjudication import ExclusionState, Method
from reader_app.reading.design import WithinRule
from reader_app.reading.pregrade import PreGrade
from reader_app.report.build import build_report
from reader_app.report.flow import FlowNumbers, total
from reader_app.report.inputs import ConsensusRow, GradeRow, PregradeRow, ReportInput
from reader_app.report.model import (
    ExclusionLine,
    FeatureInfo,
    FlowStep,
    Level,
    Report,
    SiteInfo,
    StudyFacts,
    WithinLine,
)
from reader_app.report.write import write_report
from reader_app.settings import software_version
from reader_app.store import cases, films, pregrades
from reader_app.store.records import Actor, BundleUse, JointPlace, StudyCounts


@dataclass(frozen=True)
class ReportFiles:
    """A report and the files that it was written to."""

    report: Report
    files: tuple[Path, ...]

    @property
    def html(self) -> Path:
        """The file for people."""
        return next(path for path in self.files if path.suffix == ".html")


def make_report(study: Study, actor: Actor, folder: Path, *, names: bool = False) -> ReportFiles:
    """Compute the report and write it as HTML, CSV and JSON.

    Parameters
    ----------
    names
        Whether readers and adjudicators appear by name; else as Reader 1, Reader 2 and so on.

    Raises
    ------
    NotAllowed
        If the acting account is neither coordinator nor auditor.
    StudyError
        If the folder cannot be written.
    """
    report = report_of(study, actor, names=names)
    folder = folder.expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = ReportFiles(report, tuple(write_report(report, folder)))
        # The JSON holds all that the other files show.
        told = next(path for path in files.files if path.suffix == ".json")
        note_file(study, actor, told.name, told.read_bytes(), verb="export.report")
    except OSError as fault:
        raise StudyError(
            f"The report cannot be written to {folder}: {fault.strerror or fault}.",
            "Choose another folder, or free some space.",
        ) from fault
    return files


def report_of(study: Study, actor: Actor, *, names: bool = False) -> Report:
    """Compute the report from what is locked; raises like `make_report`."""
    return build_report(report_input(study, actor, names=names))


def report_input(study: Study, actor: Actor, *, names: bool) -> ReportInput:
    """Fetch what the report is built from."""
    found = locked_results(study, actor)
    finals = final_grades(study, found)
    counts = cases.counts(study.database, actor)
    flow = numbers_of(study, counts, found, finals)
    bundle = counts.pregraded[-1] if counts.pregraded else None
    people = Labels(found, names=names)
    return ReportInput(
        study=_facts(
            study, bundle, phantom=any(film.phantom for film in films.all_radiographs(study.database, actor))
        ),
        flow=_flow(counts, flow, found),
        features=tuple(_feature(feature) for feature in study.protocol.features),
        readers=tuple(people.readers.values()),
        grades=tuple(_grades(study, found, people)),
        consensus=tuple(_consensus(finals, people)),
        pregrades=tuple(_pregrades(study, actor, found, bundle, people)),
        exclusions=tuple(_exclusions(study, found, people)),
        amendments=tuple(
            amendment_lines(study, actor, readers=people.readers, visit=people.visit, film=film_label)
        ),
        notes=tuple(_notes(study, counts, finals)),
        flow_numbers=flow,
        within=tuple(_within(study, actor, people)),
    )


def _within(study: Study, actor: Actor, people: Labels) -> Iterator[WithinLine]:
    for found in within_readers(study, actor):
        if found.account_id in people.readers:
            yield WithinLine(
                reader=people.readers[found.account_id],
                feature=found.feature_id,
                label=found.title,
                weights=found.weights,
                n_grades=found.grades,
                n_participants=found.participants,
                percent_agreement=found.agreement,
                kappa=found.kappa,
            )


def _facts(study: Study, bundle: BundleUse | None, *, phantom: bool) -> StudyFacts:
    design = study.design
    return StudyFacts(
        title=study.config.title,
        study_id=study.config.id,
        protocol_id=study.protocol.id,
        protocol_title=study.protocol.title,
        protocol_version=study.protocol.version,
        protocol_sha256=study.protocol.sha256,
        software=software_version(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        bundle_id=bundle.bundle_id if bundle else None,
        bundle_version=bundle.bundle_version if bundle else None,
        bundle_sha256=bundle.bundle_sha256 if bundle else None,
        design_seed=design.seed,
        aided=design.arm is not Arm.UNAIDED,
        design=(
            ("Arm", design.arm.value),
            ("Presentation", design.presentation.value),
            ("Design hash", design.sha256),
        ),
        phantom=phantom,
    )


def _flow(counts: StudyCounts, flow: FlowNumbers, found: LockedResults) -> tuple[FlowStep, ...]:
    """Return the figures at the head of the report: the drawing's, in joints where nothing else is said."""
    settled = total((*flow.by_rule, *flow.adjudicated))
    return (
        FlowStep("imported", "Radiographs imported", flow.imported.radiographs),
        FlowStep("faults", "Files that could not be imported", flow.refused),
        FlowStep("participants", "Participants", flow.participants),
        FlowStep("joints", "Joints", flow.imported.joints),
        FlowStep("assigned", "Readings assigned", sum(reader.total for reader in counts.readers)),
        FlowStep("locked", "Readings locked", sum(reader.locked for reader in counts.readers)),
        FlowStep("read", "Joints read by all their readers", flow.complete.joints),
        FlowStep("excluded", "Joints excluded", total(flow.excluded).joints),
        FlowStep("checking", "Joints whose exclusion waits for a second reader", flow.checking.joints),
        FlowStep("disagreed", "Joints with a disagreement", flow.disagreed.joints),
        FlowStep("settled", "Joints settled by rule or adjudicator", settled.joints),
        FlowStep(
            "adjudicated", "Grades settled by adjudication", sum(s.code is not None for s in found.settled)
        ),
        FlowStep("final", "Joints with all final grades", flow.final.joints),
    )


def _feature(feature: Feature) -> FeatureInfo:
    return FeatureInfo(
        id=feature.id,
        title=feature.title,
        levels=tuple(Level(level.code, level.label) for level in feature.scale.levels),
        weights=Weights(feature.weights.value),
        present_from=feature.present_from,
        sites=tuple(SiteInfo(site.id, site.title) for site in feature.sites),
        worst_site=feature.combine is Combine.MAX,
    )


def _grades(study: Study, found: LockedResults, people: Labels) -> Iterator[GradeRow]:
    excluded = {(one.joint_id, one.account_id): one for one in found.exclusions}
    titles = {reason.id: reason.title for reason in study.protocol.exclusion_reasons}
    for grade in found.grades:
        if grade.account_id not in people.readers:
            continue
        left_out = excluded.get((grade.joint_id, grade.account_id))
        yield GradeRow(
            reader=people.readers[grade.account_id],
            participant=grade.participant,
            visit=people.visit(grade.participant, grade.visit),
            radiograph=film_label(grade.radiograph_id),
            side=grade.side.label,
            feature=grade.item.feature_id,
            site=grade.item.site_id,
            code=None if left_out else grade.code,
            reason=f"excluded: {titles.get(left_out.reason_id, left_out.reason_id)}" if left_out else "",
        )


def _consensus(finals: tuple[FinalGrade, ...], people: Labels) -> Iterator[ConsensusRow]:
    for final in finals:
        joint, settled = final.joint, final.settled
        yield ConsensusRow(
            participant=joint.participant,
            visit=people.visit(joint.participant, joint.visit),
            radiograph=film_label(joint.radiograph_id),
            side=joint.side.label,
            feature=final.item.feature_id,
            site=final.item.site_id,
            code=final.code,
            method=final.status,
            adjudicator=people.adjudicators[settled.adjudicator] if settled else None,
            rationale=settled.rationale if settled else "",
        )


def _pregrades(
    study: Study, actor: Actor, found: LockedResults, bundle: BundleUse | None, people: Labels
) -> Iterator[PregradeRow]:
    if bundle is None:
        return
    places = {joint.joint_id: joint for joint in found.joints}
    for pregrade in pregrades.all_pregrades(study.database, actor, bundle.bundle_sha256):
        joint = places[pregrade.key.joint_id]
        visit = people.visit(joint.participant, joint.visit)
        codes = study.protocol.item_scale(pregrade.key.item).codes
        yield _pregrade_row(pregrade, joint, visit=visit, codes=codes)


def _pregrade_row(
    pregrade: PreGrade, joint: JointPlace, *, visit: str, codes: tuple[int, ...]
) -> PregradeRow:
    item: Item = pregrade.key.item
    return PregradeRow(
        participant=joint.participant,
        visit=visit,
        radiograph=film_label(joint.radiograph_id),
        side=joint.side.label,
        feature=item.feature_id,
        site=item.site_id,
        code=pregrade.code,
        probabilities=tuple(pregrade.probabilities.get(code, 0.0) for code in codes),
    )


def _exclusions(study: Study, found: LockedResults, people: Labels) -> Iterator[ExclusionLine]:
    reasons = {reason.id: reason for reason in study.protocol.exclusion_reasons}
    checks = {(check.reading_id, check.joint_id): check for check in found.checks}
    by_joint = Counter(one.joint_id for one in found.exclusions)
    places = {joint.joint_id: joint for joint in found.joints}
    for one in found.exclusions:
        reason = reasons.get(one.reason_id)
        title = reason.title if reason is not None else one.reason_id
        state = found.states.get((one.reading_id, one.joint_id), ExclusionState.WAITING)
        readers = len(found.readers_of(places[one.joint_id]).assigned)
        said = [f"excluded by {by_joint[one.joint_id]} of {readers} readers"]
        check = checks.get((one.reading_id, one.joint_id))
        if check is not None and by_joint[one.joint_id] == 1:
            words = f" (“{check.note}”)" if check.note else ""
            said.append(f"{state.value} by a second reader{words}")
        elif reason is not None and reason.needs_confirmation:
            said.append(state.value if state is not ExclusionState.WAITING else "waits for a second reader")
        yield ExclusionLine(
            participant=one.participant,
            visit=people.visit(one.participant, one.visit),
            radiograph=film_label(one.radiograph_id),
            side=one.side.label,
            reason=f"{title}: {one.note}" if one.note else title,
            reader=people.readers[one.account_id],
            status=", ".join(said),
        )


def _notes(study: Study, counts: StudyCounts, finals: tuple[FinalGrade, ...]) -> Iterator[str]:
    if len(counts.pregraded) > 1:
        used = ", ".join(f"{use.bundle_id} {use.bundle_version}" for use in counts.pregraded)
        yield f"Several bundles pre-graded in this study ({used}); the report shows the last."
    unfinished = [reader for reader in counts.readers if reader.locked < reader.total]
    if unfinished:
        of_all = f"{len(unfinished)} of {len(counts.readers)} readers"
        yield f"{of_all} have not finished: the figures are preliminary."
    if any(final.status == Method.WITHIN_RULE for final in finals):
        which = "median" if study.design.adjudication.within is WithinRule.MEDIAN else "higher grade"
        yield (
            f"Where readers differ less than the rule asks of an adjudication, the {which} is "
            "final (“within rule”)."
        )
