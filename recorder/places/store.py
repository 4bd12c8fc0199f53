"""A store of objects behind the archive: an S3-compatible one, or for moving lessons a plain folder.

What is put is confirmed before anyone may rely on it: the store's answer must carry the MD5 of the bytes that were
sent, as S3 has it, and where its ETag is something else (encryption by key, other engines) the object is read back.
Faults come as PlaceError with one line that never holds a credential.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, S3Store

from recorder.places.place import PlaceError

PIECE = 8 * 1024 * 1024  # bytes; larger files are sent in pieces of this size, and so is read back
READ = 1024 * 1024  # bytes read from a file at a time
TIMEOUT_S = 30  # for one request with its body: 8 MiB on a line of 2.3 Mb/s
CONNECT_S = 5


@dataclass(frozen=True, slots=True)
class Access:
    """How an S3 store is reached. What is empty comes from the environment's AWS_* variables."""

    endpoint: str = ""
    region: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Digest:
    """Of a file's bytes."""

    size: int
    sha256: str
    md5: str  # as S3 would make it, of the whole or of its pieces

    @classmethod
    def of(cls, body: Path | bytes) -> Digest:
        """Of a file or of bytes. Raises OSError."""
        whole, sha, piece, pieces, size = hashlib.md5(), hashlib.sha256(), hashlib.md5(), [], 0  # noqa: S324
        for data in _read(body):
            whole.update(data)
            sha.update(data)
            piece.update(data)
            size += len(data)
            if size % PIECE == 0:  # READ divides PIECE
                pieces.append(piece.digest())
                piece = hashlib.md5()  # noqa: S324
        if size <= PIECE:
            return cls(size, sha.hexdigest(), whole.hexdigest())
        if size % PIECE:
            pieces.append(piece.digest())
        return cls(size, sha.hexdigest(), f"{hashlib.md5(b''.join(pieces)).hexdigest()}-{len(pieces)}")  # noqa: S324


@dataclass(frozen=True, slots=True)
class Object:
    path: str
    size: int
    etag: str  # without quotes


class UnconfirmedError(PlaceError):
    """The store has other bytes than were sent."""


