"""A real coturn on free loopback ports, with the REST credentials that signaling/turn.py makes."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


def executable() -> str | None:
    return shutil.which("turnserver")


@asynccontextmanager
async def coturn(secret: str, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Its port, for UDP and TCP. It relays to addresses of this machine, which a real one should not."""
    binary = executable()
    assert binary is not None, "no coturn on this machine; tools/system-packages installs it"
    with socket.create_server((host, 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        process = await asyncio.create_subprocess_exec(
            *(binary, "-n", "--no-cli", "--no-tls", "--no-dtls", "--allow-loopback-peers", "--log-file", "stdout"),
            *("--listening-ip", host, "--relay-ip", host, "--listening-port", str(port)),
            *("--use-auth-secret", "--static-auth-secret", secret, "--realm", "tongke"),
            *("--userdb", f"{folder}/turndb", "--pidfile", f"{folder}/pid"),
            cwd=folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(10):
                while not await _listens(host, port):
                    assert process.returncode is None, "coturn does not start"
                    await asyncio.sleep(0.05)
            yield port
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
