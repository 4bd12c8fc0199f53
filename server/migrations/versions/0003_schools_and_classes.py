"""Schools, classes with codes of their own, consent, invited classes, lessons with a time; accounts by invitation."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "schools",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("region", sa.String(80), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("region", "name", name="uq_schools_region_name"),
    )
    op.create_table(
        "class_groups",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column(
            "school_id", sa.String(16), sa.ForeignKey("schools.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("headcount", sa.Integer()),
        sa.Column("code", sa.String(8), nullable=False, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("school_id", "name", name="uq_class_groups_school_id_name"),
    )
    op.create_table(
        "invited_classes",
        sa.Column("lesson_id", sa.String(16), sa.ForeignKey("lessons.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "class_group_id",
            sa.String(16),
            sa.ForeignKey("class_groups.id", ondelete="CASCADE"),
            primary_key=True,
            index=True,
        ),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column(
            "class_group_id",
            sa.String(16),
            sa.ForeignKey("class_groups.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("lesson_id", sa.String(16)),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT),
    )
    with op.batch_alter_table("lessons") as lessons:
        lessons.add_column(sa.Column("starts_at", MOMENT))
        lessons.add_column(sa.Column("subject", sa.String(40), nullable=False, server_default=""))
        lessons.add_column(sa.Column("grade", sa.String(40), nullable=False, server_default=""))
        lessons.add_column(sa.Column("rehearsal", sa.Boolean(), nullable=False, server_default=sa.false()))
        lessons.create_index("ix_lessons_starts_at", ["starts_at"])
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("disabled_at", MOMENT))
    op.create_table(
        "account_links",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False, index=True),
    )


def downgrade() -> None:
    op.drop_table("account_links")
    with op.batch_alter_table("users") as users:
        users.drop_column("disabled_at")
    with op.batch_alter_table("lessons") as lessons:
        lessons.drop_index("ix_lessons_starts_at")
        for column in ("rehearsal", "grade", "subject", "starts_at"):
            lessons.drop_column(column)
    for table in ("consents", "invited_classes", "class_groups", "schools"):
        op.drop_table(table)
