"""Doubt of pre-grades: how far members of an ensemble differ, and what is to be remarked.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the pre-grades; what is there has no spread and no remark, as nobody looked for them."""
    # Added in place: a copy of the table, as SQLite's batches make, takes long in a large study.
    op.add_column("pregrade", sa.Column("spread", sa.Float(), nullable=False, server_default="0"))
    op.add_column("pregrade", sa.Column("remark", sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Refuse: going back would lose remarks; the copy in ``backups`` is the way back."""
    raise NotImplementedError("a study is never taken back to an older revision; restore its backup")
