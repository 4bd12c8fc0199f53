"""The audit trail, as the database keeps it. It names lessons and users by id and by word: both may be gone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base, UtcDateTime


class AuditEntry(Base):
    """Somebody did something with a lesson or its recording; or with an account, a school or a class."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(100))  # a user's name, or what a token calls its bearer
    actor_role: Mapped[str] = mapped_column(String(16))  # of the account or the token; "server" for the server itself
    user_id: Mapped[str | None] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(16))  # AuditAction
    lesson_id: Mapped[str] = mapped_column(String(16), index=True)  # "" where it is about none
    title: Mapped[str] = mapped_column(String(200))  # the lesson's at that time, or a name
    detail: Mapped[str] = mapped_column(String(200))  # which file, for how long it was kept …
