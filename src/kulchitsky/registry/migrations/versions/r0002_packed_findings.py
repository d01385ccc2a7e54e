"""Packed findings beside each case, so that neighbours and survival need not open every record.

Existing cases get none here: what is missing (``layout`` NULL or old) is packed when the registry is next opened.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the dictionary of terms and the packed columns."""
    op.create_table(
        "term",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.UniqueConstraint("kind", "name", name="uq_term_kind_name"),
    )
    op.add_column("study_case", sa.Column("layout", sa.Integer))
    op.add_column("study_case", sa.Column("features", sa.LargeBinary))
    op.create_index("ix_study_case_layout", "study_case", ["layout"])


def downgrade() -> None:
    """Drop what can be packed again."""
    op.drop_index("ix_study_case_layout", "study_case")
    op.drop_column("study_case", "features")
    op.drop_column("study_case", "layout")
    op.drop_table("term")
