"""A store of objects for each test: an S3 server of this run, below a prefix of the test's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.places.store import Store
from tests.support.s3 import S3Server, node, s3_server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The server; whoever kills it starts it again."""
    if node() is None:
        pytest.skip("the S3 server for tests is not installed: make .setup/store")
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def store(s3: S3Server) -> Store:
    return s3.store(f"archive-{next(_numbers)}")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An empty archive's folder."""
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder
