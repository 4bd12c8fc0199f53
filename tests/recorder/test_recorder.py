import asyncio
import hashlib
import itertools
import json
import random
import time
from pathlib import Path

import av
import pytest

from media import recording_link
from media.recording_link import FrameType
from recorder.describe import describe
from recorder.manifest import read_manifest
from recorder.messages import (
    Appended,
    AppendEvents,
    Closed,
    CloseLesson,
    Done,
    ListOpen,
    Open,
    Opened,
    OpenLesson,
    OpenRecording,
    Refused,
    WatchLesson,
)
from recorder.parts import read_parts
from tests.recorder.process import recorder_process
from tests.recorder.source import Timed, later, lead_on_air, lead_that_comes_back, picture, publication, sound, together
from tests.recorder.watch import decode, decode_bytes, entries, risings


def now_us() -> int:
    return time.time_ns() // 1000


async def test_a_lesson_becomes_an_archive_in_which_camera_screen_and_microphone_are_in_step(tmp_path: Path) -> None:
    begin = now_us() - 30_000_000
    epoch = begin - 5_000_000
    camera = publication("lesson", "c-1", "H264", epoch, handle=1)
    microphone = publication("lesson", "m-1", "opus", epoch, "microphone", handle=2)
    screen = publication("lesson", "s-1", "H264", epoch, "screen", handle=3)
    async with recorder_process(tmp_path) as recorder:
        assert await recorder.client.request(OpenLesson("lesson", epoch, "分数的意义")) == Opened(0)
        await recorder.send(camera.announce(), microphone.announce(), screen.announce())
        await recorder.send(
            *(
                timed.data
                for timed in together(
                    camera.stream(picture("H264", 20), begin, delay_us=150_000),
                    microphone.stream(sound(20), begin, delay_us=20_000),
                    screen.stream(picture("H264", 20, 640, 360), begin, delay_us=80_000),
                )
            )
        )
        closed = await recorder.client.request(CloseLesson("lesson"))
    assert isinstance(closed, Closed)
    assert 19_900 <= closed.duration_ms <= 20_300
    folder = tmp_path / "lesson"
    body = describe(folder)
    assert body["status"] == "ready"
    assert [track["gaps"] for track in body["tracks"]] == [[], [], []]
    seen = {track["publication_id"]: decode(folder / track["playlist"]) for track in body["tracks"]}
    assert len(seen["c-1"]) == len(seen["s-1"]) == 400
    beats = {
        "camera": risings(seen["c-1"], 130),
        "screen": risings(seen["s-1"], 130),
        "microphone": risings(seen["m-1"], 0.01),
    }
    for name, times in beats.items():
        # The first seconds stand where arrivals put them; then sender reports have spoken. 20 ms were under way.
        late = [at - 5.02 - round(at - 5.02) for at in times if at > 12]
        assert len(late) >= 12, name
        assert all(abs(error) < 0.05 for error in late), (name, late)


async def test_after_kill_9_all_but_two_seconds_play_and_the_lesson_goes_on(tmp_path: Path) -> None:
    moving, speaking = picture("H264", 40), sound(40)  # longer than any machine takes to start a recorder again
    epoch = now_us()
    camera = publication("lesson", "c-1", "H264", epoch, handle=1)
    microphone = publication("lesson", "m-1", "opus", epoch, "microphone", handle=2)
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(camera.announce(), microphone.announce())
        begin = now_us()
        whole = together(camera.stream(moving, begin), microphone.stream(speaking, begin))
        await recorder.play(timed for timed in whole if timed.at_us < 8_000_000)
        await recorder.kill()
        killed = (now_us() - epoch) / 1e6
        await recorder.start()
        held = await recorder.client.request(ListOpen())
        assert held == Open((OpenRecording("lesson", 0),))
        await recorder.send(camera.announce(), microphone.announce())
        back = now_us() - begin
        await recorder.play(
            Timed(timed.at_us - back, timed.data) for timed in whole if back <= timed.at_us < back + 4_500_000
        )
        closed = await recorder.client.request(CloseLesson("lesson"))
    resumed = (begin + back - epoch) / 1e6
    assert isinstance(closed, Closed)
    folder = tmp_path / "lesson"
    body = describe(folder)
    assert body["status"] == "ready"
    tracks = {track["publication_id"]: track for track in body["tracks"]}
    seen, heard = decode(folder / tracks["c-1"]["playlist"]), decode(folder / tracks["m-1"]["playlist"])
    before = [frame.at_s for frame in seen if frame.at_s < killed]
    after = [frame.at_s for frame in seen if frame.at_s >= killed]
    assert len(before) > 20 * (killed - (begin - epoch) / 1e6 - 2) - 5
    assert max(before) > killed - 2
    assert min(after) < resumed + 2.2  # the source has a key frame every 2 s and does not make one when asked
    assert len(after) > 20 * 2
    (hole,) = tracks["c-1"]["gaps"]
    assert abs(hole[0] / 1000 - max(before)) < 0.2
    assert abs(hole[1] / 1000 - min(after)) < 0.1
    assert any(entry.gap for entry in entries(folder / "tracks/c-1/index.m3u8"))
    assert tracks["m-1"]["gaps"] == []
    steps = [b.at_s - a.at_s for a, b in itertools.pairwise(heard)]
    assert max(steps) < 0.021
    # What was said before and after is where it was said: the gap in between is silence.
    for at in risings(seen, 130) + risings(heard, 0.01):
        if not killed - 2 < at < resumed + 0.1:
            assert abs(((at - (begin - epoch) / 1e6) + 0.5) % 1.0 - 0.5) < 0.06, at


