"""Links that give a password: an administrator hands one to a person, who chooses the password. Each works once.

Nobody but that person ever knows the password, and the database keeps only the hash of what is in the link.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from server.accounts.model import AccountLink, AccountSession, User
from server.accounts.passwords import hash_password
from server.accounts.roles import AccountRole
from server.accounts.scope import Place
from server.accounts.store import AccountUnknownError, NameTakenError, OutOfReachError, place_of
from server.audit.model import AuditEntry
from server.database import now

INVITED = timedelta(days=7)  # a person reads the message after the weekend
RESET = timedelta(days=1)  # somebody waits for it
MOST = 200  # links of one administrator that nobody has used yet


class LinkUnknownError(Exception):
    """The link was used, is too old, or never was."""


class TooManyLinksError(Exception):
    """This administrator has given out as many links as may wait."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link gives: a password to the account `name`, or a new account of this role."""

    name: str  # of a new account: proposed, and may be empty
    role: AccountRole
    new: bool
    expires_at: datetime


class AccountLinks:
    def __init__(self, sessions: async_sessionmaker[Any]) -> None:
        self._sessions = sessions

    async def invite(
        self, place: Place, name: str = "", *, made_by: str | None = None, audit: AuditEntry | None = None
    ) -> tuple[str, Link]:
        """A link to a new account in this place. Raises TooManyLinksError."""
        async with self._sessions.begin() as session:
            return await self._make(session, None, place.tidy(), name, INVITED, made_by, audit)

    async def reset(
        self,
        user_id: str,
        *,
        may: Callable[[Place], bool] = lambda _: True,
        made_by: str | None = None,
        audit: AuditEntry | None = None,
    ) -> tuple[str, Link]:
        """A link to a new password; earlier ones of this account end.

        Raises AccountUnknownError, TooManyLinksError, and OutOfReachError where `may` is not true of the account.
        """
        async with self._sessions.begin() as session:
            user = await session.get(User, user_id, with_for_update=True)
            if user is None:
                raise AccountUnknownError(user_id)
            if not may(place_of(user)):
                raise OutOfReachError(user_id)
            await session.execute(delete(AccountLink).where(AccountLink.user_id == user_id))
            return await self._make(session, user_id, place_of(user), user.name, RESET, made_by, audit)

    async def look(self, token: str) -> Link:
        """What this link gives. Raises LinkUnknownError."""
        async with self._sessions() as session:
            return _link(await _find(session, token))

    async def use(self, token: str, name: str, password: str) -> str:
        """Take what the link gives, which ends it; the name of the account. A reset ends the account's sessions.

        Raises LinkUnknownError, and NameTakenError, after which the link may be tried with another name.
        """
        async with self._sessions() as session:
            await _find(session, token)  # a password costs 30 ms of CPU, a stranger's guess must not
        password_hash = await hash_password(password)
        try:
            async with self._sessions.begin() as session:
                row = await _find(session, token)
                gone = await session.execute(delete(AccountLink).where(AccountLink.token_hash == row.token_hash))
                if not gone.rowcount:  # used twice at once
                    raise LinkUnknownError
                if row.user_id is None:
                    session.add(
                        User(
                            id=secrets.token_hex(8),
                            name=name,
                            role=row.role,
                            password_hash=password_hash,
                            created_at=now(),
                            school_id=row.school_id,
                            region=row.region,
                        )
                    )
                    return name
                user = await session.get(User, row.user_id)
                if user is None:
                    raise LinkUnknownError
                await session.execute(update(User).where(User.id == user.id).values(password_hash=password_hash))
                await session.execute(delete(AccountSession).where(AccountSession.user_id == user.id))
                known: str = user.name
                return known
        except IntegrityError as error:
            raise NameTakenError(name) from error

    async def _make(
        self,
        session: AsyncSession,
        user_id: str | None,
        place: Place,
        name: str,
        lasts: timedelta,
        made_by: str | None,
        audit: AuditEntry | None,
    ) -> tuple[str, Link]:
        token, moment = secrets.token_urlsafe(24), now()
        await session.execute(delete(AccountLink).where(AccountLink.expires_at < moment))
        waiting = await session.scalar(select(func.count()).where(AccountLink.made_by == made_by))
        if made_by is not None and (waiting or 0) >= MOST:
            raise TooManyLinksError
        row = AccountLink(
            token_hash=_hash(token),
            user_id=user_id,
            role=place.role,
            name=name,
            created_at=moment,
            expires_at=moment + lasts,
            school_id=place.school_id,
            region=place.region,
            made_by=made_by,
        )
        session.add(row)
        if audit is not None:
            session.add(audit)
        return token, _link(row)


async def _find(session: AsyncSession, token: str) -> AccountLink:
    row: AccountLink | None = await session.get(AccountLink, _hash(token))
    if row is None or row.expires_at <= now():
        raise LinkUnknownError
    return row


def _link(row: AccountLink) -> Link:
    return Link(row.name, cast(AccountRole, row.role), row.user_id is None, row.expires_at)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
