"""A film that is brought in is a lesson like one we have recorded: complete, in step, and playable everywhere."""

import fractions
import math
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import pytest

from recorder.describe import describe
from recorder.importing.film import FilmError, bring_in, time_of
from recorder.manifest import read_manifest
from recorder.parts import read_parts
from recorder.places.local import LocalPlace
from recorder.places.verify import verify
from recorder.rendering.progress import Cancelled, ignored

BEGUN = datetime(2026, 5, 6, 1, 30, tzinfo=UTC)
FRAMES = 20  # per second


def film(
    path: Path,
    video: str | None = "libx264",
    audio: str | None = "aac",
    seconds: int = 8,
    options: dict[str, str] | None = None,
    sound_from: float = 0.0,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Bright and loud in the first half of each second."""
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        if video:
            picture: Any = container.add_stream(video, rate=FRAMES)
            picture.width, picture.height, picture.pix_fmt = 320, 180, "yuv420p"
            picture.codec_context.options = {"g": str(2 * FRAMES), "preset": "ultrafast", **(options or {})}
        if audio:
            sound: Any = container.add_stream(audio, rate=48000, layout="mono")
        if video:
            for number in range(seconds * FRAMES):
                frame = av.VideoFrame(320, 180, "yuv420p")
                bright = 220 if number % FRAMES < FRAMES // 2 else 40
                for plane, value in zip(frame.planes, (bright + number % 8, 128, 128), strict=True):
                    plane.update(bytes([value]) * plane.buffer_size)
                frame.pts, frame.time_base = number, fractions.Fraction(1, FRAMES)
                container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        if audio:
            for number in range(round((seconds - sound_from) * 50)):
                tone = av.AudioFrame("s16", "mono", 960)
                at = number * 960 + round(sound_from * 48000)
                loud = at % 48000 < 24000
                values = (int(8000 * math.sin(2 * math.pi * 440 * (at + i) / 48000)) * loud for i in range(960))
                tone.planes[0].update(struct.pack("<960h", *values))
                tone.sample_rate, tone.pts, tone.time_base = 48000, at, fractions.Fraction(1, 48000)
                for piece in _as(tone, sound):
                    container.mux(sound.encode(piece))
            container.mux(sound.encode(None))
    return path


def _as(frame: av.AudioFrame, stream: Any) -> list[av.AudioFrame]:
    wanted = stream.codec_context.format.name
    if wanted == "s16":
        return [frame]
    return av.AudioResampler(wanted, "mono", 48000).resample(frame)


def archived(archive: Path, source: Path) -> Path:
    """The film as a lesson, and all that must be true of each."""
    archive.mkdir(exist_ok=True)
    bring_in(source, archive, "L1", "公开课", BEGUN, ignored)
    assert verify(LocalPlace(archive), "L1").findings == ()
    assert LocalPlace(archive).lessons() == ["L1"]
    assert [path.name for path in archive.iterdir()] == ["L1"]
    return archive / "L1"


def steps(folder: Path, track: str) -> list[float]:
    """When it becomes bright or loud, in seconds of the lesson clock."""
    place = folder / "tracks" / track
    parts = read_parts(place)
    joined = folder.parent.parent / f"{track}.mp4"
    head = next(part for part in parts if part.head)
    joined.write_bytes(b"".join((place / part.file).read_bytes() for part in [head, *(p for p in parts if p.media)]))
    found, before = [], False
    with av.open(str(joined)) as container:
        for frame in container.decode(container.streams[0]):
            assert isinstance(frame, av.VideoFrame | av.AudioFrame)
            data = bytes(frame.planes[0])
            if isinstance(frame, av.VideoFrame):
                now = data[0] > 130
            else:
                now = max(map(abs, memoryview(data).cast("f"))) > 0.05
            if now and not before:
                assert frame.time is not None
                found.append(frame.time)
            before = now
    return found


@pytest.mark.parametrize(
    ("name", "video", "audio", "options", "copied"),
    [
        ("f.mp4", "libx264", "aac", {"bf": "0"}, True),
        ("f.mp4", "libx264", "aac", {"bf": "2", "preset": "veryfast"}, False),
        ("f.mp4", "libx264", "aac", {"bf": "0", "g": "600"}, True),  # short enough
        ("f.ts", "libx264", "mp2", {"bf": "0"}, True),
        ("f.mkv", "mpeg4", "pcm_s16le", {}, False),
        (
            "f.webm",
            "libvpx",
            "libopus",
            {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "threads": "1"},
            False,
        ),
    ],
)
def test_picture_and_sound_are_there_in_step_and_at_their_time(
    tmp_path: Path, name: str, video: str, audio: str, options: dict[str, str], copied: bool
) -> None:
    source = film(tmp_path / name, video, audio, options=options)
    folder = archived(tmp_path / "archive", source)
    found = describe(folder)
    assert found["status"] == "ready"
    assert [(track["source"], track["codec"], track["lead"]) for track in found["tracks"]] == [
        ("camera", "H264", True),
        ("microphone", "opus", True),
    ]
    assert abs(found["duration_ms"] - 8000) < 60
    assert all(not track["gaps"] and track["start_ms"] <= 20 for track in found["tracks"])
    bright, loud = steps(folder, "imported-camera"), steps(folder, "imported-microphone")
    assert len(bright) == len(loud) == 8
    assert all(abs(at - second) < 0.03 for second, at in enumerate(bright))
    assert all(abs(a - b) < 0.04 for a, b in zip(bright, loud, strict=True))
    assert "imported-camera" in (folder / "lead-camera.m3u8").read_text()
    assert (folder / "master.m3u8").exists()
    if copied:
        archived_bytes = sum(path.stat().st_size for path in folder.glob("tracks/imported-camera/seg-*"))
        with av.open(str(source)) as container:
            media = sum(packet.size for packet in container.demux(container.streams.video[0]))
        assert abs(archived_bytes - media) < 0.2 * media + 10_000


def test_levels_say_when_it_was_loud(tmp_path: Path) -> None:
    folder = archived(tmp_path / "archive", film(tmp_path / "f.mp4"))
    levels = (folder / "tracks/imported-microphone/levels.bin").read_bytes()
    assert abs(len(levels) - 400) <= 2
    for second in range(1, 7):
        assert levels[second * 50 + 12] & 0x7F < 20
        assert levels[second * 50 + 12] & 0x80
        assert levels[second * 50 + 37] == 127


def test_sound_that_comes_later_stays_later(tmp_path: Path) -> None:
    folder = archived(tmp_path / "archive", film(tmp_path / "f.mp4", options={"bf": "0"}, sound_from=3.0))
    track = read_manifest(folder).tracks[1]
    assert abs(track.start_ms - 3000) < 60
    assert abs(steps(folder, "imported-microphone")[0] - 3.0) < 0.06
    assert len((folder / "tracks/imported-microphone/levels.bin").read_bytes()) < 255


@pytest.mark.parametrize(("video", "audio", "only"), [(None, "aac", "microphone"), ("libx264", None, "camera")])
def test_a_film_with_one_of_both_is_a_lesson_too(
    tmp_path: Path, video: str | None, audio: str | None, only: str
) -> None:
    folder = archived(tmp_path / "archive", film(tmp_path / "f.mp4", video, audio, seconds=3))
    assert [track["source"] for track in describe(folder)["tracks"]] == [only]


@pytest.mark.parametrize("data", [b"", b"not a film", bytes(100_000)])
def test_what_is_no_film_is_told_in_a_sentence_and_leaves_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "f.mp4").write_bytes(data)
    (tmp_path / "archive").mkdir()
    for path in (tmp_path / "f.mp4", tmp_path / "none.mp4"):
        with pytest.raises(FilmError, match=r"\.$"):
            bring_in(path, tmp_path / "archive", "L1", "公开课", BEGUN, ignored)
    assert list((tmp_path / "archive").iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile 'secret.mp4'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_list_of_other_files_is_no_film_whatever_its_name(tmp_path: Path, text: str) -> None:
    film(tmp_path / "secret.mp4", audio=None, seconds=1)
    (tmp_path / "f.mp4").write_text(text)
    (tmp_path / "archive").mkdir()
    with pytest.raises(FilmError):
        time_of(tmp_path / "f.mp4")
    with pytest.raises(FilmError):
        bring_in(tmp_path / "f.mp4", tmp_path / "archive", "L1", "公开课", BEGUN, ignored)


@pytest.mark.parametrize(("video", "audio"), [("libx264", None), ("mjpeg", None), (None, "pcm_s16le")])
def test_a_time_stamp_of_years_ahead_is_not_filled_with_gaps_or_silence(
    tmp_path: Path, video: str | None, audio: str | None
) -> None:
    with av.open(str(tmp_path / "f.mkv"), "w") as container:
        written: Any = container.add_stream(video or str(audio), rate=FRAMES if video else 48000)
        if video:
            written.width, written.height = 320, 180
            written.pix_fmt = form = "yuvj420p" if video == "mjpeg" else "yuv420p"
        for at in (0, 1, 2 * 365 * 86400):
            frame: Any = av.VideoFrame(320, 180, form) if video else av.AudioFrame("s16", "stereo", 960)
            if audio:
                frame.sample_rate = 48000
            frame.pts, frame.time_base = at, fractions.Fraction(1, 1)
            container.mux(written.encode(frame))
        container.mux(written.encode(None))
    (tmp_path / "archive").mkdir()
    with pytest.raises(FilmError, match="longer than 24 hours"):
        bring_in(tmp_path / "f.mkv", tmp_path / "archive", "L1", "公开课", BEGUN, ignored)
    assert list((tmp_path / "archive").iterdir()) == []
    with pytest.raises(FilmError):
        time_of(tmp_path / "f.mkv")


def test_a_film_that_ends_in_the_middle_comes_in_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = film(tmp_path / "f.ts", audio="mp2", options={"bf": "0"}).read_bytes()
    (tmp_path / "f.ts").write_bytes(whole[: len(whole) // 2])
    folder = archived(tmp_path / "archive", tmp_path / "f.ts")
    assert describe(folder)["duration_ms"] > 1000


def test_whoever_changes_his_mind_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()

    def never(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        bring_in(film(tmp_path / "f.mp4", seconds=3), tmp_path / "archive", "L1", "公开课", BEGUN, never)
    assert list((tmp_path / "archive").iterdir()) == []


def test_when_it_was_filmed_is_what_it_says(tmp_path: Path) -> None:
    says = {"creation_time": "2026-05-06T01:30:00.000000Z"}
    begun, ended = time_of(film(tmp_path / "f.mp4", None, seconds=1, metadata=says))
    assert begun == BEGUN
    assert 1.0 <= (ended - begun).total_seconds() < 1.1


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "1904-01-01T00:00:00Z", "?"])
def test_a_time_that_cannot_be_is_not_believed(tmp_path: Path, said: str) -> None:
    path = film(tmp_path / "f.mkv", None, "pcm_s16le", seconds=1, metadata={"creation_time": said})
    begun, ended = time_of(path)
    assert ended == datetime.fromtimestamp(path.stat().st_mtime, UTC)
    assert begun < ended
