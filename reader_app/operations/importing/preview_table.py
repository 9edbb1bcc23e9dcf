"""The plan of an import as a table, which is a manifest again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from reader_app.operations.importing.film_plan import FilmPlan, plan_of
from reader_app.operations.importing.manifest import SHOWN_COLUMNS
from reader_app.operations.study import Study
from reader_app.operations.table import write_table
from reader_app.reading.case import JointSide
from reader_app.store import import_files
from reader_app.store.import_records import FileState, KnownFile
from reader_app.store.records import Actor

_PAGE = 500
_COLUMNS = (
    "image", "pseudonym", "participant", "visit", "side", "view", "leave_out", "spacing", "sex", "age",
    "weight",
)  # fmt: skip

Column = tuple[str, str]
"""Item and side of a column with reference grades; no side where it is the row's."""


def write_preview_table(study: Study, actor: Actor, path: Path) -> int:
    """Write the table; see `plan_import.write_preview`."""
    used = {column for _, plan in _waiting(study, actor) for column in _references(plan)}
    references = sorted(used)
    titles = [f"{item.replace(':', '_')}{f'_{side}' if side else ''}" for item, side in references]
    rows = (
        (*_cells(file, plan), *(_references(plan).get(column, "") for column in references))
        for file, plan in _waiting(study, actor)
    )
    return write_table(path, (*_COLUMNS, *SHOWN_COLUMNS, *titles), rows)


def _waiting(study: Study, actor: Actor) -> Iterator[tuple[KnownFile, FilmPlan]]:
    offset = 0
    while files := import_files.waiting_files(study.database, actor, offset=offset, limit=_PAGE):
        offset += len(files)
        for file in files:
            yield file, plan_of(file.plan, file.path)


def _cells(file: KnownFile, plan: FilmPlan) -> Sequence[str]:
    return (
        file.path,
        plan.participant,
        "",
        plan.visit,
        plan.side,
        plan.view,
        "yes" if file.state is FileState.LEFT_OUT else "no",
        _number(plan.spacing_mm),
        plan.sex,
        _number(plan.age),
        _number(plan.weight_kg),
        plan.body_part,
        str(plan.rows),
        str(plan.columns),
        ", ".join(plan.missing),
        " ".join(plan.notes),
    )


def _references(plan: FilmPlan) -> dict[Column, str]:
    return {
        (item, "" if side == JointSide.UNSTATED.value else side): str(code)
        for side, item, code in plan.references
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