class Store:
    def __init__(self, objects: S3Store | LocalStore | MemoryStore, name: str) -> None:
        self.name = name  # for people: the URL without anything secret
        self._objects = objects

    @classmethod
    def open(cls, url: str, access: Access = Access()) -> Store:
        """The store at s3://bucket/prefix, file:///folder or a path. Nothing is asked yet. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme in ("", "file"):
            folder = Path(unquote(parts.path))
            if not parts.path or parts.netloc:
                raise ValueError(f"{url!r} names no folder")
            return cls(LocalStore(folder.absolute(), mkdir=True), str(folder))
        if parts.scheme != "s3" or not parts.hostname or parts.username or parts.query:
            raise ValueError("a store is given as s3://bucket/prefix")
        given: dict[str, Any] = {}
        if access.endpoint:
            given["endpoint"] = access.endpoint
        if access.region:
            given["region"] = access.region
        if access.access_key:
            given |= {"access_key_id": access.access_key, "secret_access_key": access.secret_key}
        prefix = parts.path.strip("/")
        try:
            objects = S3Store(
                parts.hostname,
                prefix=prefix or None,
                client_options={
                    "allow_http": access.endpoint.startswith("http://"),
                    "timeout": timedelta(seconds=TIMEOUT_S),
                    "connect_timeout": timedelta(seconds=CONNECT_S),
                },
                retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=2 * TIMEOUT_S)},
                **given,
            )
        except BaseError as error:
            raise ValueError(_line(error)) from error
        return cls(objects, f"s3://{parts.hostname}/{prefix}".rstrip("/"))

    def put(self, path: str, body: Path | bytes, digest: Digest, content_type: str = "") -> str:
        """Bring a file or bytes there and be sure of it; gives the ETag. Raises PlaceError, and OSError of the file."""
        attributes = {"Content-Type": content_type} if content_type and isinstance(self._objects, S3Store) else None
        try:
            result = obstore.put(
                self._objects,
                path,
                body,
                attributes=attributes,
                use_multipart=digest.size > PIECE,
                chunk_size=PIECE,
                max_concurrency=2,
            )
        except FileNotFoundError as error:
            if isinstance(body, Path) and not body.exists():
                raise
            raise PlaceError(f"{self.name} has no such bucket") from error
        except BaseError as error:
            raise PlaceError(_line(error)) from error
        etag = (result["e_tag"] or "").strip('"')
        if etag != digest.md5 and self.sha256(path) != digest.sha256:
            raise UnconfirmedError(f"{self.name}: {path} arrived with other bytes")
        return etag

    def head(self, path: str) -> Object | None:
        """What the store says of an object, None if it has none. Raises PlaceError."""
        try:
            found = obstore.head(self._objects, path)
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise PlaceError(_line(error)) from error
        return Object(path, found["size"], (found["e_tag"] or "").strip('"'))

    def sha256(self, path: str, start: int = 0, size: int | None = None) -> str | None:
        """Of an object's bytes or a stretch of them, read back; None if it is not there. Raises PlaceError."""
        digest, at = hashlib.sha256(), 0
        for data in self.pieces(path):
            piece = data[max(0, start - at) :] if size is None else data[max(0, start - at) : max(0, start + size - at)]
            digest.update(piece)
            at += len(data)
        return digest.hexdigest() if at or self.head(path) else None

    def pieces(self, path: str) -> Iterator[bytes]:
        """An object's bytes; none at all for one that is not there. Raises PlaceError."""
        try:
            for data in obstore.get(self._objects, path).stream(min_chunk_size=READ):
                yield bytes(data)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise PlaceError(_line(error)) from error

    def fetch(self, path: str, to: Path) -> str | None:
        """Write an object to a file, in one step; gives its sha256, None if it is not there. PlaceError, OSError."""
        fresh = to.with_name(to.name + ".new")
        digest, found = hashlib.sha256(), False
        try:
            with fresh.open("wb") as file:
                for data in self.pieces(path):
                    found = True
                    digest.update(data)
                    file.write(data)
            if not found and self.head(path) is None:
                return None
            fresh.replace(to)
            return digest.hexdigest()
        finally:
            fresh.unlink(missing_ok=True)

    async def read(self, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes of an object from `start` up to, without, `end`. Raises PlaceError."""
        try:
            result = await obstore.get_async(self._objects, path, options={"range": (start, end)})
            async for data in result.stream(min_chunk_size=128 * 1024):
                yield bytes(data)
        except (BaseError, FileNotFoundError) as error:
            raise PlaceError(_line(error)) from error

    def sign(self, path: str, expires_s: int) -> str:
        """An address from which anyone can fetch the object for a while. Raises PlaceError, also for a folder."""
        if not isinstance(self._objects, S3Store):
            raise PlaceError(f"{self.name} signs no addresses")
        try:
            return obstore.sign(self._objects, "GET", path, timedelta(seconds=expires_s))
        except BaseError as error:
            raise PlaceError(_line(error)) from error

    def objects(self, prefix: str = "") -> Iterator[Object]:
        """All objects below a prefix that ends at a slash. Raises PlaceError."""
        try:
            for chunk in obstore.list(self._objects, prefix or None):
                for found in chunk:
                    yield Object(found["path"], found["size"], (found["e_tag"] or "").strip('"'))
        except (BaseError, FileNotFoundError) as error:
            raise PlaceError(_line(error)) from error

    def folders(self) -> list[str]:
        """The names before the first slash. Raises PlaceError."""
        try:
            found = obstore.list_with_delimiter(self._objects)["common_prefixes"]
        except (BaseError, FileNotFoundError) as error:
            raise PlaceError(_line(error)) from error
        return sorted(name.strip("/") for name in found)

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects; those that are not there are no error. Raises PlaceError."""
        wanted = list(paths)
        try:
            for at in range(0, len(wanted), 1000):
                obstore.delete(self._objects, wanted[at : at + 1000])
        except FileNotFoundError:
            pass  # a folder's, of which another has just deleted one
        except BaseError as error:
            raise PlaceError(_line(error)) from error


def _read(body: Path | bytes) -> Iterator[bytes]:
    if isinstance(body, bytes):
        for at in range(0, len(body), READ):
            yield body[at : at + READ]
        return
    with body.open("rb") as file:
        while data := file.read(READ):
            yield data


def _line(error: Exception) -> str:
    """The first line of what went wrong, shortened; the lines after it show requests in full."""
    text = str(error).split("\n", 1)[0].split("?", 1)[0]
    return text if len(text) <= 300 else text[:300] + "…"
