"""Whether the S3 store that is the archive takes recordings, gives them back, and may delete them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from recorder.places.place import PlaceError
from recorder.places.store import Digest
from recorder.places.uploader import read_status
from server.archive.places import open_store
from server.doctor.finding import Finding
from server.settings import Settings

PROBE = ".tongke-doctor-"  # no lesson is called so
LONG = 3600.0  # seconds a file may wait until something is probably wrong


def store(settings: Settings) -> Iterator[Finding]:
    """Write a small object, read it and delete it; nothing where the archive is a folder."""
    if not settings.archive_in_store:
        return
    body = secrets.token_bytes(64)
    path, digest = PROBE + secrets.token_hex(4), Digest.of(body)
    try:
        place = open_store(settings, settings.archive_url)
        place.put(path, body, digest)
        good = place.sha256(path) == digest.sha256
        place.delete([path])
    except (PlaceError, ValueError) as error:
        yield Finding(
            "store",
            "bad",
            f"the archive's store cannot be used: {error}",
            "Lessons go on and are kept on this disk until it can. Check --archive-url, --archive-endpoint,"
            " --archive-region and the credentials, which must allow to list, read, write and delete.",
        )
        return
    if not good:
        yield Finding("store", "bad", f"{place.name} does not give back what it was given", "Use another store.")
        return
    queue = read_status(settings.archive)
    if queue is not None and queue.oldest_s > LONG:
        waits = f"{queue.waiting_files} files ({queue.waiting_bytes / 1e9:.1f} GB), since {queue.oldest_s / 3600:.0f} h"
        yield Finding(
            "store",
            "warn",
            f"{place.name} works, but {waits} wait for it",
            "The line to it may be too thin for what is recorded; watch tongke_archive_waiting_bytes.",
        )
        return
    yield Finding("store", "ok", f"{place.name} takes recordings")
