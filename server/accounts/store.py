"""Accounts and login sessions in the database."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.accounts.model import AccountSession, User
from server.accounts.passwords import hash_password, password_fits
from server.accounts.roles import AccountRole
from server.database import now

SESSION_TIME = timedelta(days=14)


class NameTakenError(Exception):
    """There is a user of this name already."""


class AccountUnknownError(Exception):
    """There is no account of this id."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who has logged in; `user_id` is None for an administrator known by a token only."""

    user_id: str | None
    name: str
    role: AccountRole


class Accounts:
    def __init__(self, sessions: async_sessionmaker[Any]) -> None:
        self._sessions = sessions

    async def add(self, name: str, role: AccountRole, password: str) -> Account:
        """A new user. Raises NameTakenError."""
        user = User(
            id=secrets.token_hex(8),
            name=name,
            role=role,
            password_hash=await hash_password(password),
            created_at=now(),
        )
        try:
            async with self._sessions.begin() as session:
                session.add(user)
        except IntegrityError as error:
            raise NameTakenError(name) from error
        return _account(user)

    async def find(self, name: str) -> Account | None:
        """The user of this name."""
        async with self._sessions() as session:
            user = await session.scalar(select(User).where(User.name == name))
        return _account(user) if user else None

    async def set_password(self, name: str, password: str) -> None:
        """Give a user a new password and end their sessions."""
        password_hash = await hash_password(password)
        async with self._sessions.begin() as session:
            user = (await session.scalars(select(User).where(User.name == name))).one()
            user.password_hash = password_hash
            await session.execute(delete(AccountSession).where(AccountSession.user_id == user.id))

    async def all(self) -> Sequence[User]:
        """Every account, by name."""
        async with self._sessions() as session:
            found: Sequence[User] = (await session.scalars(select(User).order_by(User.name))).all()
        return found

    async def change(self, user_id: str, *, role: AccountRole | None = None, disabled: bool | None = None) -> User:
        """Give an account another role; close it, which ends its sessions, or open it again.

        Raises AccountUnknownError.
        """
        async with self._sessions.begin() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise AccountUnknownError(user_id)
            user.role = role or user.role
            if disabled is not None and disabled != (user.disabled_at is not None):
                user.disabled_at = now() if disabled else None
            if disabled:
                await session.execute(delete(AccountSession).where(AccountSession.user_id == user_id))
        found: User = user
        return found

    async def log_in(self, name: str, password: str) -> tuple[Account, str] | None:
        """The account and the value of its session cookie, or None when name and password do not fit."""
        async with self._sessions() as session:
            user = await session.scalar(select(User).where(User.name == name))
        if not await password_fits(user.password_hash if user else None, password) or user is None:
            return None
        if user.disabled_at is not None:
            return None
        token, moment = secrets.token_urlsafe(32), now()
        async with self._sessions.begin() as session:
            await session.execute(delete(AccountSession).where(AccountSession.expires_at < moment))
            session.add(
                AccountSession(
                    token_hash=_hash(token), user_id=user.id, created_at=moment, expires_at=moment + SESSION_TIME
                )
            )
        return _account(user), token

    async def by_session(self, token: str) -> Account | None:
        """Who logged in with this cookie, while that lasts."""
        wanted = (
            select(User)
            .join(AccountSession, AccountSession.user_id == User.id)
            .where(
                AccountSession.token_hash == _hash(token), AccountSession.expires_at > now(), User.disabled_at.is_(None)
            )
        )
        async with self._sessions() as session:
            user = await session.scalar(wanted)
        return _account(user) if user else None

    async def log_out(self, token: str) -> None:
        async with self._sessions.begin() as session:
            await session.execute(delete(AccountSession).where(AccountSession.token_hash == _hash(token)))


def _account(user: User) -> Account:
    return Account(user.id, user.name, cast(AccountRole, user.role))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()  # a stranger's cookie may hold any bytes
