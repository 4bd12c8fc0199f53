import asyncio
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from recorder.manifest import Manifest, TrackEntry, write_manifest
from server.recording import RecorderAttachment
from tests.server.application import Client, add_user, log_in, problem, running, token

SEGMENT = bytes(range(256)) * 40


async def recorded(client: Client, data: Path, status: Any = "ready") -> str:
    """A lesson with a recording of one track, as the recorder leaves it."""
    response = await client.post("/api/lessons", json={"title": "草原"}, headers=token(client, "", "admin"))
    lesson_id: str = (await response.json())["lesson_id"]
    folder = data / "archive" / lesson_id
    (folder / "tracks" / "p-0").mkdir(parents=True)
    (folder / "tracks" / "p-0" / "seg-1.m4s").write_bytes(SEGMENT)
    (folder / "tracks" / "p-0" / "index.m3u8").write_text("#EXTM3U\n")
    (folder / "master.m3u8").write_text("#EXTM3U\n")
    (folder / ".secret.m3u8").write_text("hidden")
    (folder / "manifest.json.new").write_text("half")
    track = TrackEntry("p-0", "p-0", "t-1", "video", "camera", True, "H264", 90000, "tracks/p-0/index.m3u8")
    track = replace(track, start_ms=10, duration_ms=2000)
    write_manifest(folder, Manifest(lesson_id, 0, "草原", status, duration_ms=2000, tracks=[track]))
    return lesson_id


