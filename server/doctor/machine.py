"""Checks of the machine: data folder, database, ports, addresses, TLS, clock, limits."""

from __future__ import annotations

import asyncio
import ctypes
import ipaddress
import json
import os
import resource
import sqlite3
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server import tls
from server.data_folder import DataFolder, Running
from server.doctor.finding import Finding
from server.failure import CannotWorkError
from server.listeners import bind_media, listen, local_addresses
from server.pages import DIST
from server.settings import Settings

LESSON_BYTES_PER_HOUR = 800_000_000  # camera at 1.5 Mb/s, screen, sound
SLOW_DISK = 0.25  # seconds for one small durable write
SOON = timedelta(days=30)
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def data_folder(settings: Settings) -> Iterator[Finding]:
    """Writable, and with room for lessons."""
    data = DataFolder(settings.data)
    begun = time.monotonic()
    try:
        data.prepare(settings)
    except CannotWorkError as error:
        yield Finding("data folder", "bad", str(error))
        return
    took = time.monotonic() - begun
    yield Finding("data folder", "ok", f"{settings.data.absolute()} can be written.")
    if took > SLOW_DISK * 3:  # three folders are tried
        yield Finding("disk", "warn", f"A durable write takes {took / 3:.2f} s.", "Use a faster or less busy disk.")
    space = os.statvfs(settings.archive)
    free = space.f_bavail * space.f_frsize
    hours = free / LESSON_BYTES_PER_HOUR
    says = f"{free / 1e9:.1f} GB free: about {hours:.0f} hours of lessons."
    if hours < 1:
        yield Finding("disk", "bad", says, "Make room, or put the archive on a larger disk (--archive-url).")
    elif hours < 20:
        yield Finding("disk", "warn", says, "Make room before the next lessons.")
    else:
        yield Finding("disk", "ok", says)


def database(settings: Settings) -> Iterator[Finding]:
    """Reachable; nothing in it is changed."""
    if settings.database.startswith("sqlite"):
        path = Path(settings.database.partition(":///")[2])
        if not path.exists():
            yield Finding("database", "ok", f"{path} will be made at the first start.")
            return
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2) as connection:
                found = connection.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.Error as error:
            yield Finding("database", "bad", f"{path} cannot be read: {error}.", "Restore it from a backup.")
            return
        if found != "ok":
            yield Finding("database", "bad", f"{path} is damaged: {found}.", "Restore it from a backup.")
        else:
            yield Finding("database", "ok", f"{path} is sound.")
        return
    from server.database import create_engine, unreachable

    async def reach() -> str:
        engine = create_engine(settings.database)
        try:
            async with engine.connect():
                return ""
        except Exception as error:
            return unreachable(engine, error)
        finally:
            await engine.dispose()

    if problem := asyncio.run(reach()):
        yield Finding("database", "bad", problem, "Check --database-url and that the database runs.")
    else:
        yield Finding("database", "ok", "It answers.")


def ports(settings: Settings, running: Running | None) -> Iterator[Finding]:
    """Free, or held by this installation's running server."""
    if running is not None:
        yield Finding("ports", "ok", f"A server runs with this data folder (process {running.pid}, {running.url}).")
        yield _running(running)
        return
    for flag, name, address in (("--http", "http", settings.http), ("--https", "https", settings.https)):
        if address is None:
            continue
        try:
            listen(address, flag).close()
            yield Finding(f"port {name}", "ok", f"TCP {address} is free.")
        except CannotWorkError as error:
            yield Finding(f"port {name}", "bad", str(error))
    try:
        media = bind_media(settings.media_port, settings.worker_count)
    except CannotWorkError as error:
        yield Finding("port media", "bad", str(error))
        return
    for one in media:
        one.close()
    workers = f"{len(media)} worker{'s' if len(media) > 1 else ''}"
    numbers = f"UDP and TCP {_range(media[0].port, media[-1].port)}" if settings.media_port else "any free ports"
    yield Finding("port media", "ok", f"{numbers} can be used on {len(media[0].sockets)} addresses by {workers}.")


def _running(running: Running) -> Finding:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(running.url + "/readyz", timeout=3).close()
    except urllib.error.HTTPError as error:
        try:
            detail = json.loads(error.read()).get("detail", "")
        except ValueError:
            detail = ""
        return Finding("server", "bad", f"It is not ready: {detail or error.code}.", "Read its log on stderr.")
    except OSError as error:
        return Finding("server", "bad", f"It does not answer: {error}.", "Start it again and read its log on stderr.")
    return Finding("server", "ok", "It is ready: database, media workers and recorder answer.")