async def test_a_finished_archive_lists_every_part_with_its_hash(tmp_path: Path) -> None:
    folder = await record_quickly(tmp_path, ("H264", "opus"), 8)
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = set()
    for file in manifest["files"]:
        data = (folder / file["path"]).read_bytes()[file["offset"] :][: file["size"]]
        assert hashlib.sha256(data).hexdigest() == file["sha256"], file
        listed.add(file["path"])
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert present - listed == {"manifest.json", "tracks/p-1/parts.jsonl", "tracks/p-2/parts.jsonl"}


@pytest.mark.parametrize("codec", ["H264", "VP9", "AV1"])
async def test_each_picture_codec_of_mp4_plays_whole(tmp_path: Path, codec: str) -> None:
    folder = await record_quickly(tmp_path, (codec,), 10)
    (track,) = describe(folder)["tracks"]
    seen = decode(folder / track["playlist"])
    assert len(seen) == 200
    assert len(risings(seen, 130)) == 9


async def test_vp8_becomes_one_webm_file_that_can_be_sought_in(tmp_path: Path) -> None:
    folder = await record_quickly(tmp_path, ("VP8", "opus"), 14)
    picture_track, _ = describe(folder)["tracks"]
    assert picture_track["playlist"] == "tracks/p-1/video.webm"
    path = folder / picture_track["playlist"]
    seen = decode_bytes(path.read_bytes())
    assert len(seen) == 280
    assert seen[0].at_s == 0
    with av.open(str(path)) as container:
        assert container.duration is not None
        assert abs(container.duration / 1e6 - 14) < 0.1
        container.seek(9_000_000)
        frame = next(container.decode(video=0))
        assert frame.time is not None
        assert 3 < frame.time <= 9
    assert "CODECS" in (folder / "master.m3u8").read_text()  # of the microphone alone: HLS has no VP8
    assert "lead-camera" not in (folder / "master.m3u8").read_text()


async def test_a_webm_file_grows_on_after_kill_9(tmp_path: Path) -> None:
    begin = now_us() - 20_000_000
    camera = publication("lesson", "c-1", "VP8", begin)
    whole = list(camera.stream(picture("VP8", 16), begin))
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(camera.announce(), *(timed.data for timed in whole if timed.at_us < 8_000_000))
        await asyncio.sleep(1.5)
        await recorder.kill()
        path = tmp_path / "lesson/tracks/c-1/video.webm"
        with path.open("ab") as file:
            file.write(path.read_bytes()[-700:-300])  # a torn cluster, as a loss of power leaves it
        await recorder.start()
        await recorder.send(camera.announce(), *(timed.data for timed in whole if timed.at_us >= 10_000_000))
        await recorder.client.request(CloseLesson("lesson"))
    (track,) = describe(tmp_path / "lesson")["tracks"]
    seen = decode_bytes(path.read_bytes())
    assert len(seen) >= 20 * (7 + 6) - 2
    assert seen[-1].at_s > 15.8
    (gap,) = track["gaps"]
    assert gap[1] == 10_000
    assert 6_900 <= gap[0] <= 8_100


