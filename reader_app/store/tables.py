"""The tables of a study, as SQLAlchemy knows them; the migrations must lead to exactly these."""

from __future__ import annotations

from reader_app.store.columns import metadata
from reader_app.store.film_tables import (
    account,
    box_out,
    film_correction,
    import_file,
    joint,
    participant,
    radiograph,
    reference_grade,
)
from reader_app.store.reading_tables import (
    amendment,
    assignment,
    case_film,
    display_check,
    exclusion,
    exclusion_check,
    grade,
    measurement,
    qualification,
    reading,
    reading_box,
    signature,
    study_case,
)
from reader_app.store.result_tables import (
    design,
    journal,
    journal_head,
    pregrade,
    provenance,
    settlement,
    study_state,
)

__all__ = [
    "account",
    "amendment",
    "assignment",
    "box_out",
    "case_film",
    "design",
    "display_check",
    "exclusion",
    "exclusion_check",
    "film_correction",
    "grade",
    "import_file",
    "joint",
    "journal",
    "journal_head",
    "measurement",
    "metadata",
    "participant",
    "pregrade",
    "provenance",
    "qualification",
    "radiograph",
    "reading",
    "reading_box",
    "reference_grade",
    "settlement",
    "signature",
    "study_case",
    "study_state",
]
