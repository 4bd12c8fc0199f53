"""The row beside ours: one lesson recorded by aiortc's MediaRecorder, which decodes what comes and encodes it anew.

`python -m tests.bench.naive_recording SECONDS` records that much in a process of its own and prints its CPU seconds.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.codecs import h264, opus
from aiortc.contrib.media import MediaRecorder
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import MediaStreamError

from server.demo import voice
from tests.bench import stream
from tests.bench.processes import RefusedError, child


@dataclass(frozen=True, slots=True)
class NaiveRecording:
    """One lesson of 720p with sound through MediaRecorder, as fast as it goes."""

    seconds: float  # of the lesson
    cpu_ms_per_lesson_second: float
    share_of_core_per_lesson: float


async def naive_recording(seconds: float) -> NaiveRecording:
    """Record so much of the stream of all the rows."""
    async with child("-m", "tests.bench.naive_recording", str(seconds)) as process:
        assert process.stdout is not None
        said = await process.stdout.readline()
    if not said:
        raise RefusedError("aiortc recorded nothing")
    share = float(said) / seconds
    return NaiveRecording(seconds, share * 1e3, share)


class _Decoded(MediaStreamTrack):
    """What aiortc's receiver hands on: frames decoded from the packets, without the network between."""

    def __init__(self, kind: str, packets: list[tuple[bytes, int]]) -> None:
        super().__init__()
        self.kind = kind
        self.drained = asyncio.Event()
        self._packets = iter(packets)
        self._frames: list[Any] = []
        self._decoder: Any = h264.H264Decoder() if kind == "video" else opus.OpusDecoder()

    async def recv(self) -> Any:
        while not self._frames:
            for data, timestamp in self._packets:
                self._frames += self._decoder.decode(JitterFrame(data, timestamp))
                break
            else:
                self.drained.set()
                raise MediaStreamError
            await asyncio.sleep(0)
        return self._frames.pop(0)


async def _record(seconds: float, out: Path) -> float:
    video = [
        (b"".join(h264.h264_depayload(payload) for payload in payloads), number * 90_000 // stream.RATE)
        for number, payloads in enumerate(stream.video_frames() * (1 + int(seconds // stream.SECONDS)))
    ][: int(seconds * stream.RATE)]
    count = int(seconds / voice.PACKET)
    packets = stream.audio_packets()
    audio = [(packets[number % len(packets)], number * 960) for number in range(count)]
    before = _cpu()
    recorder = MediaRecorder(str(out))
    tracks = (_Decoded("video", video), _Decoded("audio", audio))
    for track in tracks:
        recorder.addTrack(track)
    await recorder.start()
    for track in tracks:
        await track.drained.wait()
    await recorder.stop()
    return _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Record and say what it cost."""
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        print(asyncio.run(_record(float(sys.argv[1]), Path(folder) / "lesson.mp4")), flush=True)


if __name__ == "__main__":
    main()
