"""Verdicts of work-ups, kept beside the revision they were made from; they too can only be added."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kulchitsky.registry.migrations.append_only import forbid_changes, permit_changes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the table of verdicts."""
    op.create_table(
        "verdict",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("case_id", _KEY, sa.ForeignKey("study_case.id"), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(120), nullable=False),
        sa.Column("software", sa.String(40), nullable=False),
        sa.Column("edition", sa.String(40), nullable=False),
        sa.Column("leading", sa.String(64)),
        sa.Column("grade", sa.String(40)),
        sa.Column("stage", sa.String(40)),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_verdict_case_id", "verdict", ["case_id"])
    forbid_changes("verdict")


def downgrade() -> None:
    """Drop the verdicts; the cases they were made from stay."""
    permit_changes("verdict")
    op.drop_index("ix_verdict_case_id", "verdict")
    op.drop_table("verdict")
