"""Accounts, their sessions, lessons and class codes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "account_sessions",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "lessons",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.String(16), sa.ForeignKey("users.id", ondelete="SET NULL"), index=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("epoch_us", sa.BigInteger()),
        sa.Column("created_at", MOMENT, nullable=False, index=True),
        sa.Column("started_at", MOMENT),
        sa.Column("ended_at", MOMENT),
    )
    op.create_table(
        "class_codes",
        sa.Column("code", sa.String(6), primary_key=True),
        sa.Column(
            "lesson_id", sa.String(16), sa.ForeignKey("lessons.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("created_at", MOMENT, nullable=False),
    )


def downgrade() -> None:
    for table in ("class_codes", "lessons", "account_sessions", "users"):
        op.drop_table(table)
