"""Accounts and their login sessions, as the database keeps them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base, UtcDateTime


class User(Base):
    """Someone with a name, a password and one role."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))  # AccountRole
    password_hash: Mapped[str] = mapped_column(String(255))  # Argon2id
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # nobody logs in with it any more
    # Whose school is taken off the list has none any more; schools/store.py sees to it. SQLite cannot add a reference.
    school_id: Mapped[str | None] = mapped_column(String(16), index=True)
    region: Mapped[str] = mapped_column(String(80), default="", server_default="")  # a region administrator's


class AccountSession(Base):
    """A browser that has logged in. The cookie's value is not here, only its hash: a stolen copy opens nothing."""

    __tablename__ = "account_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hex
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AccountLink(Base):
    """A link that gives a password once: to an account that is there, or to a new one. Kept as its hash only."""

    __tablename__ = "account_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hex
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)  # None: new
    role: Mapped[str] = mapped_column(String(16))  # AccountRole, of the new account
    name: Mapped[str] = mapped_column(String(64))  # of the account that is there, or proposed for the new one
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    school_id: Mapped[str | None] = mapped_column(String(16), index=True)  # of the new account
    region: Mapped[str] = mapped_column(String(80), default="", server_default="")  # the same
    made_by: Mapped[str | None] = mapped_column(String(16), index=True)  # users.id; None: by a token
