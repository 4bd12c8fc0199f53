"""What recording costs: framed RTP of many lessons at once into one recorder, as its workers send it.

The recorder is fed over its socket, without a media worker between, because one generator can then keep so many lessons
going that the cost of one is measured well above the clock's resolution.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from media import recording_link as link
from recorder.client import RecorderClient
from recorder.messages import Closed, CloseLesson, OpenLesson
from server.demo import voice
from tests.bench import stream
from tests.bench.machine import Meter
from tests.bench.processes import START_WITHIN, RefusedError, child

TICK = 0.02  # seconds between deliveries


@dataclass(frozen=True, slots=True)
class Recording:
    """Lessons of 720p with sound, recorded at the same time."""

    lessons: int
    seconds: float
    cpu_ms_per_lesson_second: float
    share_of_core_per_lesson: float
    close_ms: float  # from the end of a lesson to its finished archive, the slowest
    bytes_per_lesson_second: float  # on disk
    memory_mb: float
    others: float  # share of the machine used by others


async def recording(lessons: int, seconds: float) -> Recording:
    """`lessons` lessons of one camera and one microphone each, at real pace."""
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        run, archive = Path(folder), Path(folder) / "archive"
        archive.mkdir()
        control, media = run / "recorder.sock", run / "recorder-media.sock"
        command = ("-m", "recorder", "--control", str(control), "--media", str(media), "--archive", str(archive))
        async with child(*command) as process:
            client = await _connected(control)
            epoch_us = time.time_ns() // 1000
            names = [f"bench-{number}" for number in range(lessons)]
            for name in names:
                await client.request(OpenLesson(name, epoch_us, "bench"))
            reader, writer = await asyncio.open_unix_connection(str(media))
            feeding = asyncio.create_task(_feed(writer, names, epoch_us))
            draining = asyncio.create_task(_drain(reader))
            await asyncio.sleep(2.0)
            meter = Meter(process.pid)
            before = _size(archive)
            await asyncio.sleep(seconds)
            cost, written = meter.cost(), _size(archive) - before
            for task in (feeding, draining):
                task.cancel()
            await asyncio.gather(feeding, draining, return_exceptions=True)
            writer.close()
            waits = [await _close(client, name) for name in names]
            await client.close()
    each = lessons * cost.seconds
    return Recording(
        lessons=lessons,
        seconds=cost.seconds,
        cpu_ms_per_lesson_second=cost.cpu / each * 1e3,
        share_of_core_per_lesson=cost.cpu / each,
        close_ms=max(waits) * 1e3,
        bytes_per_lesson_second=written / each,
        memory_mb=cost.memory / 1e6,
        others=cost.others,
    )


async def _connected(control: Path) -> RecorderClient:
    async with asyncio.timeout(START_WITHIN):
        while True:
            with contextlib.suppress(OSError):
                return await RecorderClient.connect(control)
            await asyncio.sleep(0.02)


async def _close(client: RecorderClient, name: str) -> float:
    begun = time.monotonic()
    reply = await client.request(CloseLesson(name), timeout=30)
    if not isinstance(reply, Closed) or not reply.duration_ms:
        raise RefusedError(f"{name} was not recorded: {reply}")
    return time.monotonic() - begun


async def _drain(reader: asyncio.StreamReader) -> None:
    """Key frame requests come back; the stream has its key frames anyway."""
    while await reader.read(4096):
        pass


async def _feed(writer: asyncio.StreamWriter, names: list[str], epoch_us: int) -> None:
    """The same stream for every lesson, each with handles of its own."""
    for number, name in enumerate(names):
        for handle, track in _tracks(number, name, epoch_us):
            writer.write(link.pack_track(handle, track))
    audio = stream.Source(1, stream.AUDIO_TYPE, (stream.AUDIO_LEVEL,))
    video = stream.Source(2, stream.VIDEO_TYPE, (stream.ABS_SEND_TIME,))
    frames, sounds = stream.video_frames(), stream.audio_packets()
    start = time.monotonic()
    tick = frame = sound = 0
    while True:
        tick += 1
        await asyncio.sleep(max(0.0, start + tick * TICK - time.monotonic()))
        elapsed, arrival = time.monotonic() - start, time.time_ns() // 1000
        due: list[tuple[int, bytes]] = []  # 0 audio, 1 video; the packet
        while elapsed >= sound * voice.PACKET:
            due.append((0, audio.packet(sounds[sound % len(sounds)], sound * 960, sound == 0, time.time())))
            sound += 1
        while elapsed >= frame / stream.RATE:
            payloads = frames[frame % len(frames)]
            timestamp = frame * 90_000 // stream.RATE
            due += ((1, video.packet(p, timestamp, p is payloads[-1], time.time())) for p in payloads)
            frame += 1
        for number in range(len(names)):
            writer.write(b"".join(link.pack_rtp(2 * number + kind, arrival, packet) for kind, packet in due))
        await writer.drain()


def _tracks(number: int, name: str, epoch_us: int) -> list[tuple[int, link.Track]]:
    """Handles and announcements of one lesson."""
    audio = link.Track(
        lesson_id=name,
        publication_id=f"{name}-0",
        participant="teacher",
        kind="audio",
        source="microphone",
        lead=True,
        epoch_us=epoch_us,
        codec="opus",
        payload_type=stream.AUDIO_TYPE,
        clock_rate=48_000,
        channels=2,
        fmtp="minptime=10;useinbandfec=1",
    )
    video = replace(
        audio,
        publication_id=f"{name}-1",
        kind="video",
        source="camera",
        codec="H264",
        payload_type=stream.VIDEO_TYPE,
        clock_rate=90_000,
        channels=0,
        fmtp="level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    )
    return [(2 * number, audio), (2 * number + 1, video)]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
