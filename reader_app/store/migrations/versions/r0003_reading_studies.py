"""Reading studies: designs, purposes of readings, signatures, amendments, checks, measurements, the freeze.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reader_app.store.triggers import statements, triggers_0003

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen cases, worklists, readings and settlements; add what is new, and the triggers that guard it."""
    _cases()
    _readings()
    _signed()
    _checked()
    _study()
    for statement in statements(triggers_0003(), op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: going back would lose amendments; the copy in ``backups`` is the way back."""
    raise NotImplementedError("a study is never taken back to an older revision; restore its backup")


def _cases() -> None:
    with op.batch_alter_table("study_case") as batch:
        batch.add_column(sa.Column("purpose", sa.Text(), nullable=False, server_default="live"))
        batch.create_check_constraint(op.f("ck_study_case_purpose"), "purpose IN ('live', 'calibration')")
    with op.batch_alter_table("assignment") as batch:
        batch.add_column(sa.Column("purpose", sa.Text(), nullable=False, server_default="reading"))
        batch.add_column(sa.Column("period", sa.Integer(), nullable=False, server_default="1"))
        batch.add_column(sa.Column("block", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("mirrored", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("after_assignment_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("after_days", sa.Float(), nullable=False, server_default="0"))
        batch.create_check_constraint(
            op.f("ck_assignment_purpose"), "purpose IN ('reading', 're-read', 'calibration', 'control')"
        )
        batch.create_foreign_key(
            op.f("fk_assignment_after_assignment_id"), "assignment", ["after_assignment_id"], ["id"]
        )
    op.create_index("ix_assignment_purpose", "assignment", ["account_id", "purpose", "state"], unique=False)


def _readings() -> None:
    # Added in place: copying the grades of a large study, as SQLite's batches do, would lose their triggers.
    for table in ("reading", "grade"):
        op.add_column(table, sa.Column("in_sight_seconds", sa.Float(), nullable=False, server_default="0"))
    op.add_column(
        "settlement", sa.Column("participants_json", sa.Text(), nullable=False, server_default="[]")
    )
    op.create_table(
        "measurement",
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("radiograph_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("start_x", "start_y", "end_x", "end_y")),
        sa.Column("pixels", sa.Float(), nullable=False),
        sa.Column("mm", sa.Float(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name=op.f("fk_measurement_reading_id")),
        sa.ForeignKeyConstraint(
            ["radiograph_id"], ["radiograph.id"], name=op.f("fk_measurement_radiograph_id")
        ),
        sa.PrimaryKeyConstraint("reading_id", "number", name=op.f("pk_measurement")),
    )


def _signed() -> None:
    op.create_table(
        "signature",
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("meaning", "at", "software", "protocol_sha256", "design_sha256", "content_sha256")
        ),
        sa.Column("password_asked", sa.Boolean(), nullable=False),
        sa.Column("display_json", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name=op.f("fk_signature_reading_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_signature_account_id")),
        sa.PrimaryKeyConstraint("reading_id", name=op.f("pk_signature")),
    )
    op.create_table(
        "amendment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("joint_id", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("item", "before_json", "after_json", "reason")
        ),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name=op.f("fk_amendment_reading_id")),
        sa.ForeignKeyConstraint(["joint_id"], ["joint.id"], name=op.f("fk_amendment_joint_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_amendment_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
    )
    op.create_index(op.f("ix_amendment_reading_id_id"), "amendment", ["reading_id", "id"])


def _checked() -> None:
    op.create_table(
        "display_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("screen_json", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_display_check_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_display_check")),
    )
    op.create_index(op.f("ix_display_check_account_id_at"), "display_check", ["account_id", "at"])
    op.create_table(
        "exclusion_check",
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("joint_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name=op.f("fk_exclusion_check_reading_id")),
        sa.ForeignKeyConstraint(["joint_id"], ["joint.id"], name=op.f("fk_exclusion_check_joint_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_exclusion_check_account_id")),
        sa.PrimaryKeyConstraint("reading_id", "joint_id", name=op.f("pk_exclusion_check")),
    )
    op.create_table(
        "qualification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("result_json", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_qualification_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qualification")),
        sa.UniqueConstraint("account_id", "attempt", name=op.f("uq_qualification_account_id_attempt")),
    )


def _study() -> None:
    op.create_table(
        "design",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_design_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_design")),
    )
    op.create_table(
        "study_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("frozen_at", sa.Text(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_study_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_state")),
    )
    op.execute("INSERT INTO study_state (id, frozen_at) VALUES (1, NULL)")
