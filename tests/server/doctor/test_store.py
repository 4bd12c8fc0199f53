"""The doctor tries the archive's store as the uploader will, and says what to do."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from recorder.places.uploader import STATUS, Status
from server.doctor.store import store
from server.settings import Settings
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, S3Server, node, s3_server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if node() is None:
        pytest.skip("the S3 server for tests is not installed: make .setup/store")
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def settings(s3: S3Server, tmp_path: Path) -> Settings:
    return Settings(
        data=tmp_path,
        archive_url="s3://lessons/doctor",
        archive_endpoint=s3.endpoint,
        archive_region="us-east-1",
        archive_access_key=ACCESS_KEY,
        archive_secret_key=SECRET_KEY,
    )


def test_a_store_that_works_is_fine_and_keeps_nothing_of_the_check(settings: Settings, s3: S3Server) -> None:
    assert [finding.status for finding in store(settings)] == ["ok"]
    assert list(s3.store("doctor").objects()) == []


def test_wrong_credentials_and_a_bucket_that_is_not_there_are_told(settings: Settings) -> None:
    for wrong in ({"archive_secret_key": "not-the-secret"}, {"archive_url": "s3://none/x"}):
        (finding,) = store(replace(settings, **wrong))  # type: ignore[arg-type]
        assert finding.status == "bad"
        assert finding.do
        assert "not-the-secret" not in finding.says


def test_files_that_wait_for_long_are_told(settings: Settings) -> None:
    settings.archive.mkdir()
    (settings.archive / STATUS).write_text(json.dumps(asdict(Status(True, 12, 3 * 10**9, 7300.0, 0, 0, 0, ""))))
    (finding,) = store(settings)
    assert finding.status == "warn"
    assert "12 files (3.0 GB), since 2 h" in finding.says


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    assert list(store(Settings(data=tmp_path))) == []
