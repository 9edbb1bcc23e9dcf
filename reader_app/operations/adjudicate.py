"""Adjudication: what the readers disagree on, and how it is settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reader_app.errors import BundleError
from reader_app.imaging.pyramid import Pyramid
from reader_app.operations.bundles import bundle_of
from reader_app.operations.consensus_session import ConsensusSession
from reader_app.operations.film import load_pyramid
from reader_app.operations.heatmaps import read_heatmap
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.adjudication import Outcome, Verdict
from reader_app.reading.case import Case, GradeKey
from reader_app.reading.pregrade import Heatmap, PreGrade
from reader_app.store import adjudication_sights, adjudications
from reader_app.store.adjudication_records import Disagreement as Disagreement
from reader_app.store.adjudication_records import ReaderMarks, Rules
from reader_app.store.records import Actor


@dataclass(frozen=True)
class CaseInQueue:
    """A case as the adjudicator opens it.

    Attributes
    ----------
    pregrades
        By what they grade; empty where the design keeps the AI from adjudicators.
    pregrade_note
        Why there is no pre-grade, in words; empty where there are some.
    """

    case: Case
    pregrades: Mapping[GradeKey, PreGrade]
    pregrade_note: str


def rules_of(study: Study) -> Rules:
    """Return by what the study judges."""
    return Rules(study.protocol, study.design)


def queue(study: Study, actor: Actor) -> tuple[Disagreement, ...]:
    """Return the disagreements, settled ones included.

    The gravest first; where the design wants the third grade first, in the order of the cases and without
    what the readers gave.

    Raises
    ------
    NotAllowed
        If the acting account is no adjudicator.
    """
    return adjudications.queue(study.database, actor, rules_of(study))


def case(study: Study, actor: Actor, case_id: int) -> Case:
    """Return films and joints of a case in the queue."""
    return adjudication_sights.case(study.database, actor, rules_of(study), case_id)


def open_case(study: Study, actor: Actor, case_id: int) -> CaseInQueue:
    """Return a case in the queue with what the design shows of the AI."""
    found = case(study, actor, case_id)
    if not study.design.adjudication.pregrade_shown:
        return CaseInQueue(found, {}, "The design keeps the AI's grades from the adjudicator.")
    try:
        bundle = bundle_of(study)
    except BundleError as fault:
        return CaseInQueue(found, {}, f"No pre-grade: {fault.what}")
    said = adjudication_sights.pregrades(
        study.database, actor, rules_of(study), case_id, bundle_sha256=bundle.sha256
    )
    note = "" if said else "No pre-grade for this case: the coordinator can make it."
    return CaseInQueue(found, {each.key: each for each in said}, note)


def pregrade_for(study: Study, opened: CaseInQueue, joint_id: int, item: Item) -> PreGrade | None:
    """Return what the AI said of an item; of the worst site where the sites make one final grade."""
    if (found := opened.pregrades.get(GradeKey(joint_id, item))) is not None:
        return found
    keys = [GradeKey(joint_id, each) for each in study.protocol.feature(item.feature_id).items]
    of_sites = [opened.pregrades[key] for key in keys if key in opened.pregrades]
    return max(of_sites, key=lambda each: each.code) if len(of_sites) == len(keys) else None


def heatmap(study: Study, actor: Actor, pregrade: PreGrade) -> Heatmap | None:
    """Return where the networks looked for a pre-grade of a case in the queue; None where there is no map."""
    relative = adjudication_sights.heatmap_file(
        study.database,
        actor,
        rules_of(study),
        pregrade.key.joint_id,
        bundle_sha256=pregrade.provenance.bundle_sha256,
    )
    return read_heatmap(study.folder, relative, pregrade.key.item) if relative else None


def marks(study: Study, actor: Actor, case_id: int) -> tuple[ReaderMarks, ...]:
    """Return what the readers of a case drew, by letter.

    Raises
    ------
    NotAllowed
        Where the design wants the third grades of the case first.
    """
    return adjudication_sights.marks(study.database, actor, rules_of(study), case_id)


def pyramid(study: Study, actor: Actor, radiograph_id: int) -> Pyramid:
    """Return a film of a case in the queue, ready for the screen; may be called from any thread.

    Raises
    ------
    ImageError
        If it vanished, cannot be read or has changed since the import.
    """
    return load_pyramid(study, adjudication_sights.film_source(study.database, actor, radiograph_id))


def settle_disagreement(
    study: Study,
    actor: Actor,
    disagreement: Disagreement,
    *,
    code: int,
    rationale: str = "",
    session: ConsensusSession | None = None,
) -> Verdict:
    """Give the third grade, or the grade of the consensus session where one is called for.

    Returns
    -------
    Verdict
        Final, or "needs consensus session" where the rule wants the third grade to match.

    Raises
    ------
    GradeError
        If the grade is not on the scale, or a consensus is given without a rationale.
    NotAllowed
        If a consensus is given without all readers of the case in the session.
    """
    after = settle_item(study, actor, disagreement, code=code, rationale=rationale, session=session)
    settled = after.settled
    if settled is None or settled.code is None:
        return Verdict(Outcome.NEEDS_CONSENSUS, gravity=after.gravity)
    return Verdict(Outcome.FINAL, settled.code, settled.method, after.gravity)


def settle_item(
    study: Study,
    actor: Actor,
    disagreement: Disagreement,
    *,
    code: int,
    rationale: str = "",
    session: ConsensusSession | None = None,
) -> Disagreement:
    """Do the same and return the disagreement as it stands afterwards, with what the readers gave."""
    return adjudications.settle_item(
        study.database,
        actor,
        rules_of(study),
        disagreement.at,
        code=code,
        rationale=rationale,
        seats=session.seats if session is not None else (),
    )
