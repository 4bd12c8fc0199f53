"""A Redis of a test run's own, on a Unix socket and without a disk."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError


def binary() -> str | None:
    """Where redis-server is, if it is installed."""
    return shutil.which("redis-server")


@contextlib.contextmanager
def server(binary: str) -> Iterator[str]:
    """A running one; gives the URL of its first database."""
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:  # socket paths are short
        path = Path(folder) / "redis.sock"
        command = [binary, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        url = f"unix://{path}"
        try:
            deadline = time.monotonic() + 20
            while True:
                with contextlib.suppress(RedisError), Redis.from_url(url) as client:
                    client.ping()
                    break
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.02)
            yield url
        finally:
            process.terminate()
            process.wait(20)
