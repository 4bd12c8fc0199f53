"""A store of objects over HTTP: what was put is there, whole, and what is wrong is said without secrets."""

import hashlib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from recorder.places.place import PlaceError
from recorder.places.store import PIECE, Access, Digest, Store, UnconfirmedError
from tests.support.s3 import S3Server

BODY = bytes(range(256)) * 400


def put(store: Store, path: str, body: bytes | Path = BODY) -> Digest:
    digest = Digest.of(body)
    store.put(path, body, digest, "video/iso.segment")
    return digest


def test_what_was_put_is_there(store: Store) -> None:
    digest = put(store, "L1/tracks/p+2/seg-00001.m4s")
    found = store.head("L1/tracks/p+2/seg-00001.m4s")
    assert found is not None
    assert (found.size, found.etag) == (len(BODY), digest.md5)
    assert store.sha256("L1/tracks/p+2/seg-00001.m4s") == digest.sha256 == hashlib.sha256(BODY).hexdigest()
    assert [found.path for found in store.objects("L1/")] == ["L1/tracks/p+2/seg-00001.m4s"]
    put(store, "L1/manifest.json")
    assert store.folders() == ["L1"]


def test_a_large_file_goes_in_pieces_and_is_confirmed(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "video.webm"
    path.write_bytes(BODY * (2 * PIECE // len(BODY) + 7))
    digest = put(store, "L1/video.webm", path)
    assert digest.md5.endswith("-3")
    assert store.sha256("L1/video.webm") == digest.sha256
    assert store.sha256("L1/video.webm", 100, 50) == hashlib.sha256(BODY[100:150]).hexdigest()


def test_other_bytes_than_were_meant_are_not_confirmed(store: Store) -> None:
    with pytest.raises(UnconfirmedError):
        store.put("L1/x.m4s", BODY, Digest.of(BODY + b"!"))


def test_what_is_not_there_is_said_so(store: Store, tmp_path: Path) -> None:
    assert store.head("L1/none") is None
    assert store.sha256("L1/none") is None
    assert store.fetch("L1/none", tmp_path / "none") is None
    assert list(tmp_path.iterdir()) == []
    assert list(store.objects("L1/")) == []
    store.delete(["L1/none"])


def test_a_file_is_fetched_in_one_step(store: Store, tmp_path: Path) -> None:
    digest = put(store, "L1/x.m4s")
    assert store.fetch("L1/x.m4s", tmp_path / "x.m4s") == digest.sha256
    assert (tmp_path / "x.m4s").read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["x.m4s"]


async def test_a_stretch_is_read_in_pieces(store: Store) -> None:
    put(store, "L1/x.m4s")
    assert b"".join([data async for data in store.read("L1/x.m4s", 300, 1000)]) == BODY[300:1000]


def test_a_signed_address_serves_ranges_and_cannot_be_changed(store: Store) -> None:
    put(store, "L1/x.m4s")
    put(store, "L1/y.m4s")
    url = store.sign("L1/x.m4s", 60)
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": "bytes=10-19"})) as reply:
        assert (reply.status, reply.read()) == (206, BODY[10:20])
        assert reply.headers["Content-Type"] == "video/iso.segment"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url.replace("x.m4s", "y.m4s"))


def test_a_wrong_secret_is_an_error_that_does_not_repeat_it(s3: S3Server) -> None:
    access = Access(s3.endpoint, "us-east-1", "S3RVER", "not-the-secret")
    with pytest.raises(PlaceError) as raised:
        put(Store.open("s3://lessons/x", access), "L1/x.m4s")
    assert "not-the-secret" not in str(raised.value) + repr(access)
    assert "\n" not in str(raised.value)


def test_a_bucket_that_is_not_there_is_the_stores_fault_and_not_the_files(s3: S3Server, tmp_path: Path) -> None:
    store = Store.open("s3://none/x", s3.access)
    (tmp_path / "x").write_bytes(BODY)
    for body in (BODY, tmp_path / "x"):
        with pytest.raises(PlaceError):
            put(store, "L1/x.m4s", body)
    for listing in (lambda: list(store.objects("L1/")), store.folders):
        with pytest.raises(PlaceError):
            listing()


def test_a_store_that_does_not_answer_is_an_error() -> None:
    store = Store.open("s3://lessons/x", Access("http://127.0.0.1:9", "us-east-1", "a", "b"))
    with pytest.raises(PlaceError):
        store.head("L1/x.m4s")


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///x", "gs://x/y", "https://x/y", "s3://user:secret@x/y", "file://host/x"]
)
def test_what_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Store.open(url)


def test_a_folder_is_a_store_too(tmp_path: Path) -> None:
    store = Store.open(f"file://{tmp_path / 'other'}")
    digest = put(store, "L1/x.m4s")
    assert store.sha256("L1/x.m4s") == digest.sha256
    assert (tmp_path / "other" / "L1" / "x.m4s").read_bytes() == BODY
    assert store.folders() == ["L1"]
    with pytest.raises(PlaceError):
        store.sign("L1/x.m4s", 60)
