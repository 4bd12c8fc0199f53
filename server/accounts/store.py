"""Accounts and login sessions in the database."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from server.accounts.model import AccountLink, AccountSession, User
from server.accounts.passwords import hash_password, password_fits
from server.accounts.roles import AccountRole
from server.accounts.scope import Place, may_give
from server.audit.model import AuditEntry
from server.database import now
from server.schools.model import School

SESSION_TIME = timedelta(days=14)


class NameTakenError(Exception):
    """There is a user of this name already."""


class AccountUnknownError(Exception):
    """There is no account of this id."""


class OutOfReachError(Exception):
    """This account is not, or was not to become, one of those the administrator keeps."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who has logged in; `user_id` is None for an administrator known by a token only."""

    user_id: str | None
    name: str
    role: AccountRole
    school_id: str | None = None
    region: str = ""  # of a region's administrator
    school_ids: frozenset[str] = frozenset()  # the schools it keeps; an administrator keeps all and has none here

    def keeps(self, school_id: str | None) -> bool:
        """Whether this is an administrator of that school."""
        return self.role == "admin" or school_id in self.school_ids

    def may_give(self, place: Place) -> bool:
        return may_give(self.role, self.school_ids, place)


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
        return Account(user.id, user.name, role)

    async def find(self, name: str) -> Account | None:
        """The user of this name."""
        async with self._sessions() as session:
            user = await session.scalar(select(User).where(User.name == name))
            return await _account(session, user) if user else None

    async def get(self, user_id: str) -> User:
        """The user of this id. Raises AccountUnknownError."""
        async with self._sessions() as session:
            user: User | None = await session.get(User, user_id)
        if user is None:
            raise AccountUnknownError(user_id)
        return user

    async def set_password(self, name: str, password: str) -> None:
        """Give a user a new password and end their sessions."""
        password_hash = await hash_password(password)
        async with self._sessions.begin() as session:
            user = (await session.scalars(select(User).where(User.name == name))).one()
            user.password_hash = password_hash
            await session.execute(delete(AccountSession).where(AccountSession.user_id == user.id))

    async def all(self, by: Account | None = None) -> Sequence[User]:
        """Every account, or those of the schools this administrator keeps and the own one, by name."""
        wanted = select(User).order_by(User.name)
        if by is not None and by.role != "admin":
            wanted = wanted.where(or_(User.school_id.in_(by.school_ids), User.id == by.user_id))
        async with self._sessions() as session:
            found: Sequence[User] = (await session.scalars(wanted)).all()
        return found

    async def change(
        self,
        user_id: str,
        *,
        place: Callable[[Place], Place] = lambda before: before,
        disabled: bool | None = None,
        may: Callable[[Place], bool] = lambda _: True,
        audit: Sequence[AuditEntry] = (),
    ) -> User:
        """Give an account another role or place; close it, which ends its sessions, or open it again.

        Links to it, and those it gave out, end with its role and place: one for a teacher's password must not give
        an administrator's. Raises AccountUnknownError, and OutOfReachError where `may` is not true of before and after.
        """
        async with self._sessions.begin() as session:
            user = await session.get(User, user_id, with_for_update=True)
            if user is None:
                raise AccountUnknownError(user_id)
            before = place_of(user)
            after = place(before).tidy()
            if not (may(before) and may(after)):
                raise OutOfReachError(user_id)
            user.role, user.school_id, user.region = after.role, after.school_id, after.region
            if disabled is not None and disabled != (user.disabled_at is not None):
                user.disabled_at = now() if disabled else None
            if disabled:
                await session.execute(delete(AccountSession).where(AccountSession.user_id == user_id))
            if disabled or before != after:
                ended = or_(AccountLink.user_id == user_id, AccountLink.made_by == user_id)
                await session.execute(delete(AccountLink).where(ended))
            session.add_all(audit)
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
            return await _account(session, user), token

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
            return await _account(session, user) if user else None

    async def log_out(self, token: str) -> None:
        async with self._sessions.begin() as session:
            await session.execute(delete(AccountSession).where(AccountSession.token_hash == _hash(token)))


def place_of(user: User) -> Place:
    return Place(cast(AccountRole, user.role), user.school_id, user.region)


async def _account(session: AsyncSession, user: User) -> Account:
    """With the schools it keeps as they are now, so that a right that is taken away ends with the next request."""
    kept: frozenset[str] = frozenset()
    if user.role == "school_admin" and user.school_id is not None:
        kept = frozenset({user.school_id})
    elif user.role == "region_admin" and user.region:
        kept = frozenset(await session.scalars(select(School.id).where(School.region == user.region)))
    return Account(user.id, user.name, cast(AccountRole, user.role), user.school_id, user.region, kept)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()  # a stranger's cookie may hold any bytes
