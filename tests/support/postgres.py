"""A throw-away PostgreSQL: a cluster in a folder of its own, on a Unix socket, gone with its last test."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.supervisor import die_with_parent

USER = "tongke"
STARTED_WITHIN = 30.0  # seconds
# Nothing here must survive a loss of power.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "listen_addresses": "",
}


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL server on this machine, None if there is none."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), *Path("/usr/pgsql").glob("*/bin/initdb")]
    if (on_path := shutil.which("initdb")) is not None:
        found.append(Path(on_path))
    return max(found, key=_version).parent if found else None


class Cluster:
    """`url` makes a fresh, empty database and says where it is."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self._bin = bin
        self._folder = folder
        self._numbers = itertools.count(1)

    def url(self) -> str:
        name = f"lessons{next(self._numbers)}"
        command: list[str | Path] = [self._bin / "createdb", "-h", self._folder, "-U", USER, "-T", "template0", name]
        subprocess.run(command, cwd=self._folder, check=True)
        return f"postgresql://{USER}@/{name}?host={self._folder}"

    def reached(self) -> None:
        """Wait until it answers. Raises TimeoutError."""
        until = time.monotonic() + STARTED_WITHIN
        command: list[str | Path] = [self._bin / "pg_isready", "-q", "-h", self._folder, "-U", USER, "-d", "postgres"]
        while subprocess.run(command, cwd=self._folder, check=False).returncode != 0:
            if time.monotonic() > until:
                raise TimeoutError("PostgreSQL does not answer")
            time.sleep(0.05)


@contextmanager
def cluster(bin: Path) -> Iterator[Cluster]:
    """A running cluster. PostgreSQL refuses to be root, so root lets another user run it."""
    account = _somebody() if os.geteuid() == 0 else None
    who = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    folder = Path(tempfile.mkdtemp(prefix="tongke-pg-"))  # short: the path of a Unix socket is at most 107 bytes
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = folder / "data"
        made = [bin / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(made, cwd=folder, check=True, stdout=subprocess.DEVNULL, **who)  # type: ignore[call-overload]
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(  # type: ignore[call-overload]
                [bin / "postgres", "-D", data, "-k", folder, *settings],
                cwd=folder,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                **who,
            )
        try:
            running = Cluster(bin, folder)
            running.reached()
            yield running
        finally:
            server.terminate()  # waits for nobody: tests have closed their connections
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _somebody() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("no user but root")


def _version(initdb: Path) -> float:
    try:
        return float(initdb.parent.parent.name)
    except ValueError:
        return 0.0
