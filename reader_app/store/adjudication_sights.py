"""What an adjudicator sees beside the grades: films, marks under letters, the AI where allowed."""

from __future__ import annotations

from sqlalchemy import Connection, exists, select

from reader_app.errors import NotAllowed
from reader_app.protocols.model import Arm
from reader_app.reading.case import Case
from reader_app.reading.pregrade import PreGrade
from reader_app.store.access import require
from reader_app.store.adjudication_records import ReaderMarks, Rules
from reader_app.store.adjudications import require_through
from reader_app.store.boxes import box_of
from reader_app.store.content import load_case
from reader_app.store.counting import readings_of_cases_through
from reader_app.store.database import Database
from reader_app.store.film_sources import film_sources
from reader_app.store.judging import disagreements, letters_of_case, rules_now
from reader_app.store.measurements import kept_measurements
from reader_app.store.pregrades import pregrades_of_case
from reader_app.store.records import Actor, FilmSource, Role
from reader_app.store.tables import assignment, case_film, joint, pregrade, reading_box


def case(database: Database, actor: Actor, rules: Rules, case_id: int) -> Case:
    """Return a case that is ready for adjudication, as its readers saw it.

    The boxes that the AI found are there where all readers had them, or the adjudicator may see the AI.

    Raises
    ------
    NotAllowed
        If it is not ready.
    """
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        rules = rules_now(connection, rules)
        require_through(connection, case_id)
        unaided = exists().where(assignment.c.case_id == case_id, assignment.c.arm == Arm.UNAIDED.value)
        boxes = rules.design.adjudication.pregrade_shown
        boxes = boxes or not connection.execute(select(unaided)).scalar_one()
        return load_case(connection, case_id, boxes=boxes)


def film_source(database: Database, actor: Actor, radiograph_id: int) -> FilmSource:
    """Return where the file of a film of a ready case lies; for loading, never for showing.

    Raises
    ------
    NotAllowed
        If no ready case shows the film.
    """
    query = select(case_film.c.case_id).where(case_film.c.radiograph_id == radiograph_id)
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotAllowed("This film is on no case of your queue.", "Open a case of your queue.")
        require_through(connection, row.case_id)
        return film_sources(connection, [radiograph_id])[radiograph_id]


def marks(database: Database, actor: Actor, rules: Rules, case_id: int) -> tuple[ReaderMarks, ...]:
    """Return the boxes and kept lengths of the readers of a ready case, by letter.

    Raises
    ------
    NotAllowed
        If the case is not ready, or the design wants the third grade first and some are missing.
    """
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        rules = rules_now(connection, rules)
        require_through(connection, case_id)
        _require_graded(connection, actor, rules, case_id)
        letters = letters_of_case(connection, case_id, rules)
        in_force = readings_of_cases_through(one=True)
        found: list[ReaderMarks] = []
        for row in connection.execute(select(in_force), {"case_id": case_id}).all():
            boxes = connection.execute(select(reading_box).where(reading_box.c.reading_id == row.reading_id))
            drawn = {each.joint_id: box_of(each) for each in boxes}
            found.append(
                ReaderMarks(
                    letters[row.account_id],
                    {joint_id: box for joint_id, box in drawn.items() if box is not None},
                    tuple(kept_measurements(connection, row.reading_id).values()),
                )
            )
    return tuple(sorted(found, key=lambda one: one.letter))


def pregrades(
    database: Database, actor: Actor, rules: Rules, case_id: int, bundle_sha256: str
) -> tuple[PreGrade, ...]:
    """Return what the AI said of a ready case.

    Raises
    ------
    NotAllowed
        If the case is not ready, or the design keeps the AI from adjudicators.
    """
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        _require_pregrade_shown(rules_now(connection, rules))
        require_through(connection, case_id)
        return pregrades_of_case(connection, case_id, bundle_sha256)


def heatmap_file(
    database: Database, actor: Actor, rules: Rules, joint_id: int, bundle_sha256: str
) -> str | None:
    """Return where the heatmaps of a joint of a ready case lie, within the study folder; None if nowhere.

    Raises
    ------
    NotAllowed
        As for `pregrades`.
    """
    of_joint = (
        select(case_film.c.case_id)
        .join_from(joint, case_film, case_film.c.radiograph_id == joint.c.radiograph_id)
        .where(joint.c.id == joint_id)
    )
    file = select(pregrade.c.heatmap_file).where(
        pregrade.c.joint_id == joint_id,
        pregrade.c.bundle_sha256 == bundle_sha256,
        pregrade.c.heatmap_file.is_not(None),
    )
    with database.reading() as connection:
        require(connection, actor, Role.ADJUDICATOR)
        _require_pregrade_shown(rules_now(connection, rules))
        case_id = connection.execute(of_joint).scalar_one_or_none()
        if case_id is None:
            raise NotAllowed("This joint is on no case of your queue.", "Open a case of your queue.")
        require_through(connection, case_id)
        found = connection.execute(file.limit(1)).scalar_one_or_none()
    return None if found is None else str(found)


def _require_pregrade_shown(rules: Rules) -> None:
    if not rules.design.adjudication.pregrade_shown:
        raise NotAllowed(
            "The design of this study keeps the AI's grades from adjudicators.",
            "Settle by the films; a coordinator can change the design.",
        )


def _require_graded(connection: Connection, actor: Actor, rules: Rules, case_id: int) -> None:
    if not rules.design.adjudication.third_blind:
        return
    if any(one.settled is None for one in disagreements(connection, actor, rules, case_id=case_id)):
        raise NotAllowed(
            "What the readers marked is shown once you have graded this case.",
            "Grade every item of the case first.",
        )
