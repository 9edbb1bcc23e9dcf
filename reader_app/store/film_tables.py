"""The tables of people, films and joints, and of what is known of them before anybody reads."""

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
    Table,
    UniqueConstraint,
)

from reader_app.store.columns import box, identity, metadata, text, to

account = Table(
    "account",
    metadata,
    identity(),
    text("name"),
    # The name without capitals: nobody may call themselves almost like another.
    text("name_key"),
    text("role"),
    text("password_hash"),
    Column("active", Boolean, nullable=False),
    Column("wrong_in_a_row", Integer, nullable=False),
    text("locked_until", nullable=True),
    text("created_at"),
    UniqueConstraint("name_key"),
)

participant = Table(
    "participant",
    metadata,
    identity(),
    text("pseudonym"),
    UniqueConstraint("pseudonym"),
)

radiograph = Table(
    "radiograph",
    metadata,
    identity(),
    to("participant_id", "participant"),
    text("path"),
    text("file_sha256"),
    text("pixel_sha256"),
    text("visit"),
    Column("visit_order", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    text("laterality"),
    text("view"),
    text("format"),
    Column("spacing_row_mm", Float, nullable=True),
    Column("spacing_column_mm", Float, nullable=True),
    text("spacing_kind"),
    text("spacing_reason"),
    Column("phantom", Boolean, nullable=False),
    text("sex", nullable=True),
    Column("age", Float, nullable=True),
    Column("weight_kg", Float, nullable=True),
    text("study_date", nullable=True),
    text("notes_json"),
    text("added_at"),
    # Of the file as it came to the door; a de-identified copy has another hash.
    text("source_sha256"),
    text("body_part"),
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
    identity(),
    to("radiograph_id", "radiograph"),
    text("side"),
    *box(nullable=True),
    UniqueConstraint("radiograph_id", "side"),
)

reference_grade = Table(
    "reference_grade",
    metadata,
    identity(),
    to("joint_id", "joint"),
    text("item"),
    Column("code", Integer, nullable=False),
    text("source"),
    UniqueConstraint("joint_id", "item", "source"),
)

# What an import knows of a file on disk: planned from its header, and what became of it. A file whose path,
# size and time are here need not be opened again.
import_file = Table(
    "import_file",
    metadata,
    identity(),
    text("path"),
    Column("size", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    text("state"),
    # Why it was refused or left out; empty otherwise.
    text("reason"),
    # The radiograph that it became, or whose duplicate it is.
    to("radiograph_id", "radiograph", nullable=True),
    # In canonical JSON: what the header said and the coordinator corrected, while the film waits; afterwards
    # what a later import needs (the keyed hash of a dropped day; what a refused file was tried with).
    text("plan_json", nullable=True),
    text("at"),
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
    text("superseded_path", nullable=True),
)

# Parts of a film that nobody may see, e.g. burned-in names.
box_out = Table(
    "box_out",
    metadata,
    identity(),
    to("radiograph_id", "radiograph"),
    *box(nullable=False),
    Index(None, "radiograph_id"),
)
