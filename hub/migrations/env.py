"""Alembic's entry: runs on the connection that `hub.migrations.upgrade` hands in, or on DATABASE_ADMIN_URL."""

from alembic import context

from hub.models import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)

with context.begin_transaction():
    context.run_migrations()