def addresses(settings: Settings) -> Iterator[Finding]:
    """Where browsers will send their media."""
    own = [ipaddress.ip_address(text) for text in local_addresses()]
    outward = [ip for ip in own if not ip.is_loopback]
    if settings.public_ip:
        yield Finding(
            "addresses",
            "ok",
            f"Announced to browsers: {', '.join(settings.public_ip)}.",
            "" if any(str(ip) in settings.public_ip for ip in own) else _forwarding(settings),
        )
    elif not outward:
        yield Finding(
            "addresses",
            "warn",
            "Only loopback: nobody but this machine can take part.",
            "Connect a network, or name the address others use with --public-ip.",
        )
    else:
        wide = any(ip.is_global for ip in outward)
        yield Finding(
            "addresses",
            "ok",
            f"{', '.join(map(str, outward))}: " + ("reachable from the internet." if wide else "this network only."),
            "" if wide else "For classes elsewhere, forward the media ports here and name the outer --public-ip.",
        )


def _forwarding(settings: Settings) -> str:
    last = settings.media_port + settings.worker_count - 1
    ports = _range(settings.media_port, last)
    return f"Forward UDP and TCP {ports} there to this machine, with the same port numbers."


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def certificate(settings: Settings) -> Iterator[Finding]:
    """A certificate that browsers can use."""
    if settings.https is None:
        yield Finding(
            "tls",
            "warn",
            "TLS is off: browsers give camera and microphone only to http://localhost then.",
            "Put a TLS proxy in front, or leave --no-https out.",
        )
        return
    path, key = tls.files(settings)
    own = settings.tls_cert is None
    if own and not path.exists():
        yield Finding("tls", "ok", "A self-signed certificate will be made at the first start.", _SELF_SIGNED)
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key)
        ends, names = tls.expires(path), tls.names(path)
    except (OSError, ValueError) as error:
        yield Finding("tls", "bad", f"{path} with {key} cannot be used: {error}.", "Give a PEM chain and its key.")
        return
    left = ends - datetime.now(UTC)
    if left < timedelta(0):
        yield Finding("tls", "bad", f"{path} ended on {ends:%Y-%m-%d}.", "Renew it and start the server again.")
    elif left < SOON and not own:
        yield Finding("tls", "warn", f"{path} ends on {ends:%Y-%m-%d}.", "Renew it.")
    elif own:
        missing = sorted(set(local_addresses()) - names)
        yield Finding(
            "tls",
            "warn" if missing else "ok",
            f"Self-signed until {ends:%Y-%m-%d}" + (f", not for {', '.join(missing)}." if missing else "."),
            f"Remove {path} to have one made for all addresses." if missing else _SELF_SIGNED,
        )
    else:
        yield Finding("tls", "ok", f"{path} is for {', '.join(sorted(names))}, until {ends:%Y-%m-%d}.")


_SELF_SIGNED = "Browsers warn about it once; for none, give a certificate with --tls-cert and --tls-key."


def clock() -> Iterator[Finding]:
    """Kept right by something; the kernel knows."""
    if sys.platform != "linux":
        yield Finding("clock", "ok", f"It says {datetime.now().astimezone():%Y-%m-%d %H:%M:%S %Z}.")
        return
    status = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))  # struct timex, modes 0
    says = f"It says {datetime.now().astimezone():%Y-%m-%d %H:%M:%S %Z}"
    if status == -1:
        yield Finding("clock", "ok", f"{says}; the kernel does not tell whether it is synchronised.")
    elif status == _TIME_ERROR:
        yield Finding("clock", "warn", f"{says} and is not synchronised.", "Run chrony or systemd-timesyncd.")
    else:
        yield Finding("clock", "ok", f"{says} and is synchronised.")


def limits() -> Iterator[Finding]:
    """Enough open files for a few hundred classes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        yield Finding("open files", "warn", f"At most {hard}.", "Raise the limit (LimitNOFILE, ulimit -Hn) to 65536.")
    else:
        yield Finding("open files", "ok", "As many as a few hundred classes need.")


def pages() -> Iterator[Finding]:
    """The pages are built."""
    if (DIST / "index.html").is_file():
        yield Finding("pages", "ok", "They are built.")
    else:
        yield Finding("pages", "bad", "They are not built.", "Run `make setup` in the repository.")
