"""The tables of pre-grades, settlements, the design in force and the journal."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from reader_app.store.columns import box, identity, metadata, text, to

# Shared by the pre-grades of all items of a joint, which saves most of their size.
provenance = Table(
    "provenance",
    metadata,
    identity(),
    text("content_sha256"),
    text("bundle_id"),
    text("bundle_version"),
    text("bundle_sha256"),
    text("protocol_sha256"),
    text("software"),
    text("pixel_sha256"),
    text("made_at"),
    text("details_json"),
    UniqueConstraint("content_sha256"),
)

pregrade = Table(
    "pregrade",
    metadata,
    identity(),
    to("joint_id", "joint"),
    text("bundle_sha256"),
    text("item"),
    Column("code", Integer, nullable=False),
    text("probabilities_json"),
    Column("out_of_distribution", Float, nullable=False),
    Column("unlike_training", Boolean, nullable=False),
    *box(nullable=False),
    to("provenance_id", "provenance"),
    text("heatmap_file", nullable=True),
    text("saved_at"),
    # How far the members of the ensemble, and the mirror image, differ in the expected grade.
    Column("spread", Float, nullable=False, server_default="0"),
    Column("remark", Text, nullable=False, server_default=literal_column("''")),
    UniqueConstraint("joint_id", "bundle_sha256", "item"),
)

settlement = Table(
    "settlement",
    metadata,
    Column("joint_id", Integer, ForeignKey("joint.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    to("case_id", "study_case"),
    to("account_id", "account"),
    Column("code", Integer, nullable=True),
    Column("third_code", Integer, nullable=False),
    text("method", nullable=True),
    text("rationale"),
    text("at"),
    # The readers who sat in a consensus session: account ids, canonical JSON.
    Column("participants_json", Text, nullable=False, server_default="[]"),
)

# Every reading design that was in force, the newest last. Appended only.
design = Table(
    "design",
    metadata,
    identity(),
    text("sha256"),
    text("content"),
    text("reason"),
    to("account_id", "account"),
    text("at"),
)

# Whether the study is frozen: then nothing is written any more.
study_state = Table(
    "study_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    text("frozen_at", nullable=True),
    CheckConstraint("id = 1", name="one_row"),
)

journal = Table(
    "journal",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    text("at"),
    to("account_id", "account", nullable=True),
    text("verb"),
    text("payload"),
    text("previous_hash"),
    text("hash"),
)

# Where the journal ends, so that a cut-off tail is found.
journal_head = Table(
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    text("hash"),
    CheckConstraint("id = 1", name="one_row"),
)
