"""What an engine says of a film goes into the store: once for each joint and bundle, its heatmaps with it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from reader_app.ai.bundle import Bundle
from reader_app.ai.pipeline import JointPreGrade
from reader_app.errors import PreGradeError, StudyError
from reader_app.operations.heatmaps import heatmap_file, heatmaps_aside
from reader_app.operations.pregrading.film_task import FilmOutcome, JointOutcome
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.case import GradeKey
from reader_app.reading.pregrade import Heatmap, PreGrade, Provenance
from reader_app.store import pregrades as stored
from reader_app.store.records import Actor


@dataclass(frozen=True)
class JointFault:
    """A joint that could not be pre-graded."""

    joint_id: int
    reason: str


class Keeper:
    """Stores outcomes as they come.

    Parameters
    ----------
    reading_id
        Of the reader who asked; None where the coordinator did.

    Attributes
    ----------
    done
        Joints stored by this run.
    elsewhere
        Joints that another run had stored first.
    faults
        Joints without a pre-grade, and why.
    """

    def __init__(self, study: Study, actor: Actor, bundle: Bundle, *, reading_id: int | None = None) -> None:
        self._study, self._actor, self._bundle, self._reading_id = study, actor, bundle, reading_id
        self.done = 0
        self.elsewhere = 0
        self.faults: list[JointFault] = []

    @property
    def seen(self) -> int:
        """How many joints something came of."""
        return self.done + self.elsewhere + len(self.faults)

    def keep(self, outcome: FilmOutcome) -> None:
        """Store what came of a film.

        Raises
        ------
        StudyError
            A heatmap cannot be written, or the database cannot; what was stored stays.
        """
        for joint in outcome.joints:
            if joint.result is None:
                self._fail(joint, joint.reason)
                continue
            try:
                fresh = self._store(outcome, joint, joint.result)
            except PreGradeError as fault:
                self._fail(joint, str(fault))
                continue
            self.done += bool(fresh)
            self.elsewhere += not fresh

    def _fail(self, joint: JointOutcome, reason: str) -> None:
        self.faults.append(JointFault(joint.placed.task.joint_id, reason))

    def _store(self, outcome: FilmOutcome, joint: JointOutcome, result: JointPreGrade) -> int:
        """Write the heatmaps aside, and put them in their place as the pre-grades are stored."""
        maps = self._maps(result)
        relative = None
        if maps:
            joint_id = joint.placed.task.joint_id
            relative = heatmap_file(joint_id, self._bundle.sha256, outcome.task.pixel_sha256)
        try:
            with ExitStack() as stack:
                put = None
                if relative is not None:
                    put = stack.enter_context(heatmaps_aside(self._study.folder, relative, maps))
                return stored.save_pregrades(
                    self._study.database,
                    self._actor,
                    self._pregrades(joint, result),
                    heatmap_file=relative,
                    located_box=joint.placed.box,
                    publish=put or _nothing,
                    reading_id=self._reading_id,
                )
        except OSError as fault:
            raise StudyError(
                f"The heatmap {relative} cannot be written: {fault.strerror or fault}.",
                "Free some space and start again; what is done stays done.",
            ) from fault

    def _maps(self, result: JointPreGrade) -> dict[Item, Heatmap]:
        signed = self._bundle.spec.explainer.signed
        return {
            item: Heatmap(prediction.heatmap.astype(np.float32), result.crop_to_film, signed=signed)
            for item, prediction in result.predictions.items()
            if prediction.heatmap is not None
        }

    def _pregrades(self, joint: JointOutcome, result: JointPreGrade) -> list[PreGrade]:
        provenance = Provenance(
            bundle_id=result.bundle_id,
            bundle_version=result.bundle_version,
            bundle_sha256=result.bundle_sha256,
            protocol_sha256=self._study.protocol.sha256,
            software=result.software,
            pixel_sha256=result.pixel_sha256,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            details={**result.details, **joint.placed.details},
        )
        return [
            PreGrade(
                key=GradeKey(joint.placed.task.joint_id, item),
                probabilities=prediction.probabilities,
                code=prediction.code,
                out_of_distribution=result.out_of_distribution,
                unlike_training=result.unlike_training,
                box=result.box,
                provenance=provenance,
                spread=prediction.spread,
                remark=joint.placed.remark,
            )
            for item, prediction in result.predictions.items()
        ]


def _nothing() -> None:
    """Put nothing anywhere: the bundle made no heatmap."""
