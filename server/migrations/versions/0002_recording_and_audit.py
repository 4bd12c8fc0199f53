"""Who is recorded in a lesson, which lessons are kept, which are on their way out; and who did what with recordings."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("lessons") as lessons:
        lessons.add_column(sa.Column("recording_policy", sa.String(16), nullable=False, server_default="consented"))
        lessons.add_column(sa.Column("keep", sa.Boolean(), nullable=False, server_default=sa.false()))
        lessons.add_column(sa.Column("deleted_at", MOMENT))
        lessons.create_index("ix_lessons_deleted_at", ["deleted_at"])
    op.create_table(
        "audit",
        # SQLite counts up only what it calls INTEGER.
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("actor_role", sa.String(16), nullable=False),
        sa.Column("user_id", sa.String(16)),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("lesson_id", sa.String(16), nullable=False, index=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("detail", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("audit")
    with op.batch_alter_table("lessons") as lessons:
        lessons.drop_index("ix_lessons_deleted_at")
        for column in ("deleted_at", "keep", "recording_policy"):
            lessons.drop_column(column)
