"""Films at the door: what an import planned, what a coordinator corrected, what is boxed out.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the radiographs, turn the list of faults into one of files, add corrections and box-outs."""
    _radiographs()
    _import_files()
    _corrections()


def downgrade() -> None:
    """Refuse: going back would lose corrections; the copy in ``backups`` is the way back."""
    raise NotImplementedError("a study is never taken back to an older revision; restore its backup")


def _radiographs() -> None:
    # Films were copied byte for byte until now, so that a film's own hash is that of its source.
    with op.batch_alter_table("radiograph") as batch:
        batch.add_column(sa.Column("source_sha256", sa.Text(), nullable=True))
        batch.add_column(sa.Column("body_part", sa.Text(), nullable=True))
        batch.add_column(sa.Column("burned_in", sa.Boolean(), nullable=True))
    op.execute("UPDATE radiograph SET source_sha256 = file_sha256, body_part = ''")
    with op.batch_alter_table("radiograph") as batch:
        batch.alter_column("source_sha256", existing_type=sa.Text(), nullable=False)
        batch.alter_column("body_part", existing_type=sa.Text(), nullable=False)
        batch.create_unique_constraint(op.f("uq_radiograph_source_sha256"), ["source_sha256"])
        batch.create_index(op.f("ix_radiograph_pixel_sha256"), ["pixel_sha256"])


def _import_files() -> None:
    op.create_table(
        "import_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("radiograph_id", sa.Integer(), nullable=True),
        sa.Column("plan_json", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'left out', 'imported', 'duplicate', 'refused')",
            name=op.f("ck_import_file_state"),
        ),
        sa.ForeignKeyConstraint(
            ["radiograph_id"], ["radiograph.id"], name=op.f("fk_import_file_radiograph_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_file")),
        sa.UniqueConstraint("path", name=op.f("uq_import_file_path")),
    )
    op.create_index(op.f("ix_import_file_state_id"), "import_file", ["state", "id"])
    # Size and time of these files were not kept: the next import looks at them again.
    op.execute(
        "INSERT INTO import_file (path, size, modified_ns, state, reason, at) "
        "SELECT path, 0, 0, 'refused', reason, at FROM import_fault"
    )
    op.drop_table("import_fault")


def _corrections() -> None:
    op.create_table(
        "film_correction",
        sa.Column("radiograph_id", sa.Integer(), nullable=False),
        sa.Column("row_mm", sa.Float(), nullable=True),
        sa.Column("column_mm", sa.Float(), nullable=True),
        sa.Column("marker_mm", sa.Float(), nullable=True),
        sa.Column("marker_px", sa.Float(), nullable=True),
        sa.Column("inverse_polarity", sa.Boolean(), nullable=True),
        sa.Column("text_checked", sa.Boolean(), nullable=False),
        sa.Column("superseded_path", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["radiograph_id"], ["radiograph.id"], name=op.f("fk_film_correction_radiograph_id")
        ),
        sa.PrimaryKeyConstraint("radiograph_id", name=op.f("pk_film_correction")),
    )
    op.create_table(
        "box_out",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("radiograph_id", sa.Integer(), nullable=False),
        sa.Column("box_x", sa.Float(), nullable=False),
        sa.Column("box_y", sa.Float(), nullable=False),
        sa.Column("box_width", sa.Float(), nullable=False),
        sa.Column("box_height", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["radiograph_id"], ["radiograph.id"], name=op.f("fk_box_out_radiograph_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box_out")),
    )
    op.create_index(op.f("ix_box_out_radiograph_id"), "box_out", ["radiograph_id"])
