"""What the panel shows of an open case: grades, what the AI says, and why it says no more."""

from __future__ import annotations

from collections.abc import Mapping

from reader_app.operations.read import OpenCase
from reader_app.reading.case import CaseFilm, GradeKey
from reader_app.ui.actions import key_text, spec
from reader_app.ui.grades.panel import PanelContent
from reader_app.ui.reading.reveal_strip import changed_since_first


def panel_content(
    case: OpenCase,
    film: CaseFilm,
    current: GradeKey | None,
    *,
    pregrade_on: bool,
    silent: Mapping[GradeKey, str],
    above: str,
) -> PanelContent:
    """Return what the panel shows.

    Parameters
    ----------
    pregrade_on
        Whether the reader wants to see the AI.
    silent
        Why there is no pre-grade, by what it would grade.
    above
        What stands before what is said of the AI.
    """
    hidden = bool(case.pregrades) and not pregrade_on
    note = case.pregrade_note
    if hidden:
        note = f"The pre-grade is hidden; {key_text(spec('pregrade-show'))} shows it."
    elif current is not None and any(GradeKey(joint.id, current.item) in silent for joint in film.joints):
        note = ""  # what is said joint by joint is not said once more for the case
    return PanelContent(
        case.session,
        film,
        current,
        case.pregrades if pregrade_on else {},
        f"{above}\n{note}".strip(),
        changed_since_first(case) if case.reading.first is not None else None,
        {} if hidden else silent,
    )
