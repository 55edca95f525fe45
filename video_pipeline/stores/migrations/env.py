"""What alembic runs: the migrations, on the connection and in the transaction of `Index.upgrade`."""

from __future__ import annotations

from alembic import context

from video_pipeline.stores.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
