"""Recordings whose media only the store has, as those who watch fetch them: like files that lie here."""

import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from recorder.places.stored import StorePlace
from recorder.places.uploader import Uploader
from server.archive.places import open_place, store_origin
from server.settings import Settings
from tests.recorder.places.recorded import record
from tests.server.application import Client, problem, running, token
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, S3Server, node, s3_server

SEGMENT = "tracks/p-0/seg-00001.m4s"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if node() is None:
        pytest.skip("the S3 server for tests is not installed: make .setup/store")
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def settings_for(s3: S3Server, data: Path, **more: str) -> Settings:
    return Settings(
        data=data,
        workers=1,
        archive_url=f"s3://lessons/{data.name}",
        archive_endpoint=s3.endpoint,
        archive_region="us-east-1",
        archive_access_key=ACCESS_KEY,
        archive_secret_key=SECRET_KEY,
        **more,  # type: ignore[arg-type]
    )


def freed(settings: Settings) -> bytes:
    """A recorded lesson whose segments are in the store only; gives the first one's bytes."""
    folder = record(settings.archive, "L1", 7)
    media = (folder / SEGMENT).read_bytes()
    place = open_place(settings)
    assert isinstance(place, StorePlace)
    Uploader(settings.archive, place.store, keep_s=0.0).once()
    assert not (folder / SEGMENT).exists()
    return media


@pytest.fixture
async def passed_on(s3: S3Server, tmp_path: Path) -> AsyncIterator[tuple[Client, bytes]]:
    settings = settings_for(s3, tmp_path)
    media = freed(settings)
    async with running(tmp_path, settings) as client:
        yield client, media


async def test_a_segment_comes_through_us_as_if_it_lay_here(passed_on: tuple[Client, bytes]) -> None:
    client, media = passed_on
    headers = token(client, "L1", "observer")
    reply = await client.get(f"/archive/L1/{SEGMENT}", headers=headers)
    assert (reply.status, await reply.read()) == (200, media)
    assert reply.content_type == "video/iso.segment"
    assert reply.headers["Cache-Control"].endswith("immutable")
    again = await client.get(f"/archive/L1/{SEGMENT}", headers={**headers, "If-None-Match": reply.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    head = await client.head(f"/archive/L1/{SEGMENT}", headers=headers)
    assert (head.status, head.content_length) == (200, len(media))


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("0-99", 0, 100), ("100-", 100, None), ("-50", -50, None), ("10-99999999", 10, None)]
)
async def test_a_range_comes_through_us(passed_on: tuple[Client, bytes], asked: str, start: int, end: int) -> None:
    client, media = passed_on
    reply = await client.get(
        f"/archive/L1/{SEGMENT}", headers={**token(client, "L1", "observer"), "Range": f"bytes={asked}"}
    )
    assert (reply.status, await reply.read()) == (206, media[start:end])
    first = start % len(media)
    assert reply.headers["Content-Range"] == f"bytes {first}-{first + len(media[start:end]) - 1}/{len(media)}"


async def test_a_range_beyond_the_end_and_a_part_of_another_file_are_told(passed_on: tuple[Client, bytes]) -> None:
    client, media = passed_on
    headers = token(client, "L1", "observer")
    beyond = await client.get(f"/archive/L1/{SEGMENT}", headers={**headers, "Range": f"bytes={len(media)}-"})
    assert await problem(beyond) == (416, "range_not_satisfiable")
    other = await client.get(
        f"/archive/L1/{SEGMENT}", headers={**headers, "Range": "bytes=0-9", "If-Range": '"another"'}
    )
    assert (other.status, await other.read()) == (200, media)


@pytest.mark.parametrize("path", ["tracks/p-0/seg-99999.m4s", "tracks/p-0/%2e%2e/seg-00001.m4s", ".stored.jsonl"])
async def test_what_is_in_no_store_is_unknown(passed_on: tuple[Client, bytes], path: str) -> None:
    client, _ = passed_on
    assert await problem(await client.get(f"/archive/L1/{path}", headers=token(client, "L1", "observer"))) == (
        404,
        "file_unknown",
    )


async def test_only_those_who_may_watch_get_it(passed_on: tuple[Client, bytes]) -> None:
    client, _ = passed_on
    assert await problem(await client.get(f"/archive/L1/{SEGMENT}")) == (401, "login_required")
    foreign = await client.get(f"/archive/L1/{SEGMENT}", headers=token(client, "L2", "observer"))
    assert await problem(foreign) == (403, "token_foreign")


async def test_a_store_that_is_away_is_told_and_what_lies_here_goes_on(s3: S3Server, tmp_path: Path) -> None:
    settings = settings_for(s3, tmp_path)
    freed(settings)
    async with running(tmp_path, settings) as client:
        headers = token(client, "L1", "observer")
        s3.kill()
        try:
            reply = await client.get(f"/archive/L1/{SEGMENT}", headers=headers)
            assert "Retry-After" in reply.headers
            assert await problem(reply) == (503, "store_unreachable")
            assert (await client.get("/archive/L1/master.m3u8", headers=headers)).status == 200
            described = await client.get("/healthz")
            assert described.status == 200
        finally:
            s3.start()
        assert (await client.get(f"/archive/L1/{SEGMENT}", headers=headers)).status == 200


async def test_a_signed_address_leads_to_the_store_and_playlists_stay_ours(s3: S3Server, tmp_path: Path) -> None:
    settings = settings_for(s3, tmp_path, archive_playback="redirect")
    media = freed(settings)
    async with running(tmp_path, settings) as client:
        headers = token(client, "L1", "observer")
        reply = await client.get(f"/archive/L1/{SEGMENT}", headers=headers, allow_redirects=False)
        assert reply.status == 307
        assert reply.headers["Location"].startswith(s3.endpoint)
        assert SECRET_KEY not in reply.headers["Location"].replace(f"Credential={ACCESS_KEY}", "")
        with urllib.request.urlopen(reply.headers["Location"]) as fetched:
            assert fetched.read() == media
        assert (await client.get("/archive/L1/master.m3u8", headers=headers, allow_redirects=False)).status == 200
        page = await client.get("/replay/L1")
        if page.status == 200:  # where the pages are built
            assert f"media-src 'self' blob: {store_origin(settings)}" in page.headers["Content-Security-Policy"]
