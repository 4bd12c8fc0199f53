"""A whole node whose archive is an S3 store: what is recorded goes there by itself, whatever dies on the way."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.recorder.places.recorded import record
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, node, s3_server
from tests.support.server import Tongke


async def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.1)


def uploader(data: Path) -> psutil.Process | None:
    """The process that sends this node's recordings."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "recorder.places" in words and str(data / "archive") in words:
            return process
    return None


async def test_a_node_sends_its_recordings_and_its_credentials_are_seen_nowhere(tmp_path: Path) -> None:
    if node() is None:
        pytest.skip("the S3 server for tests is not installed: make .setup/store")
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    record(data / "archive", "L1", 7)
    config = tmp_path / "tongke.toml"
    config.write_text(f'archive_access_key = "{ACCESS_KEY}"\narchive_secret_key = "{SECRET_KEY}"\n')
    with s3_server(tmp_path / "s3") as s3:
        store = s3.store("bj")
        flags = ("--archive-url", "s3://lessons/bj", "--archive-endpoint", s3.endpoint, "--archive-region", "us-east-1")
        async with Tongke(data, *flags, "--config", str(config)) as tongke:
            await until(lambda: store.head("L1/manifest.json"))
            killed = uploader(data)
            assert killed is not None
            words = " ".join(killed.cmdline())
            killed.kill()
            record(elsewhere, "L2", 7).rename(data / "archive" / "L2")
            await until(lambda: store.head("L2/manifest.json"))
            metrics = (await tongke.request("GET", "/metrics")).body.decode()
            assert "tongke_archive_store_reachable 1.0" in metrics
            log = tongke.log
    assert SECRET_KEY not in words + log