async def test_a_recording_is_described_to_those_who_may_watch(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        path = f"/api/lessons/{lesson_id}/recording"
        found = await (await client.get(path, headers=token(client, lesson_id, "receiving_class"))).json()
        assert (found["status"], found["duration_ms"]) == ("ready", 2000)
        assert found["tracks"][0]["playlist"] == "tracks/p-0/index.m3u8"
        foreign = await client.get(path, headers=token(client, "other", "observer"))
        assert await problem(foreign) == (403, "token_foreign")


async def test_who_saw_a_recording_or_took_a_file_of_it_stands_in_the_audit_trail(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        folder = tmp_path / "archive" / lesson_id / "export"
        folder.mkdir()
        (folder / "camera.mp4").write_bytes(SEGMENT)
        pupils = token(client, lesson_id, "receiving_class", name="六(2)班")
        for _ in range(2):
            assert (await client.get(f"/api/lessons/{lesson_id}/recording", headers=pupils)).status == 200
        assert (await client.get(f"/archive/{lesson_id}/tracks/p-0/seg-1.m4s")).status == 200  # by the cookie
        assert (await client.get(f"/archive/{lesson_id}/export/camera.mp4")).status == 200
        admin = token(client, "", "admin")
        async with asyncio.timeout(5):
            while len(entries := (await (await client.get("/api/audit", headers=admin)).json())["entries"]) < 2:
                await asyncio.sleep(0.01)
        assert [(one["actor"], one["actor_role"], one["action"], one["detail"]) for one in reversed(entries)] == [
            ("六(2)班", "receiving_class", "seen", ""),
            ("六(2)班", "receiving_class", "export_taken", "camera.mp4"),
        ]


async def test_a_lesson_without_recording_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        response = await client.post("/api/lessons", json={"title": "草原"}, headers=token(client, "", "admin"))
        lesson_id = (await response.json())["lesson_id"]
        response = await client.get(f"/api/lessons/{lesson_id}/recording", headers=token(client, lesson_id, "observer"))
        assert await problem(response) == (404, "recording_unknown")


async def test_the_list_of_lessons_tells_of_recordings(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        ready = await recorded(client, tmp_path)
        going = await recorded(client, tmp_path, "recording")
        broken = await recorded(client, tmp_path)
        (tmp_path / "archive" / broken / "manifest.json").write_text("{")
        listed = await (await client.get("/api/lessons", headers=token(client, "", "admin"))).json()
        words = {one["lesson_id"]: one["recording"] for one in listed["lessons"]}
        assert words == {ready: "ready", going: "recording", broken: "damaged"}


async def test_a_part_of_a_file_can_be_asked_for(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        url = f"/archive/{lesson_id}/tracks/p-0/seg-1.m4s"
        headers = token(client, lesson_id, "observer")
        part = await client.get(url, headers={**headers, "Range": "bytes=100-199"})
        assert (part.status, await part.read()) == (206, SEGMENT[100:200])
        assert part.headers["Content-Range"] == f"bytes 100-199/{len(SEGMENT)}"
        tail = await client.get(url, headers={**headers, "Range": "bytes=-5"})
        assert await tail.read() == SEGMENT[-5:]
        beyond = await client.get(url, headers={**headers, "Range": "bytes=999999-"})
        assert await problem(beyond) == (416, "range_not_satisfiable")
        assert beyond.headers["Content-Range"] == f"bytes */{len(SEGMENT)}"
        head = await client.head(url, headers=headers)
        assert (head.status, head.headers["Content-Length"], head.headers["Accept-Ranges"]) == (200, "10240", "bytes")
        same = await client.get(url, headers={**headers, "If-None-Match": head.headers["ETag"]})
        assert same.status == 304


async def test_a_page_of_slides_is_given_and_kept_as_what_never_changes(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        page = tmp_path / "archive" / lesson_id / "slides" / "aaaaaaaa" / "1.webp"
        page.parent.mkdir(parents=True)
        page.write_bytes(b"RIFF")
        os.utime(page, (1e9, 1e9))
        url = f"/archive/{lesson_id}/slides/aaaaaaaa/1.webp"
        answer = await client.get(url, headers=token(client, lesson_id, "receiving_class"))
        assert (await answer.read(), answer.headers["Content-Type"]) == (b"RIFF", "image/webp")
        assert "immutable" in answer.headers["Cache-Control"]
        assert await problem(await client.get(url)) == (401, "login_required")
        foreign = await client.get(url, headers=token(client, "other", "observer"))
        assert await problem(foreign) == (403, "token_foreign")


async def test_the_event_log_is_squeezed_for_who_takes_it_so_and_read_on_from_any_byte(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        log = b'{"seq": 1, "kind": "stroke", "payload": {"points": [1, 2, 3, 4]}}\n' * 5000
        (tmp_path / "archive" / lesson_id / "events.jsonl").write_bytes(log)
        url, headers = f"/archive/{lesson_id}/events.jsonl", token(client, lesson_id, "observer")
        plain = await client.get(url, headers={**headers, "Accept-Encoding": "identity"})
        assert (await plain.read() == log, "Content-Encoding" in plain.headers) == (True, False)
        squeezed = await client.get(url, headers={**headers, "Accept-Encoding": "gzip"})
        assert (await squeezed.read() == log, squeezed.headers["Content-Encoding"]) == (True, "gzip")
        part = await client.get(url, headers={**headers, "Accept-Encoding": "gzip", "Range": "bytes=100-"})
        assert (part.status, await part.read() == log[100:]) == (206, True)
        same = await client.get(url, headers={**headers, "If-None-Match": plain.headers["ETag"]})
        assert same.status == 304


async def test_a_download_goes_on_only_with_the_same_file(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        film = tmp_path / "archive" / lesson_id / "export" / "movie.mp4"
        film.parent.mkdir()
        film.write_bytes(SEGMENT)
        teacher = token(client, lesson_id, "lead_teacher")

        async def get(**headers: str) -> tuple[int, int, str]:
            asked = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = await client.get(f"/archive/{lesson_id}/export/movie.mp4", headers=teacher | asked)
            return answer.status, len(await answer.read()), answer.headers["ETag"]

        _, _, etag = await get()
        rest = f"bytes={len(SEGMENT) - 10}-"
        assert await get(Range=rest, If_Range=etag) == (206, 10, etag)
        film.write_bytes(SEGMENT[:-20])  # made anew
        status, size, another = await get(Range=rest, If_Range=etag)
        assert (status, size) == (200, len(SEGMENT) - 20)
        assert another != etag
        assert (await get(Range="bytes=0-9", If_Range=f"W/{another}"))[:2] == (200, len(SEGMENT) - 20)
        assert (await get(If_Range=etag))[:2] == (200, len(SEGMENT) - 20)


async def test_finished_parts_may_be_kept_for_ever_and_playlists_are_asked_for_again(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        headers = token(client, lesson_id, "observer")
        segment = await client.get(f"/archive/{lesson_id}/tracks/p-0/seg-1.m4s", headers=headers)
        assert "immutable" in segment.headers["Cache-Control"]
        assert segment.content_type == "video/iso.segment"
        playlist = await client.get(f"/archive/{lesson_id}/master.m3u8", headers=headers)
        assert playlist.headers["Cache-Control"] == "private, no-cache"
        assert playlist.content_type == "application/vnd.apple.mpegurl"


async def test_a_part_that_may_still_grow_is_not_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path, "recording")
        headers = token(client, lesson_id, "observer")
        segment = tmp_path / "archive" / lesson_id / "tracks" / "p-0" / "seg-1.m4s"
        url = f"/archive/{lesson_id}/tracks/p-0/seg-1.m4s"
        assert (await client.get(url, headers=headers)).headers["Cache-Control"] == "private, no-cache"
        os.utime(segment, (segment.stat().st_atime, segment.stat().st_mtime - 60))
        assert "immutable" in (await client.get(url, headers=headers)).headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nothing.m4s",
        "tracks",
        ".secret.m3u8",
        "manifest.json.new",
        "../../secret.key",
        "..%2f..%2fsecret.key",
        "%2e%2e/other/master.m3u8",
        "tracks//p-0/seg-1.m4s",
        "%00.m4s",
        "x" * 300 + ".m4s",
    ],
)
async def test_nothing_but_files_of_the_recording_is_given_out(tmp_path: Path, path: str) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        (tmp_path / "secret.key").write_text("x")
        url = URL(f"{str(client.make_url('/'))[:-1]}/archive/{lesson_id}/{path}", encoded=True)
        response = await client.session.get(url, headers=token(client, lesson_id, "observer"))
        assert (await problem(response))[0] == 404


async def test_a_link_out_of_the_archive_leads_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        (tmp_path / "elsewhere.mp4").write_text("x")
        (tmp_path / "archive" / lesson_id / "link.mp4").symlink_to(tmp_path / "elsewhere.mp4")
        response = await client.get(f"/archive/{lesson_id}/link.mp4", headers=token(client, lesson_id, "observer"))
        assert await problem(response) == (404, "file_unknown")


async def test_files_are_for_the_lesson_s_people_and_for_accounts(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        url = f"/archive/{lesson_id}/master.m3u8"
        assert await problem(await client.get(url)) == (401, "login_required")
        assert await problem(await client.get(url, headers=token(client, "x", "observer"))) == (403, "token_foreign")
        await add_user(client, "教研员甲", "researcher")
        await log_in(client, "教研员甲")
        assert (await client.get(url)).status == 200


async def test_a_player_that_sends_no_header_is_let_in_by_the_cookie_of_that_recording(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        one, other = await recorded(client, tmp_path), await recorded(client, tmp_path)
        await client.get(f"/api/lessons/{one}/recording", headers=token(client, one, "receiving_class"))
        assert (await client.get(f"/archive/{one}/master.m3u8")).status == 200
        assert await problem(await client.get(f"/archive/{other}/master.m3u8")) == (401, "login_required")
        cookies = client.session.cookie_jar.filter_cookies(client.make_url(f"/archive/{one}/"))
        carried = {"Cookie": f"tongke_archive={cookies['tongke_archive'].value}"}
        response = await client.get(f"/archive/{other}/master.m3u8", headers=carried)
        assert await problem(response) == (401, "login_required")
        bearer = {"Authorization": f"Bearer {cookies['tongke_archive'].value}"}
        assert await problem(await client.get(f"/api/lessons/{one}", headers=bearer)) == (401, "token_invalid")


async def test_the_description_fits_the_published_schema(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        document = await (await client.get("/api/openapi.json")).json()
        text = json.dumps(document)
        for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
            assert name in document["components"]["schemas"]
        assert {"/healthz", "/api/lessons/{lesson_id}", "/archive/{lesson_id}/{path}", "/whip/{lesson_id}"} <= set(
            document["paths"]
        )


async def test_who_asks_for_the_last_seconds_of_a_lesson_is_seen_to_watch_it_and_a_stranger_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(RecorderAttachment, "fetched", lambda _, lesson_id: seen.append(lesson_id))
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path, "recording")
        headers = token(client, lesson_id, "observer")
        for path in ("master.m3u8", "tracks/p-0/live.m3u8"):
            await client.get(f"/archive/{lesson_id}/{path}", headers=headers)
        assert (await client.get(f"/archive/{lesson_id}/live.m3u8")).status == 401
        foreign = token(client, "other", "observer")
        assert (await client.get(f"/archive/{lesson_id}/live.m3u8", headers=foreign)).status == 403
        assert seen == []
        for path in ("live.m3u8", "live-camera.m3u8"):  # the second is what a player asks for again and again
            await client.get(f"/archive/{lesson_id}/{path}", headers=headers)
        assert seen == [lesson_id, lesson_id]


async def test_a_player_may_wait_for_what_comes_next(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path, "recording")
        headers = token(client, lesson_id, "observer")
        path = tmp_path / "archive" / lesson_id / "live-camera.m3u8"
        path.write_text("#EXTM3U\n#EXTINF:2,\nseg-0.m4s\n")
        url = f"/archive/{lesson_id}/live-camera.m3u8"
        waiting = asyncio.create_task(client.get(url, params={"_HLS_msn": 1, "_HLS_part": 0}, headers=headers))
        text = path.read_text() + '#EXT-X-PART:DURATION=1,URI="seg-1.m4s",BYTERANGE="9@0"\n'
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").replace(path)
        assert await (await waiting).text() == text
        for params in ({"_HLS_part": "0"}, {"_HLS_msn": "x"}):
            refused = await client.get(url, params=params, headers=headers)
            assert await problem(refused) == (400, "delivery_directive_malformed")


async def test_an_export_is_not_kept_for_it_may_be_made_anew(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        (tmp_path / "archive" / lesson_id / "export").mkdir()
        (tmp_path / "archive" / lesson_id / "export" / "movie.mp4").write_bytes(SEGMENT)
        response = await client.get(
            f"/archive/{lesson_id}/export/movie.mp4", headers=token(client, lesson_id, "observer")
        )
        assert response.headers["Cache-Control"] == "private, no-cache"


async def test_what_still_grows_is_not_kept_though_the_lesson_was_finished_once(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        headers = token(client, lesson_id, "observer")
        url = f"/archive/{lesson_id}/tracks/p-0/seg-1.m4s"
        assert "immutable" in (await client.get(url, headers=headers)).headers["Cache-Control"]
        manifest = tmp_path / "archive" / lesson_id / "manifest.json"
        os.utime(manifest, (manifest.stat().st_atime, manifest.stat().st_mtime - 60))
        assert (await client.get(url, headers=headers)).headers["Cache-Control"] == "private, no-cache"


def _half_a_pair(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("t-1", "\\ud800"))


def _a_folder(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").mkdir()


def _deep(folder: Path) -> None:
    (folder / "manifest.json").write_text("[" * 200_000)
    (folder / "tracks" / "p-0" / "parts.jsonl").write_text("[" * 200_000 + "\n")
    (folder / "events.jsonl").write_text("[" * 200_000 + "\n")


def _gone(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


@pytest.mark.parametrize("damage", [_half_a_pair, _a_folder, _deep, _gone, _a_file])
async def test_however_a_recording_is_damaged_it_is_told_and_nothing_fails(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        damage(tmp_path / "archive" / lesson_id)
        teacher = token(client, lesson_id, "lead_teacher")
        body = await (await client.get(f"/api/lessons/{lesson_id}/recording", headers=teacher)).json()
        assert body["status"] == "damaged"
        exports = f"/api/lessons/{lesson_id}/exports"
        assert (await client.get(exports, headers=teacher)).status == 200
        assert (await client.post(exports, json={"kind": "movie"}, headers=teacher)).status == 202
        assert (await client.delete(f"{exports}/movie", headers=teacher)).status == 204
        assert (await client.get(f"/archive/{lesson_id}/tracks/p-0/seg-1.m4s", headers=teacher)).status in (200, 404)
