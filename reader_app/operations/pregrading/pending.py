"""What is to be pre-graded, read from the store page by page: the memory stays flat for any study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from reader_app.ai.film_image import ONE_JOINT
from reader_app.errors import ImageError
from reader_app.imaging.geometry import Laterality
from reader_app.operations.pregrading.film_task import FilmTask, JointTask
from reader_app.operations.study import Study
from reader_app.reading.case import JointSide
from reader_app.store import pregrades as stored
from reader_app.store.records import Actor, PendingJoint

PAGE = 512
"""Joints asked for at once."""


def pending_films(
    study: Study,
    actor: Actor,
    bundle_sha256: str,
    *,
    joints: Sequence[int] | None = None,
    reading_id: int | None = None,
) -> Iterator[FilmTask]:
    """Yield the films that have joints without a pre-grade by this bundle, in the order of import.

    What is stored meanwhile, by this run or another, is not offered any more; what failed is not offered
    twice.
    """
    after = 0
    while True:
        page = stored.pending_joints(
            study.database, actor, bundle_sha256, PAGE, after=after, joints=joints, reading_id=reading_id
        )
        full = len(page) == PAGE
        last = page[-1].radiograph_id if page else 0
        if full and page[0].radiograph_id != last:  # the last film may go on on the next page
            page = tuple(joint for joint in page if joint.radiograph_id != last)
        for _, of_film in groupby(page, key=lambda joint: joint.radiograph_id):
            yield _task(study, tuple(of_film))
        if not full:
            return
        after = page[-1].radiograph_id


def _task(study: Study, joints: tuple[PendingJoint, ...]) -> FilmTask:
    first = joints[0]
    return FilmTask(
        radiograph_id=first.radiograph_id,
        path=study.image_path(first.source.path).absolute(),
        source=first.source,
        pixel_sha256=first.pixel_sha256,
        laterality=_laterality(first),
        joint=study.protocol.joint.value,
        joints=tuple(JointTask(each.joint_id, each.side.value, each.box) for each in joints),
        view=first.view,
    )


def _laterality(joint: PendingJoint) -> str:
    """Return what the study knows of a film's joints, also where the film itself states no side."""
    if joint.laterality != Laterality.UNKNOWN.value:
        return joint.laterality
    return ONE_JOINT if joint.side is JointSide.UNSTATED else Laterality.BILATERAL.value


def check_reachable(tasks: Iterator[FilmTask]) -> None:
    """Say once that the films' folder is gone, rather than once for every joint.

    Raises
    ------
    ImageError
        If not one of the films is there.
    """
    films, folder = 0, None
    for task in tasks:
        if task.path.exists():
            return
        films += 1
        folder = min(folder or task.path.parent, task.path.parent)
    if films:
        raise ImageError(
            f"None of the {films} films to be pre-graded can be reached, such as those in {folder}.",
            "Connect its disk, or import the folder from its new place; nothing is lost.",
        )
