"""Alembic's entry point: runs the migrations on the connection that the registry hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from kulchitsky.registry.tables import Base

if hasattr(context, "config"):  # only while Alembic runs this file; whoever else imports it finds nothing to do
    # no batch mode: each migration says for itself what SQLite needs
    context.configure(
        connection=context.config.attributes["connection"], target_metadata=Base.metadata, transactional_ddl=True
    )
    context.run_migrations()
