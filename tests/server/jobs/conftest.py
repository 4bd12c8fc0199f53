"""The two stores of jobs, for tests of what must be the same in both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from server.jobs.queue import Queue
from tests.support import redis


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    binary = redis.binary()
    if binary is None:
        pytest.skip("redis-server is not installed")
    with redis.server(binary) as url:
        yield url


@pytest.fixture(params=["sqlite", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """What `--redis-url` says: nothing, or an empty Redis."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("redis_server")
    with Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture
def queue(tmp_path: Path, redis_url: str) -> Iterator[Queue]:
    queue = Queue(tmp_path, redis_url)
    yield queue
    queue.close()
