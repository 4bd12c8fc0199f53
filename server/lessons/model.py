"""Lessons and class codes, as the database keeps them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base, UtcDateTime


class Lesson(Base):
    """One occurrence that is broadcast and recorded."""

    __tablename__ = "lessons"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(32))  # LessonKind
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    status: Mapped[str] = mapped_column(String(16))  # LessonStatus
    epoch_us: Mapped[int | None] = mapped_column(BigInteger)  # the lesson clock's zero, microseconds since 1970
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recording_policy: Mapped[str] = mapped_column(String(16), default="consented")  # RecordingPolicy
    keep: Mapped[bool] = mapped_column(default=False)  # its recording is not deleted for its age
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)  # gone, but for what is still to do
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)  # planned; None: whenever it is started
    subject: Mapped[str] = mapped_column(String(40), default="")  # as people say it
    grade: Mapped[str] = mapped_column(String(40), default="")
    rehearsal: Mapped[bool] = mapped_column(default=False)  # the studio alone: not recorded, not counted
    # Its owner's school when it was made: whoever keeps that school may run it, even when the owner has moved on.
    school_id: Mapped[str | None] = mapped_column(String(16), index=True)


class ClassCode(Base):
    """Six digits that stand for a lesson until it is over."""

    __tablename__ = "class_codes"

    code: Mapped[str] = mapped_column(String(6), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
