"""The first tables: accounts, radiographs, cases, readings, pre-grades, settlements, journal.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reader_app.store.triggers import statements, triggers_0001

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, the end of the empty journal, and the triggers that guard both."""
    _account()
    _journal()
    _radiographs()
    _joints()
    _cases()
    _readings()
    _pregrades()
    _settlements()
    # The chain starts from 64 zeros, the hash of nothing.
    op.execute(f"INSERT INTO journal_head (id, sequence, hash) VALUES (1, 0, '{'0' * 64}')")
    for statement in statements(triggers_0001(), op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: going back would lose readings; the copy in ``backups`` is the way back."""
    raise NotImplementedError("a study is never taken back to an older revision; restore its backup")


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("wrong_in_a_row", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name_key", name=op.f("uq_account_name_key")),
    )


def _journal() -> None:
    op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_journal_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_head")),
    )
    op.create_table(
        "journal",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_journal_account_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_journal")),
    )


def _radiographs() -> None:
    op.create_table(
        "participant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participant")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_participant_pseudonym")),
    )
    op.create_table(
        "radiograph",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("pixel_sha256", sa.Text(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("visit_order", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("laterality", sa.Text(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("spacing_row_mm", sa.Float(), nullable=True),
        sa.Column("spacing_column_mm", sa.Float(), nullable=True),
        sa.Column("spacing_kind", sa.Text(), nullable=False),
        sa.Column("spacing_reason", sa.Text(), nullable=False),
        sa.Column("phantom", sa.Boolean(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("age", sa.Float(), nullable=True),
        sa.Column("weight_kg", sa.Float(), nullable=True),
        sa.Column("study_date", sa.Text(), nullable=True),
        sa.Column("notes_json", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_radiograph_participant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_radiograph")),
        sa.UniqueConstraint("file_sha256", name=op.f("uq_radiograph_file_sha256")),
    )
    op.create_index(
        op.f("ix_radiograph_participant_id_visit_order_id"),
        "radiograph",
        ["participant_id", "visit_order", "id"],
        unique=False,
    )


def _joints() -> None:
    op.create_table(
        "joint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("radiograph_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("box_x", sa.Float(), nullable=True),
        sa.Column("box_y", sa.Float(), nullable=True),
        sa.Column("box_width", sa.Float(), nullable=True),
        sa.Column("box_height", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["radiograph_id"], ["radiograph.id"], name=op.f("fk_joint_radiograph_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint")),
        sa.UniqueConstraint("radiograph_id", "side", name=op.f("uq_joint_radiograph_id_side")),
    )
    op.create_table(
        "reference_grade",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("joint_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["joint_id"], ["joint.id"], name=op.f("fk_reference_grade_joint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_grade")),
        sa.UniqueConstraint(
            "joint_id", "item", "source", name=op.f("uq_reference_grade_joint_id_item_source")
        ),
    )
    op.create_table(
        "import_fault",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_fault")),
        sa.UniqueConstraint("path", name=op.f("uq_import_fault_path")),
    )


def _cases() -> None:
    op.create_table(
        "study_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("presentation", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_case")),
    )
    op.create_table(
        "case_film",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("radiograph_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["study_case.id"], name=op.f("fk_case_film_case_id")),
        sa.ForeignKeyConstraint(
            ["radiograph_id"], ["radiograph.id"], name=op.f("fk_case_film_radiograph_id")
        ),
        sa.PrimaryKeyConstraint("case_id", "place", name=op.f("pk_case_film")),
        sa.UniqueConstraint("radiograph_id", name=op.f("uq_case_film_radiograph_id")),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("graded", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'open', 'locked')", name=op.f("ck_assignment_state")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_assignment_account_id")),
        sa.ForeignKeyConstraint(["case_id"], ["study_case.id"], name=op.f("fk_assignment_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint(
            "account_id", "case_id", "pass_number", name=op.f("uq_assignment_account_id_case_id_pass_number")
        ),
        sa.UniqueConstraint("account_id", "place", name=op.f("uq_assignment_account_id_place")),
    )
    op.create_index("ix_assignment_case", "assignment", ["case_id", "state"], unique=False)
    op.create_index(
        "ix_assignment_worklist", "assignment", ["account_id", "place", "id", "state", "graded"], unique=False
    )


def _readings() -> None:
    op.create_table(
        "reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("protocol_sha256", sa.Text(), nullable=False),
        sa.Column("design_sha256", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("locked_at", sa.Text(), nullable=True),
        sa.Column("locked_software", sa.Text(), nullable=True),
        sa.Column("content_sha256", sa.Text(), nullable=True),
        sa.Column("active_seconds", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_reading_assignment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading")),
        sa.UniqueConstraint("assignment_id", "arm", name=op.f("uq_reading_assignment_id_arm")),
    )
    op.create_table(
        "grade",
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("joint_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("pregrade_in_sight", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["joint_id"], ["joint.id"], name=op.f("fk_grade_joint_id")),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name=op.f("fk_grade_reading_id")),
        sa.PrimaryKeyConstraint("reading_id", "joint_id", "item", name=op.f("pk_grade")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reading_box",
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("joint_id", sa.Integer(), nullable=False),
        sa.Column("box_x", sa.Float(), nullable=False),
        sa.Column("box_y", sa.Float(), nullable=False),
        sa.Column("box_width", sa.Float(), nullable=False),
        sa.Column("box_height", sa.Float(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["joint_id"], ["joint.id"], name=op.f("fk_reading_box_joint_id")),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name=op.f("fk_reading_box_reading_id")),
        sa.PrimaryKeyConstraint("reading_id", "joint_id", name=op.f("pk_reading_box")),
    )
    op.create_table(
        "exclusion",
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("joint_id", sa.Integer(), nullable=False),
        sa.Column("reason_id", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["joint_id"], ["joint.id"], name=op.f("fk_exclusion_joint_id")),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name=op.f("fk_exclusion_reading_id")),
        sa.PrimaryKeyConstraint("reading_id", "joint_id", name=op.f("pk_exclusion")),
    )


def _pregrades() -> None:
    op.create_table(
        "provenance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("bundle_id", sa.Text(), nullable=False),
        sa.Column("bundle_version", sa.Text(), nullable=False),
        sa.Column("bundle_sha256", sa.Text(), nullable=False),
        sa.Column("protocol_sha256", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("pixel_sha256", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("details_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provenance")),
        sa.UniqueConstraint("content_sha256", name=op.f("uq_provenance_content_sha256")),
    )
    op.create_table(
        "pregrade",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("joint_id", sa.Integer(), nullable=False),
        sa.Column("bundle_sha256", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("probabilities_json", sa.Text(), nullable=False),
        sa.Column("out_of_distribution", sa.Float(), nullable=False),
        sa.Column("unlike_training", sa.Boolean(), nullable=False),
        sa.Column("box_x", sa.Float(), nullable=False),
        sa.Column("box_y", sa.Float(), nullable=False),
        sa.Column("box_width", sa.Float(), nullable=False),
        sa.Column("box_height", sa.Float(), nullable=False),
        sa.Column("provenance_id", sa.Integer(), nullable=False),
        sa.Column("heatmap_file", sa.Text(), nullable=True),
        sa.Column("saved_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["joint_id"], ["joint.id"], name=op.f("fk_pregrade_joint_id")),
        sa.ForeignKeyConstraint(["provenance_id"], ["provenance.id"], name=op.f("fk_pregrade_provenance_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pregrade")),
        sa.UniqueConstraint(
            "joint_id", "bundle_sha256", "item", name=op.f("uq_pregrade_joint_id_bundle_sha256_item")
        ),
    )


def _settlements() -> None:
    op.create_table(
        "settlement",
        sa.Column("joint_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("third_code", sa.Integer(), nullable=False),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_settlement_account_id")),
        sa.ForeignKeyConstraint(["case_id"], ["study_case.id"], name=op.f("fk_settlement_case_id")),
        sa.ForeignKeyConstraint(["joint_id"], ["joint.id"], name=op.f("fk_settlement_joint_id")),
        sa.PrimaryKeyConstraint("joint_id", "item", name=op.f("pk_settlement")),
    )
