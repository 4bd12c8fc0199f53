"""Schools, classes and their consent, as the database keeps them. A class is a name and a head-count, never a list."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base, UtcDateTime


class School(Base):
    """A school or vocational centre."""

    __tablename__ = "schools"
    __table_args__ = (UniqueConstraint("region", "name", name="uq_schools_region_name"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    region: Mapped[str] = mapped_column(String(80))  # as people say it; may be empty
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ClassGroup(Base):
    """A class of pupils."""

    __tablename__ = "class_groups"
    __table_args__ = (UniqueConstraint("school_id", "name", name="uq_class_groups_school_id_name"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    headcount: Mapped[int | None]  # what its page proposes
    code: Mapped[str] = mapped_column(String(8), unique=True)  # eight digits, its own until somebody changes it
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InvitedClass(Base):
    """A class that enters a lesson without being asked who it is."""

    __tablename__ = "invited_classes"

    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"), primary_key=True)
    class_group_id: Mapped[str] = mapped_column(
        ForeignKey("class_groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ClassConsent(Base):
    """A class let itself be recorded until the end of the term, given in its room by the local teacher for the school.

    Rows stay when they are withdrawn or over: they say why a recording of that day was allowed.
    """

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    class_group_id: Mapped[str] = mapped_column(ForeignKey("class_groups.id", ondelete="CASCADE"), index=True)
    lesson_id: Mapped[str | None] = mapped_column(String(16))  # in which it was given; that lesson may be gone
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)  # the first moment at which it no longer holds
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
