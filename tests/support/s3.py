"""A real S3 server process on a loopback port: s3rver from npm, which checks signatures and knows multipart uploads.

`.setup/store` of the Makefile installs it. It can be killed and started again on its port, as stores are.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder.places.store import Access, Store

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "s3rver"
ACCESS_KEY = SECRET_KEY = "S3RVER"


def node() -> str | None:
    """The Node.js to run it with, None where it is not installed."""
    if not (HERE / "node_modules" / "@20minutes").is_dir():
        return None
    return shutil.which("node", path=f"{ROOT / '.setup' / 'node'}{os.pathsep}{os.environ.get('PATH', '')}")


class S3Server:
    """Serves the bucket `lessons` from a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder  # objects lie below it, in a form of the server's own
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def access(self) -> Access:
        return Access(self.endpoint, "us-east-1", ACCESS_KEY, SECRET_KEY)

    def store(self, prefix: str = "archive") -> Store:
        return Store.open(f"s3://lessons/{prefix}", self.access)

    def start(self) -> None:
        """Start it, on the port it had before."""
        binary = node()
        assert binary is not None, "the S3 server for tests is not installed: make .setup/store"
        self._process = subprocess.Popen(
            [binary, str(HERE / "serve.cjs"), str(self.folder), str(self.port), "lessons"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.strip().isdecimal(), "the S3 server does not start"
        self.port = int(said)

    def freeze(self) -> None:
        """It takes connections and says nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    server = S3Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
