"""How Alembic runs inside this program: on the connection that it is given, in that one's transaction."""

from __future__ import annotations

from alembic import context

from reader_app.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by copying it.
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
