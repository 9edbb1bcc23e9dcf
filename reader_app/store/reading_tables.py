"""The tables of cases, worklists and readings."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from reader_app.store.columns import box, identity, metadata, text, to

study_case = Table(
    "study_case",
    metadata,
    identity(),
    text("presentation"),
    text("created_at"),
    # 'live', or 'calibration': read to compare a reader with the reference, never part of the results.
    Column("purpose", Text, nullable=False, server_default="live"),
    CheckConstraint("purpose IN ('live', 'calibration')", name="purpose"),
)

case_film = Table(
    "case_film",
    metadata,
    Column("case_id", Integer, ForeignKey("study_case.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    to("radiograph_id", "radiograph"),
    UniqueConstraint("radiograph_id"),
)

assignment = Table(
    "assignment",
    metadata,
    identity(),
    to("account_id", "account"),
    to("case_id", "study_case"),
    # 1 for the first time that this reader reads the case; the second period of a crossover, hidden re-reads
    # and controls count on.
    Column("pass_number", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    text("arm"),
    # What the reading is for: 'reading', 're-read', 'calibration', 'control'. No reader is ever told.
    Column("purpose", Text, nullable=False, server_default="reading"),
    # 1, or 2 for the second half of a crossover.
    Column("period", Integer, nullable=False, server_default="1"),
    # Which block of the design the case belongs to, 1 for the first; 0 where there are no blocks.
    Column("block", Integer, nullable=False, server_default="0"),
    # Whether the films are shown mirrored, right as left.
    Column("mirrored", Boolean, nullable=False, server_default=false()),
    # May be opened only so many days after this other assignment of the same reader was locked.
    to("after_assignment_id", "assignment", nullable=True),
    Column("after_days", Float, nullable=False, server_default="0"),
    # State and number of grades follow from the readings; kept here, a worklist is one scan of one index.
    text("state"),
    Column("graded", Integer, nullable=False),
    CheckConstraint("state IN ('waiting', 'open', 'locked')", name="state"),
    CheckConstraint("purpose IN ('reading', 're-read', 'calibration', 'control')", name="purpose"),
    UniqueConstraint("account_id", "case_id", "pass_number"),
    UniqueConstraint("account_id", "place"),
    Index("ix_assignment_worklist", "account_id", "place", "id", "state", "graded"),
    Index("ix_assignment_case", "case_id", "state"),
    # Whether calibration cases are left is asked before every live case.
    Index("ix_assignment_purpose", "account_id", "purpose", "state"),
)

reading = Table(
    "reading",
    metadata,
    identity(),
    to("assignment_id", "assignment"),
    text("arm"),
    text("protocol_sha256"),
    text("design_sha256"),
    text("software"),
    text("opened_at"),
    text("locked_at", nullable=True),
    text("locked_software", nullable=True),
    # Of all that the reading held when it was signed.
    text("content_sha256", nullable=True),
    Column("active_seconds", Float, nullable=False),
    # How long a pre-grade was in sight; 0 where nothing of the AI was ever shown.
    Column("in_sight_seconds", Float, nullable=False, server_default="0"),
    UniqueConstraint("assignment_id", "arm"),
)

# What a reader signed when a reading was locked; appended once, never changed.
signature = Table(
    "signature",
    metadata,
    Column("reading_id", Integer, ForeignKey("reading.id"), primary_key=True),
    to("account_id", "account"),
    text("meaning"),
    text("at"),
    text("software"),
    text("protocol_sha256"),
    text("design_sha256"),
    # Of all that the reading held.
    text("content_sha256"),
    Column("password_asked", Boolean, nullable=False),
    # The screen, and the last check of it that the reader made; canonical JSON.
    text("display_json"),
)

# A change to a locked reading; the original stays in its own table. Appended only.
amendment = Table(
    "amendment",
    metadata,
    identity(),
    to("reading_id", "reading"),
    to("joint_id", "joint"),
    # The item amended; empty where the exclusion of the joint is.
    text("item"),
    # Codes, or exclusions as [reason, note]; canonical JSON, "null" for none.
    text("before_json"),
    text("after_json"),
    text("reason"),
    to("account_id", "account"),
    text("at"),
    Index(None, "reading_id", "id"),
)

# A reader's look at the test pattern of their screen. Appended only.
display_check = Table(
    "display_check",
    metadata,
    identity(),
    to("account_id", "account"),
    Column("passed", Boolean, nullable=False),
    text("screen_json"),
    text("at"),
    Index(None, "account_id", "at"),
)

grade = Table(
    "grade",
    metadata,
    Column("reading_id", Integer, ForeignKey("reading.id"), primary_key=True),
    Column("joint_id", Integer, ForeignKey("joint.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    Column("code", Integer, nullable=False),
    Column("pregrade_in_sight", Boolean, nullable=False),
    text("at"),
    # How long the AI had been in sight in this reading when the grade was given.
    Column("in_sight_seconds", Float, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

# A length that a reader kept, in film pixels, with the calibration that it rests on.
measurement = Table(
    "measurement",
    metadata,
    Column("reading_id", Integer, ForeignKey("reading.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    to("radiograph_id", "radiograph"),
    Column("start_x", Float, nullable=False),
    Column("start_y", Float, nullable=False),
    Column("end_x", Float, nullable=False),
    Column("end_y", Float, nullable=False),
    Column("pixels", Float, nullable=False),
    Column("mm", Float, nullable=True),
    text("kind"),
    text("reason"),
    text("at"),
)

reading_box = Table(
    "reading_box",
    metadata,
    Column("reading_id", Integer, ForeignKey("reading.id"), primary_key=True),
    Column("joint_id", Integer, ForeignKey("joint.id"), primary_key=True),
    *box(nullable=False),
    text("at"),
)

exclusion = Table(
    "exclusion",
    metadata,
    Column("reading_id", Integer, ForeignKey("reading.id"), primary_key=True),
    Column("joint_id", Integer, ForeignKey("joint.id"), primary_key=True),
    text("reason_id"),
    text("note"),
    text("at"),
)

# Whether a second reader, who had not seen the first one's grades, confirms that a joint cannot be graded.
exclusion_check = Table(
    "exclusion_check",
    metadata,
    # The locked reading that excludes the joint.
    Column("reading_id", Integer, ForeignKey("reading.id"), primary_key=True),
    Column("joint_id", Integer, ForeignKey("joint.id"), primary_key=True),
    # Who checked.
    to("account_id", "account"),
    Column("confirmed", Boolean, nullable=False),
    text("note"),
    text("at"),
)

# Whether a reader may read live cases: one row for each attempt at the calibration set. Appended only.
qualification = Table(
    "qualification",
    metadata,
    identity(),
    to("account_id", "account"),
    Column("attempt", Integer, nullable=False),
    Column("passed", Boolean, nullable=False),
    # By feature: kappa, its interval, joints, the bound asked for; canonical JSON.
    text("result_json"),
    text("at"),
    UniqueConstraint("account_id", "attempt"),
)
