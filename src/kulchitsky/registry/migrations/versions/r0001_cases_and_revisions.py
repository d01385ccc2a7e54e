"""Cases and their revisions; revisions can only be added."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kulchitsky.registry.migrations.append_only import forbid_changes, permit_changes

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create both tables and the guard on the history."""
    op.create_table(
        "study_case",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("key", sa.String(80), nullable=False, unique=True),
        sa.Column("collection", sa.String(80), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("signed_revision", sa.Integer),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("age_years", sa.Float),
        sa.Column("sex", sa.String(16)),
        sa.Column("setting", sa.String(40)),
        sa.Column("diagnosis", sa.String(64)),
        sa.Column("size_cm", sa.Float),
        sa.Column("ki67_percent", sa.Float),
        sa.Column("follow_up_months", sa.Float),
        sa.Column("outcome", sa.String(40)),
    )
    op.create_index("ix_study_case_collection", "study_case", ["collection"])
    op.create_index("ix_study_case_diagnosis", "study_case", ["diagnosis"])
    op.create_table(
        "revision",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("case_id", _KEY, sa.ForeignKey("study_case.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(120), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.UniqueConstraint("case_id", "number", name="uq_revision_case_number"),
    )
    forbid_changes("revision")


def downgrade() -> None:
    """Drop both tables: the registry is empty afterwards."""
    permit_changes("revision")
    op.drop_table("revision")
    op.drop_index("ix_study_case_diagnosis", "study_case")
    op.drop_index("ix_study_case_collection", "study_case")
    op.drop_table("study_case")