async def test_packets_in_disorder_and_twice_make_the_same_recording(tmp_path: Path) -> None:
    begin = now_us() - 20_000_000
    tidy = publication("tidy", "c-1", "H264", begin, handle=1)
    untidy = publication("untidy", "c-1", "H264", begin, handle=2)
    packets = [timed.data for timed in untidy.stream(picture("H264", 10), begin)]
    shuffled = packets[:1]
    dice = random.Random(7)
    for at in range(1, len(packets), 12):
        few = packets[at : at + 12] + packets[at : at + 3]
        dice.shuffle(few)
        shuffled += few
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(tidy.announce(), *(timed.data for timed in tidy.stream(picture("H264", 10), begin)))
        await recorder.send(untidy.announce(), *shuffled)
        await recorder.client.request(CloseLesson("tidy"))
        await recorder.client.request(CloseLesson("untidy"))
    seen = [decode(tmp_path / lesson / "tracks/c-1/index.m3u8") for lesson in ("tidy", "untidy")]
    assert [frame.level for frame in seen[0]] == [frame.level for frame in seen[1]]
    assert len(seen[0]) == 200


async def test_a_lost_packet_costs_the_picture_until_the_next_key_frame_which_is_asked_for(tmp_path: Path) -> None:
    begin = now_us() - 20_000_000
    camera = publication("lesson", "c-1", "H264", begin)
    packets = list(camera.stream(picture("H264", 16, key_every_s=4), begin))
    lost = next(timed for timed in packets if timed.at_us > 5_000_000)
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(camera.announce(), *(timed.data for timed in packets if timed is not lost))
        await recorder.client.request(CloseLesson("lesson"))
        assert FrameType.KEYFRAME in {frame.type for frame in recorder.asked()}
    folder = tmp_path / "lesson"
    (track,) = describe(folder)["tracks"]
    assert track["gaps"] == [[pytest.approx(5_100, abs=100), 8_000]]
    seen = decode(folder / track["playlist"])
    assert len(seen) == pytest.approx(20 * 13, abs=3)
    gap_ends = next(i for i, e in enumerate(entries(folder / track["playlist"])) if e.gap)
    assert not entries(folder / track["playlist"])[gap_ends + 1].gap


async def test_sound_that_pauses_is_filled_with_silence(tmp_path: Path) -> None:
    begin = now_us() - 30_000_000
    microphone = publication("lesson", "m-1", "opus", begin, "microphone")
    samples = [sample for sample in sound(20) if not 4_000_000 <= sample.at_us < 9_000_000]
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(microphone.announce(), *(timed.data for timed in microphone.stream(samples, begin)))
        await recorder.client.request(CloseLesson("lesson"))
    folder = tmp_path / "lesson"
    heard = decode(folder / "tracks/m-1/index.m3u8")
    assert max(b.at_s - a.at_s for a, b in itertools.pairwise(heard)) < 0.021
    assert len(heard) == 1000
    assert max(h.level for h in heard if 4.2 < h.at_s < 8.9) < 0.001
    assert [round(at) for at in risings(heard, 0.01)] == [*range(1, 4), *range(9, 20)]


async def test_levels_say_how_loud_each_twenty_milliseconds_were(tmp_path: Path) -> None:
    folder = await record_quickly(tmp_path, ("H264", "opus"), 8)
    levels = (folder / "tracks/p-2/levels.bin").read_bytes()
    assert levels == bytes(slot * 2 % 100 for slot in range(400))


async def test_another_resolution_has_an_init_segment_of_its_own_and_lists_keep_to_the_first(tmp_path: Path) -> None:
    begin = now_us() - 30_000_000
    camera = publication("lesson", "c-1", "H264", begin)
    large, small = picture("H264", 4), picture("H264", 4, 160, 90)
    stages = [large, later(small, 4_000_000), later(large, 8_000_000)]
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(camera.announce())
        for stage in stages:
            await recorder.send(*(timed.data for timed in camera.stream(stage, begin)))
        await recorder.client.request(CloseLesson("lesson"))
    folder = tmp_path / "lesson"
    needed = [part.init for part in read_parts(folder / "tracks/c-1") if part.media]
    assert [init for init, _ in itertools.groupby(needed)] == ["init-1.mp4", "init-2.mp4", "init-1.mp4"]
    assert {entry.init for entry in entries(folder / "tracks/c-1/index.m3u8")} == {"init-1.mp4"}
    assert "DISCONTINUITY" not in (folder / "tracks/c-1/index.m3u8").read_text()
    assert len(decode(folder / "tracks/c-1/index.m3u8")) == 240


