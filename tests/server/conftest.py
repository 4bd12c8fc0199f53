"""The two databases, for tests of what must be the same on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.settings import Settings
from tests.support import postgres


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Cluster]:
    """A PostgreSQL of this run's own."""
    bin = postgres.binaries()
    if bin is None:
        pytest.skip("PostgreSQL's server (initdb, postgres) is not installed")
    with postgres.cluster(bin) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, as `--database-url` names it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'x.db'}"
    cluster: postgres.Cluster = request.getfixturevalue("postgresql")
    return cluster.url()


@pytest.fixture
def database(database_url: str) -> str:
    """The same as SQLAlchemy takes it."""
    return Settings(database_url=database_url).database
