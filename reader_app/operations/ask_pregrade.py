"""A reader asks for the pre-grade of the case on the screen; whether that may be shown, the store says."""

from __future__ import annotations

from collections.abc import Callable

from reader_app.operations.bundles import bundle_of
from reader_app.operations.pregrade import PregradeReport, WarmWorkers, pregrade
from reader_app.operations.progress import Report, never, silent
from reader_app.operations.read import OpenCase
from reader_app.operations.study import Study
from reader_app.store import asking
from reader_app.store.records import Actor


def ask_for_case(
    study: Study,
    actor: Actor,
    open_case: OpenCase,
    *,
    warm: WarmWorkers | None = None,
    device: str = "auto",
    progress: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> PregradeReport:
    """Pre-grade the joints of the reader's own case that have none yet, before all else.

    The bundle is the one of the study and the joints are those of the case: a reader chooses neither. The
    journal tells who asked.

    Raises
    ------
    AiUnavailable
        If the networks cannot be loaded.
    BundleError
        If there is no bundle for this study, or it was altered.
    ImageError
        If no film of the case can be reached.
    NotAllowed
        If the reading is not the actor's own, or shows nothing of the AI.
    """
    reading_id = open_case.reading.reading_id
    joints = asking.ask_for_pregrade(study.database, actor, reading_id, bundle_sha256=bundle_of(study).sha256)
    return pregrade(
        study,
        actor,
        device=device,
        joints=joints,
        reading_id=reading_id,
        warm=warm,
        progress=progress,
        cancelled=cancelled,
    )