async def test_a_lead_who_comes_back_goes_on_in_the_same_playlists(tmp_path: Path) -> None:
    begin = now_us() - 60_000_000
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(*lead_that_comes_back("lesson", begin, begin))
        await recorder.client.request(CloseLesson("lesson"))
    folder = tmp_path / "lesson"
    camera, sounding = entries(folder / "lead-camera.m3u8"), entries(folder / "lead-microphone.m3u8")
    assert sum(entry.duration_s for entry in camera) == pytest.approx(34, abs=0.1)
    assert sum(entry.duration_s for entry in sounding) == pytest.approx(34, abs=0.1)
    assert sum(entry.duration_s for entry in camera if entry.gap) == pytest.approx(10, abs=0.1)
    assert not any(entry.gap for entry in sounding)
    heard = decode(folder / "lead-microphone.m3u8")
    assert max(b.at_s - a.at_s for a, b in itertools.pairwise(heard)) < 0.021


async def test_another_codec_begins_another_track_of_the_same_publication(tmp_path: Path) -> None:
    begin = now_us() - 30_000_000
    one = publication("lesson", "c-1", "H264", begin, handle=1)
    other = publication("lesson", "c-1", "VP8", begin, handle=1)
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(one.announce(), *(t.data for t in one.stream(picture("H264", 6), begin)))
        await recorder.send(other.announce(), *(t.data for t in other.stream(picture("VP8", 6), begin + 6_000_000)))
        await recorder.client.request(CloseLesson("lesson"))
    tracks = describe(tmp_path / "lesson")["tracks"]
    assert [(track["publication_id"], track["codec"]) for track in tracks] == [("c-1", "H264"), ("c-1", "VP8")]
    assert [round(track["start_ms"], -2) for track in tracks] == [0, 6000]


