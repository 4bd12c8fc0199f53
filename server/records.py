"""The database as a command beside a running server opens it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from server.accounts.store import Accounts
from server.data_folder import PRIVATE, why_not
from server.database import create_engine, migrate, sessions, unreachable
from server.failure import CannotWorkError
from server.lessons.store import Lessons
from server.schools.store import Schools
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Records:
    accounts: Accounts
    lessons: Lessons
    schools: Schools


@contextlib.asynccontextmanager
async def open_records(settings: Settings) -> AsyncIterator[Records]:
    """The records, with their schema up to date. Raises CannotWorkError."""
    os.umask(PRIVATE)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWorkError(why_not(error, settings.data)) from error
    engine = create_engine(settings.database)
    try:
        await migrate(engine)
        factory = sessions(engine)
        yield Records(Accounts(factory), Lessons(factory), Schools(factory))
    except DBAPIError as error:
        raise CannotWorkError(unreachable(engine, error)) from error
    finally:
        await engine.dispose()
