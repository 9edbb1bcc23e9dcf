"""The tables of a study, as SQLAlchemy knows them; the migrations must lead to exactly these.

Times are UTC, ISO 8601 text with microseconds. JSON is text in canonical form, so that both engines
store the same bytes. Grades are codes of the protocol's scales, items their keys (``feature:site``).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _to(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, ForeignKey(f"{target}.id"), nullable=nullable)


def _box(*, nullable: bool) -> list[Column[float]]:
    return [Column(f"box_{part}", Float, nullable=nullable) for part in ("x", "y", "width", "height")]


account = Table(
    "account",
    metadata,
    _id(),
    _text("name"),
    # The name without capitals: nobody may call themselves almost like another.
    _text("name_key"),
    _text("role"),
    _text("password_hash"),
    Column("active", Boolean, nullable=False),
    Column("wrong_in_a_row", Integer, nullable=False),
    _text("locked_until", nullable=True),
    _text("created_at"),
    UniqueConstraint("name_key"),
)

participant = Table(
    "participant",
    metadata,
    _id(),
    _text("pseudonym"),
    UniqueConstraint("pseudonym"),
)

radiograph = Table(
    "radiograph",
    metadata,
    _id(),
    _to("participant_id", "participant"),
    _text("path"),
    _text("file_sha256"),
    _text("pixel_sha256"),
    _text("visit"),
    Column("visit_order", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    _text("laterality"),
    _text("view"),
    _text("format"),
    Column("spacing_row_mm", Float, nullable=True),
    Column("spacing_column_mm", Float, nullable=True),
    _text("spacing_kind"),
    _text("spacing_reason"),
    Column("phantom", Boolean, nullable=False),
    _text("sex", nullable=True),
    Column("age", Float, nullable=True),
    Column("weight_kg", Float, nullable=True),
    _text("study_date", nullable=True),
    _text("notes_json"),
    _text("added_at"),
    # Of the file as it came to the door; a de-identified copy has another hash.
    _text("source_sha256"),
    _text("body_part"),
    # Burned In Annotation (0028,0301); None where the file does not say.
    Column("burned_in", Boolean, nullable=True),
    UniqueConstraint("file_sha256"),
    UniqueConstraint("source_sha256"),
    Index(None, "participant_id", "visit_order", "id"),
    Index(None, "pixel_sha256"),
)

joint = Table(
    "joint",
    metadata,
    _id(),
    _to("radiograph_id", "radiograph"),
    _text("side"),
    *_box(nullable=True),
    UniqueConstraint("radiograph_id", "side"),
)

reference_grade = Table(
    "reference_grade",
    metadata,
    _id(),
    _to("joint_id", "joint"),
    _text("item"),
    Column("code", Integer, nullable=False),
    _text("source"),
    UniqueConstraint("joint_id", "item", "source"),
)

# What an import knows of a file on disk: planned from its header, and what became of it. A file whose path,
# size and time are here need not be opened again.
import_file = Table(
    "import_file",
    metadata,
    _id(),
    _text("path"),
    Column("size", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    _text("state"),
    # Why it was refused or left out; empty otherwise.
    _text("reason"),
    # The radiograph that it became, or whose duplicate it is.
    _to("radiograph_id", "radiograph", nullable=True),
    # In canonical JSON: what the header said and the coordinator corrected, while the film waits; afterwards
    # what a later import needs (the keyed hash of a dropped day; what a refused file was tried with).
    _text("plan_json", nullable=True),
    _text("at"),
    CheckConstraint("state IN ('planned', 'left out', 'imported', 'duplicate', 'refused')", name="state"),
    UniqueConstraint("path"),
    Index(None, "state", "id"),
)

# What a coordinator corrected on a film as a whole; the journal says who and when.
film_correction = Table(
    "film_correction",
    metadata,
    Column("radiograph_id", Integer, ForeignKey("radiograph.id"), primary_key=True),
    # Calibration by a marker of known size; None while there is none.
    Column("row_mm", Float, nullable=True),
    Column("column_mm", Float, nullable=True),
    Column("marker_mm", Float, nullable=True),
    Column("marker_px", Float, nullable=True),
    # The polarity that replaces the file's; None where the file's holds.
    Column("inverse_polarity", Boolean, nullable=True),
    # Whether a human has looked for burned-in text.
    Column("text_checked", Boolean, nullable=False),
    # Where the study's copy from before a box-out lies, until it is removed.
    _text("superseded_path", nullable=True),
)

# Parts of a film that nobody may see, e.g. burned-in names.
box_out = Table(
    "box_out",
    metadata,
    _id(),
    _to("radiograph_id", "radiograph"),
    *_box(nullable=False),
    Index(None, "radiograph_id"),
)

study_case = Table(
    "study_case",
    metadata,
    _id(),
    _text("presentation"),
    _text("created_at"),
)

case_film = Table(
    "case_film",
    metadata,
    Column("case_id", Integer, ForeignKey("study_case.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    _to("radiograph_id", "radiograph"),
    UniqueConstraint("radiograph_id"),
)

assignment = Table(
    "assignment",
    metadata,
    _id(),
    _to("account_id", "account"),
    _to("case_id", "study_case"),
    # 1 for the first time that this reader reads the case; hidden re-reads count on.
    Column("pass_number", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    _text("arm"),
    # State and number of grades follow from the readings; kept here, a worklist is one scan of one index.
    _text("state"),
    Column("graded", Integer, nullable=False),
    CheckConstraint("state IN ('waiting', 'open', 'locked')", name="state"),
    UniqueConstraint("account_id", "case_id", "pass_number"),
    UniqueConstraint("account_id", "place"),
    Index("ix_assignment_worklist", "account_id", "place", "id", "state", "graded"),
    Index("ix_assignment_case", "case_id", "state"),
)

reading = Table(
    "reading",
    metadata,
    _id(),
    _to("assignment_id", "assignment"),
    _text("arm"),
    _text("protocol_sha256"),
    _text("design_sha256"),
    _text("software"),
    _text("opened_at"),
    _text("locked_at", nullable=True),
    _text("locked_software", nullable=True),
    # Of all that the reading held when it was signed.
    _text("content_sha256", nullable=True),
    Column("active_seconds", Float, nullable=False),
    UniqueConstraint("assignment_id", "arm"),
)

grade = Table(
    "grade",
    metadata,
    Column("reading_id", Integer, ForeignKey("reading.id"), primary_key=True),
    Column("joint_id", Integer, ForeignKey("joint.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    Column("code", Integer, nullable=False),
    Column("pregrade_in_sight", Boolean, nullable=False),
    _text("at"),
    sqlite_with_rowid=False,
)

reading_box = Table(
    "reading_box",
    metadata,
    Column("reading_id", Integer, ForeignKey("reading.id"), primary_key=True),
    Column("joint_id", Integer, ForeignKey("joint.id"), primary_key=True),
    *_box(nullable=False),
    _text("at"),
)

exclusion = Table(
    "exclusion",
    metadata,
    Column("reading_id", Integer, ForeignKey("reading.id"), primary_key=True),
    Column("joint_id", Integer, ForeignKey("joint.id"), primary_key=True),
    _text("reason_id"),
    _text("note"),
    _text("at"),
)

# Shared by the pre-grades of all items of a joint, which saves most of their size.
provenance = Table(
    "provenance",
    metadata,
    _id(),
    _text("content_sha256"),
    _text("bundle_id"),
    _text("bundle_version"),
    _text("bundle_sha256"),
    _text("protocol_sha256"),
    _text("software"),
    _text("pixel_sha256"),
    _text("made_at"),
    _text("details_json"),
    UniqueConstraint("content_sha256"),
)

pregrade = Table(
    "pregrade",
    metadata,
    _id(),
    _to("joint_id", "joint"),
    _text("bundle_sha256"),
    _text("item"),
    Column("code", Integer, nullable=False),
    _text("probabilities_json"),
    Column("out_of_distribution", Float, nullable=False),
    Column("unlike_training", Boolean, nullable=False),
    *_box(nullable=False),
    _to("provenance_id", "provenance"),
    _text("heatmap_file", nullable=True),
    _text("saved_at"),
    UniqueConstraint("joint_id", "bundle_sha256", "item"),
)

settlement = Table(
    "settlement",
    metadata,
    Column("joint_id", Integer, ForeignKey("joint.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    _to("case_id", "study_case"),
    _to("account_id", "account"),
    Column("code", Integer, nullable=True),
    Column("third_code", Integer, nullable=False),
    _text("method", nullable=True),
    _text("rationale"),
    _text("at"),
)

journal = Table(
    "journal",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    _text("at"),
    _to("account_id", "account", nullable=True),
    _text("verb"),
    _text("payload"),
    _text("previous_hash"),
    _text("hash"),
)

# Where the journal ends, so that a cut-off tail is found.
journal_head = Table(
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    _text("hash"),
    CheckConstraint("id = 1", name="one_row"),
)