async def test_events_are_kept_once_whatever_is_repeated(tmp_path: Path) -> None:
    async with recorder_process(tmp_path) as recorder:
        ask = recorder.client.request
        await ask(OpenLesson("lesson", now_us(), "数学"))
        assert await ask(AppendEvents("lesson", ('{"seq": 1, "kind": "joined"}', '{"seq": 2}'))) == Appended(2)
        assert await ask(AppendEvents("lesson", ('{"seq": 2}', '{"seq": 3, "text": "好"}'))) == Appended(3)
        refused = await ask(AppendEvents("lesson", ('{"seq": 4}', "no event")))
        assert isinstance(refused, Refused)
        assert refused.code == "event_malformed"
        await recorder.kill()
        with (tmp_path / "lesson/events.jsonl").open("a") as log:
            log.write('{"seq": 4, "ki')
        await recorder.start()
        assert await recorder.client.request(ListOpen()) == Open((OpenRecording("lesson", 3),))
        assert await recorder.client.request(AppendEvents("lesson", ('{"seq": 4}',))) == Appended(4)
        await recorder.client.request(CloseLesson("lesson"))
    lines = [json.loads(line) for line in (tmp_path / "lesson/events.jsonl").read_text().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    assert lines[2]["text"] == "好"


async def test_a_full_disk_stops_the_recording_and_what_is_written_plays(tmp_path: Path) -> None:
    begin = now_us() - 30_000_000
    camera = publication("lesson", "c-1", "H264", begin)
    packets = [timed.data for timed in camera.stream(picture("H264", 20), begin)]
    async with recorder_process(tmp_path, largest_file=20_000) as recorder:
        await recorder.client.request(OpenLesson("lesson", begin, "数学"))
        await recorder.send(camera.announce(), *packets)
        states = [await anext(aiter(recorder.client.events())) for _ in range(2)]
        assert [(event.state, event.reason) for event in states] == [("on", ""), ("stopped", "disk_full")]
        assert isinstance(await recorder.client.request(CloseLesson("lesson")), Closed)
    body = describe(tmp_path / "lesson")
    assert body["status"] == "ready"  # it plays, and says why it is short
    assert read_manifest(tmp_path / "lesson").reason == "disk_full"
    seen = decode(tmp_path / "lesson" / body["tracks"][0]["playlist"])
    assert len(seen) >= 20
    assert body["duration_ms"] == pytest.approx(len(seen) * 50, abs=100)


async def test_sigterm_closes_recordings_and_the_lesson_may_go_on(tmp_path: Path) -> None:
    begin = now_us() - 60_000_000
    camera = publication("lesson", "c-1", "H264", begin)
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(camera.announce(), *(t.data for t in camera.stream(picture("H264", 8), begin)))
        assert await recorder.terminate() == 0
        assert describe(tmp_path / "lesson")["status"] == "ready"
        assert (tmp_path / "lesson/tracks/c-1/index.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")
        await recorder.start()
        straggling = [t.data for t in camera.stream(picture("H264", 2), begin + 18_000_000)]
        await recorder.send(camera.announce(), *straggling)  # packets alone do not open a finished lesson again
        await asyncio.sleep(0.6)
        assert await recorder.client.request(ListOpen()) == Open(())
        assert await recorder.client.request(OpenLesson("lesson", begin, "数学")) == Opened(0)
        assert describe(tmp_path / "lesson")["status"] == "recording"
        again = camera.stream(picture("H264", 8), begin + 20_000_000)
        await recorder.send(*(t.data for t in again))
        closed = await recorder.client.request(CloseLesson("lesson"))
    assert closed == Closed(28_000)
    (track,) = describe(tmp_path / "lesson")["tracks"]
    assert track["gaps"] == [[8_000, 20_000]]
    assert len(decode(tmp_path / "lesson" / track["playlist"])) == 320


async def test_a_lesson_can_be_watched_while_it_lasts(tmp_path: Path) -> None:
    begin = now_us() - 20_000_000
    camera = publication("lesson", "c-1", "H264", begin, handle=1)
    microphone = publication("lesson", "m-1", "opus", begin, "microphone", handle=2)
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(*lead_on_air(camera, microphone, begin, 20))
        await asyncio.sleep(2)
        body = describe(tmp_path / "lesson")
        assert body["status"] == "recording"
        assert body["duration_ms"] >= 16_000
        text = (tmp_path / "lesson/lead-camera.m3u8").read_text()
        assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
        assert "ENDLIST" not in text
        assert len(decode(tmp_path / "lesson/lead-camera.m3u8")) >= 320
        assert len(decode(tmp_path / "lesson/live-microphone.m3u8")) >= 900


async def test_segments_are_two_seconds_long_while_someone_watches_by_http(tmp_path: Path) -> None:
    begin = now_us() - 20_000_000
    microphone = publication("lesson", "m-1", "opus", begin, "microphone")
    async with recorder_process(tmp_path) as recorder:
        await recorder.client.request(OpenLesson("lesson", begin, "数学"))
        assert await recorder.client.request(WatchLesson("lesson", True)) == Done()
        await recorder.send(microphone.announce(), *(t.data for t in microphone.stream(sound(8), begin)))
        await recorder.client.request(CloseLesson("lesson"))
    durations = [entry.duration_s for entry in entries(tmp_path / "lesson/tracks/m-1/index.m3u8")]
    assert durations == [2.0, 2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    "bytes_sent",
    [b"\xff" * 64, recording_link.pack(FrameType.TRACK, 1, b"{}"), recording_link.pack(FrameType.RTP, 1, b"short")],
    ids=["noise", "no track", "no packet"],
)
async def test_a_worker_that_does_not_speak_the_protocol_disturbs_no_other(tmp_path: Path, bytes_sent: bytes) -> None:
    begin = now_us() - 20_000_000
    camera = publication("lesson", "c-1", "H264", begin)
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(camera.announce(), *(t.data for t in camera.stream(picture("H264", 4), begin)))
        with recorder.another_worker() as stranger:
            stranger.sendall(bytes_sent)
            assert stranger.recv(10) == b""
        await recorder.send(*(t.data for t in camera.stream(later(picture("H264", 4), 4_000_000), begin)))
        assert await recorder.client.request(CloseLesson("lesson")) == Closed(8_000)


async def test_a_lesson_that_cannot_be_is_refused(tmp_path: Path) -> None:
    async with recorder_process(tmp_path) as recorder:
        for name in ("../elsewhere", "", ".open", "a/b", "a" * 101):
            refused = await recorder.client.request(OpenLesson(name, 0, ""))
            assert isinstance(refused, Refused)
            assert refused.code == "lesson_id_invalid"
        unknown = await recorder.client.request(CloseLesson("never-was"))
        assert isinstance(unknown, Refused)
        assert unknown.code == "unknown_lesson"


async def record_quickly(archive: Path, codecs: tuple[str, ...], seconds: int) -> Path:
    """A closed lesson of the lead's camera and microphone in these codecs."""
    begin = now_us() - (seconds + 5) * 1_000_000
    tracks = []
    for handle, codec in enumerate(codecs, 1):
        source = "microphone" if codec == "opus" else "camera"
        tracks.append(publication("lesson", f"p-{handle}", codec, begin, source, handle=handle))
    streams = [
        track.stream(sound(seconds) if track.track.codec == "opus" else picture(track.track.codec, seconds), begin)
        for track in tracks
    ]
    async with recorder_process(archive) as recorder:
        await recorder.send(*(track.announce() for track in tracks), *(timed.data for timed in together(*streams)))
        assert isinstance(await recorder.client.request(CloseLesson("lesson")), Closed)
    return archive / "lesson"
