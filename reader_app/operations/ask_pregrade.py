"""Asking for pre-grades of what is on the screen: a reader of the own case, the coordinator of a film."""

from __future__ import annotations

from collections.abc import Callable

from reader_app.operations.bundles import bundle_of
from reader_app.operations.pregrade import PregradeReport, WarmWorkers, pregrade
from reader_app.operations.progress import Report, never, silent
from reader_app.operations.read import OpenCase
from reader_app.operations.study import Study
from reader_app.store import asking, bundle_pregrades
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


def ask_for_film(
    study: Study,
    actor: Actor,
    radiograph_id: int,
    *,
    bundle: str | None = None,
    warm: WarmWorkers | None = None,
    device: str = "auto",
    progress: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> PregradeReport:
    """Pre-grade the joints of one film that have none yet by this bundle, before all else.

    Raises
    ------
    NotAllowed
        If the acting account is no coordinator.
    AiUnavailable, BundleError, ImageError
        As for `pregrade`.
    """
    return pregrade(
        study,
        actor,
        bundle=bundle,
        device=device,
        joints=bundle_pregrades.joints_of_film(study.database, actor, radiograph_id),
        warm=warm,
        progress=progress,
        cancelled=cancelled,
    )
