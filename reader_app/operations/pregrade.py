"""Let the networks grade every joint of a study that they have not graded yet."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

from reader_app.ai.bundle import Bundle
from reader_app.ai.worker import Priority
from reader_app.operations.bundles import bundle_of
from reader_app.operations.heatmaps import sweep_heatmaps
from reader_app.operations.pregrading.engine import Engine, EngineChoices
from reader_app.operations.pregrading.keeping import JointFault, Keeper
from reader_app.operations.pregrading.local_engine import LocalEngine
from reader_app.operations.pregrading.pending import check_reachable, pending_films
from reader_app.operations.pregrading.warm import WarmWorkers
from reader_app.operations.progress import Progress, Report, never, silent
from reader_app.operations.study import Study
from reader_app.store import pregrades as stored
from reader_app.store.records import Actor

__all__ = ["EngineKind", "JointFault", "PregradeReport", "WarmWorkers", "pregrade"]

_FEW = 8
"""So many chosen joints are read in this process: another one would take longer to start."""

_RATE_OVER = 64
"""Films whose mean the throughput is."""


class EngineKind(StrEnum):
    """Where the networks run."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True)
class PregradeReport:
    """What a run did.

    Attributes
    ----------
    done
        Joints that it pre-graded.
    pending
        Joints that are still without a pre-grade and of which nothing is known to be wrong.
    faults
        Joints that could not be pre-graded; a later run tries them again.
    seconds
        How long it took, the loading of the networks included.
    notes
        Sentences on what went otherwise than asked for.
    """

    bundle_id: str
    bundle_version: str
    done: int
    pending: int
    faults: tuple[JointFault, ...]
    cancelled: bool
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def joints_per_second(self) -> float:
        """The throughput, 0 where nothing was done."""
        return self.done / self.seconds if self.seconds else 0.0


def pregrade(
    study: Study,
    actor: Actor,
    *,
    bundle: str | None = None,
    device: str = "auto",
    workers: int = 1,
    light: bool | None = None,
    deterministic: bool = False,
    backend: str = "auto",
    engine: EngineKind | str = EngineKind.LOCAL,
    address: str | None = None,
    joints: Sequence[int] | None = None,
    reading_id: int | None = None,
    warm: WarmWorkers | None = None,
    progress: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> PregradeReport:
    """Pre-grade what is not pre-graded yet by this very bundle; may be stopped and started again.

    Parameters
    ----------
    workers
        How many processes hold the networks; they share the cores.
    light
        Find joints by the bundle's quicker localizer; None where no graphics card is used.
    deterministic, backend
        How the networks compute; see `reader_app.ai.worker.Worker`.
    engine, address
        On this machine, or on a Ray cluster at an address; None takes the one in the environment, else
        starts one here.
    joints
        Only these, before all else that the same workers are asked; None takes all.
    reading_id
        Of a reader who asks for the own case, see `ask_pregrade`; None where the coordinator does.
    warm
        Workers that stay after this; None starts some and ends them.

    Raises
    ------
    BundleError
        If there is no bundle for this study, or it was altered.
    ImageError
        If not one of the films can be reached.
    AiUnavailable
        If the networks cannot be loaded.
    MissingPart
        If the engine is not installed.
    NotAllowed
        If the acting account is no coordinator, and no reader whose reading shows the AI.
    """
    chosen = bundle_of(study, bundle)
    only = _Only(joints=joints, reading_id=reading_id)
    total = stored.pending_count(study.database, actor, chosen.sha256, **only)
    if not total:
        return PregradeReport(chosen.id, chosen.version, 0, 0, (), cancelled=False)
    check_reachable(pending_films(study, actor, chosen.sha256, **only))
    sweep_heatmaps(study.folder)
    choices = EngineChoices(
        device=device,
        workers=workers,
        light=light,
        deterministic=deterministic,
        backend=backend,
        priority=Priority.BATCH if joints is None else Priority.ON_SCREEN,
    )
    begun = time.monotonic()
    keeper = Keeper(study, actor, chosen, reading_id=reading_id)
    tasks = pending_films(study, actor, chosen.sha256, **only)
    with _engine(EngineKind(engine), chosen, choices, address=address, warm=warm, joints=joints) as running:
        pace = _Pace(total, progress, running)
        stopped = False
        outcomes = running.outcomes(tasks)
        for outcome in outcomes:
            keeper.keep(outcome)
            pace.tell(keeper.seen)
            if cancelled():
                stopped = True
                break
        outcomes.close()
        notes = running.notes()
    left = stored.pending_count(study.database, actor, chosen.sha256, **only) - len(keeper.faults)
    return PregradeReport(
        chosen.id,
        chosen.version,
        keeper.done,
        max(left, 0),
        tuple(keeper.faults),
        cancelled=stopped,
        seconds=time.monotonic() - begun,
        notes=notes,
    )


class _Only(TypedDict):
    """Of which joints, and for whom, as the store is asked."""

    joints: Sequence[int] | None
    reading_id: int | None


def _engine(
    kind: EngineKind,
    bundle: Bundle,
    choices: EngineChoices,
    *,
    address: str | None,
    warm: WarmWorkers | None,
    joints: Sequence[int] | None,
) -> Engine:
    if kind is EngineKind.RAY:
        from reader_app.operations.pregrading.ray_engine import RayEngine

        return RayEngine(bundle, choices, address=address)
    return LocalEngine(bundle, choices, warm=warm, direct=joints is not None and len(joints) <= _FEW)


class _Pace:
    """Tells how far the work is, how fast it goes, and how long it will take."""

    def __init__(self, total: int, progress: Report, engine: Engine) -> None:
        self._total, self._progress, self._engine = total, progress, engine
        self._times: deque[tuple[float, int]] = deque(maxlen=_RATE_OVER)

    def tell(self, seen: int) -> None:
        """Tell, by how many joints were seen since the first film: loading the networks is no pace."""
        now = time.monotonic()
        self._times.append((now, seen))
        since, before = self._times[0]
        rate = (seen - before) / (now - since) if now > since else 0.0
        parts = [pace_words(rate, self._total - seen), *self._engine.notes()]
        self._progress(Progress(min(seen, self._total), self._total, pace="  ·  ".join(parts)))


def pace_words(joints_per_second: float, left: int) -> str:
    """Return a throughput and what it means for what is left, in words."""
    digits = 1 if joints_per_second >= 1 else 2
    rate = f"{joints_per_second:.{digits}f} joints per second" if joints_per_second else "starting"
    if left <= 0 or not joints_per_second:
        return rate
    seconds = left / joints_per_second
    if seconds < 90:
        return f"{rate}, {seconds:.0f} s left"
    if seconds < 5400:
        return f"{rate}, {seconds / 60:.0f} min left"
    return f"{rate}, {seconds / 3600:.1f} h left"
