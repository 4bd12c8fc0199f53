"""What recording costs: framed RTP of many lessons at once into one recorder, as its workers send it.

The recorder is fed over its socket, without a media worker between, because one generator can then keep so many lessons
going that the cost of one is measured well above the clock's resolution.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from media import recording_link as link
from recorder import boxes
from recorder.client import RecorderClient
from recorder.messages import Closed, CloseLesson, OpenLesson
from server.demo import voice
from tests.bench import stream
from tests.bench.machine import Meter
from tests.bench.processes import START_WITHIN, RefusedError, child

TICK = 0.02  # seconds between deliveries
WORKERS = 2  # connections; the design has one worker per core
PUNCTUAL = 10.0  # seconds the recorder may keep its workers waiting: so long they hold packets back

_HANDLE = struct.Struct("!I")
_SAMPLES = 88  # where in a fragment of ours the number of its samples stands


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
    memory_mb_per_lesson: float  # what each adds to a recorder that does nothing
    behind_ms: float  # the longest the recorder kept a worker waiting
    lost: int  # frames and sound packets that were fed and are in no file
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
            epoch_us = time.time_ns() // 1000 - 60_000_000  # the lesson clocks have run for a minute
            names = [f"bench-{number}" for number in range(lessons)]
            idle = Meter(process.pid).cost().memory
            for name in names:
                await client.request(OpenLesson(name, epoch_us, "bench"))
            workers = [await asyncio.open_unix_connection(str(media)) for _ in range(WORKERS)]
            feed = _Feed([writer for _, writer in workers], names, epoch_us)
            draining = [asyncio.create_task(_drain(reader)) for reader, _ in workers]
            feeding = asyncio.create_task(feed.run())
            await asyncio.sleep(2.0)
            meter = Meter(process.pid)
            before = _size(archive)
            await asyncio.sleep(seconds)
            cost, written = meter.cost(), _size(archive) - before
            feed.ending = True
            await feeding
            waits = [await _close(client, name) for name in names]
            for task in draining:
                task.cancel()
            await asyncio.gather(*draining, return_exceptions=True)
            for _, writer in workers:
                writer.close()
            await client.close()
        lost = sum(feed.frames + feed.sounds - _recorded(archive / name) for name in names)
    if feed.behind > PUNCTUAL:
        raise RefusedError(f"workers were kept waiting for {feed.behind:.1f} s: the machine does not carry this many")
    each = lessons * cost.seconds
    return Recording(
        lessons=lessons,
        seconds=cost.seconds,
        cpu_ms_per_lesson_second=cost.cpu / each * 1e3,
        share_of_core_per_lesson=cost.cpu / each,
        close_ms=max(waits) * 1e3,
        bytes_per_lesson_second=written / each,
        memory_mb=cost.memory / 1e6,
        memory_mb_per_lesson=(cost.memory - idle) / lessons / 1e6,
        behind_ms=feed.behind * 1e3,
        lost=lost,
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


class _Feed:
    """The same stream for every lesson, each with handles of its own; lessons are spread over the workers."""

    def __init__(self, writers: list[asyncio.StreamWriter], names: list[str], epoch_us: int) -> None:
        self.ending = False
        self.behind = 0.0  # seconds
        self.frames = self.sounds = 0  # fed to each lesson
        self._writers = writers
        self._handles: list[list[tuple[bytes, bytes]]] = [[] for _ in writers]  # of sound and picture
        for number, name in enumerate(names):
            worker = number % len(writers)
            for handle, track in tracks_of(number, name, epoch_us):
                writers[worker].write(link.pack_track(handle, track))
            self._handles[worker].append((_HANDLE.pack(2 * number), _HANDLE.pack(2 * number + 1)))

    async def run(self) -> None:
        """At real pace, until it is told to end."""
        audio = stream.Source(1, stream.AUDIO_TYPE, (stream.AUDIO_LEVEL,))
        video = stream.Source(2, stream.VIDEO_TYPE, (stream.ABS_SEND_TIME,))
        frames, sounds = stream.video_frames(), stream.audio_packets()
        start, start_us = time.monotonic(), time.time_ns() // 1000
        tick = 0
        while not self.ending:
            tick += 1
            await asyncio.sleep(max(0.0, start + tick * TICK - time.monotonic()))
            elapsed = tick * TICK
            self.behind = max(self.behind, time.monotonic() - start - elapsed)
            due: list[tuple[int, bytes]] = []  # 0 audio, 1 video; the packet as it came to the worker
            while elapsed >= self.sounds * voice.PACKET:
                arrival = start_us + int(self.sounds * voice.PACKET * 1e6)
                sound = sounds[self.sounds % len(sounds)]
                packet = audio.packet(sound, self.sounds * 960, not self.sounds, time.time())
                due.append((0, link.pack_rtp(0, arrival, packet)))
                self.sounds += 1
            while elapsed >= self.frames / stream.RATE:
                arrival = start_us + int(self.frames / stream.RATE * 1e6)
                payloads = frames[self.frames % len(frames)]
                timestamp = self.frames * 90_000 // stream.RATE
                packets = [video.packet(p, timestamp, p is payloads[-1], time.time()) for p in payloads]
                due += ((1, link.pack_rtp(0, arrival, packet)) for packet in packets)
                self.frames += 1
            pieces = [(kind, frame[:5], frame[9:]) for kind, frame in due]  # around the handle
            for writer, handles in zip(self._writers, self._handles, strict=True):
                for own in handles:
                    writer.write(b"".join(part for kind, head, rest in pieces for part in (head, own[kind], rest)))
                await writer.drain()


def _recorded(folder: Path) -> int:
    """How many samples are in the files of a lesson."""
    count = 0
    for path in folder.glob("tracks/*/*.m4s"):
        data = path.read_bytes()
        for span in boxes.fragments(data):
            count += int.from_bytes(data[span.offset + _SAMPLES : span.offset + _SAMPLES + 4], "big")
    return count


def tracks_of(number: int, name: str, epoch_us: int) -> list[tuple[int, link.Track]]:
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
