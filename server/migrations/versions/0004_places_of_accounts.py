"""The school or region an account belongs to, an invitation leads to, and a lesson is of."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = (
    ("users", "school_id"),
    ("lessons", "school_id"),
    ("account_links", "school_id"),
    ("account_links", "made_by"),
)


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, sa.Column(column, sa.String(16)))
        op.create_index(f"ix_{table}_{column}", table, [column])
    for table in ("users", "account_links"):
        op.add_column(table, sa.Column("region", sa.String(80), nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("users", "account_links"):
        op.drop_column(table, "region")
    for table, column in COLUMNS:
        op.drop_index(f"ix_{table}_{column}", table)
        op.drop_column(table, column)
