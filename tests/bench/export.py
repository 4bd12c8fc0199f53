"""What it costs to make one file of a lesson: the directed movie, the copied camera, the sound alone.

The lesson is written by the recorder's own writers, so that an hour takes seconds; the rendering runs in a process of
its own, as a job does, and its CPU time counts: it has one core.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from server.demo import voice
from server.demo.blackboard import Blackboard
from tests.bench.machine import Meter
from tests.bench.processes import RefusedError
from tests.recorder.source import Sample
from tests.support.archived import Piece, Recorded, archived

LOOP_S = 20
CAMERA = "testsrc2=size={0}x{1}:rate=30,noise=alls=4:allf=t,format=yuv420p"  # moves everywhere, as no classroom does

_CHILD = """
import importlib, re, sys, time
from pathlib import Path
from recorder.rendering.progress import ignored
kind, folder, out = sys.argv[1:]
importlib.import_module(f"recorder.rendering.{kind}").render(Path(folder), Path(out), ignored)
print(time.process_time(), re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@dataclass(frozen=True, slots=True)
class Export:
    """One rendering of a lesson."""

    kind: str
    lesson_s: float
    seconds: float  # it took
    cpu_s: float
    times_real_time: float  # on one core: lesson seconds per CPU second
    memory_mb: float  # at most
    size_mb: float
    others: float  # share of the machine used by others


async def export(kind: str, lesson_s: int) -> Export:
    """A lesson with camera and screen of 720p, a class that has the floor now and then, and two microphones."""
    with tempfile.TemporaryDirectory(prefix="tongke-") as place:
        folder = Path(place) / "lesson"
        out = Path(place) / "out.mp4"
        await asyncio.to_thread(lesson, folder, lesson_s)
        meter, begun = Meter(os.getpid()), time.monotonic()
        process = subprocess.Popen([sys.executable, "-c", _CHILD, kind, str(folder), str(out)], stdout=subprocess.PIPE)
        told, _ = await asyncio.to_thread(process.communicate)
        seconds = time.monotonic() - begun
        if process.returncode:
            raise RefusedError(f"no {kind} was rendered")
        cpu, memory_kb = map(float, told.split())
        others = max(0.0, meter.cost().others - cpu / seconds / (os.cpu_count() or 1))
        return Export(
            kind=kind,
            lesson_s=lesson_s,
            seconds=seconds,
            cpu_s=cpu,
            times_real_time=lesson_s / cpu,
            memory_mb=memory_kb / 1e3,
            size_mb=out.stat().st_size / 1e6,
            others=others,
        )


def lesson(folder: Path, lesson_s: int) -> None:
    """The lesson in `folder`; its loops of media are made anew, which takes some seconds."""
    speech = list(_speech())
    camera, phone = list(_camera(1280, 720, 1_500_000)), list(_camera(640, 360, 500_000))
    board = list(_board())
    turns = range(10_000, lesson_s * 1000 - 10_000, 40_000)  # ms: a class says something for eight seconds
    archived(
        folder,
        [
            Recorded("camera", "H264", _loops(camera, lesson_s)),
            Recorded("screen", "H264", _loops(board, lesson_s), "screen"),
            Recorded("microphone", "opus", _loops(speech, lesson_s), "microphone"),
            Recorded("class", "H264", _loops(phone, lesson_s), participant="c-1", lead=False),
            Recorded(
                "answers",
                "opus",
                [Piece(0, speech[:1]), *(Piece(at, speech[:400]) for at in turns)],
                "microphone",
                "c-1",
                lead=False,
            ),
        ],
    )


def _loops(samples: Sequence[Sample], lesson_s: int) -> list[Piece]:
    whole, rest = divmod(lesson_s, LOOP_S)
    pieces = [Piece(number * LOOP_S * 1000, samples) for number in range(whole)]
    if rest:
        pieces.append(Piece(whole * LOOP_S * 1000, [each for each in samples if each.at_us < rest * 1_000_000]))
    return pieces


def _camera(width: int, height: int, bit_rate: int) -> Iterator[Sample]:
    graph = Graph()
    source, *filters = CAMERA.format(width, height).split(",")
    nodes = [graph.add(*each.split("=", 1)) for each in (source, *filters)]
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    return _encoded((cast(VideoFrame, graph.pull()) for _ in range(30 * LOOP_S)), 30, bit_rate)


def _board() -> Iterator[Sample]:
    """A screen on which something is written."""
    frame = VideoFrame(1280, 720, "yuv420p")
    board = Blackboard(1280, 720, tuple(plane.line_size for plane in frame.planes))  # type: ignore[arg-type]

    def frames() -> Iterator[VideoFrame]:
        for number in range(15 * LOOP_S):
            drawn = board.draw(number / 15, datetime(2025, 9, 1, 8, 0, number // 15))
            for plane, data in zip(frame.planes, drawn.planes, strict=True):
                plane.update(bytes(data))
            yield frame

    return _encoded(frames(), 15, 800_000)


def _encoded(frames: Iterator[VideoFrame], rate: int, bit_rate: int) -> Iterator[Sample]:
    """As browsers encode: no B-frames, a key frame now and then."""
    encoder: av.VideoCodecContext | None = None
    for number, frame in enumerate(frames):
        if encoder is None:
            encoder = av.CodecContext.create("libx264", "w")
            encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
            encoder.time_base, encoder.framerate = Fraction(1, rate), Fraction(rate)
            encoder.bit_rate, encoder.gop_size = bit_rate, 5 * rate
            encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "threads": "1"}
        frame.pts, frame.time_base = number, Fraction(1, rate)
        for packet in encoder.encode(frame):
            yield Sample(cast(int, packet.pts) * 1_000_000 // rate, bytes(packet), packet.is_keyframe)


def _speech() -> Iterator[Sample]:
    """The voice of the demo in one channel, which is what browsers make of a microphone."""
    decoder = av.CodecContext.create("libopus", "r")
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "mono", "s16", 32_000
    encoder.options = {"application": "voip"}
    mono = av.AudioResampler(format="s16", layout="mono", rate=48_000, frame_size=960)
    made: list[bytes] = []
    for packet in voice.packets()[: 50 * LOOP_S]:
        for decoded in decoder.decode(av.Packet(packet)):
            for frame in mono.resample(decoded):
                frame.pts = None
                made += (bytes(each) for each in encoder.encode(frame))
    made += (bytes(each) for each in encoder.encode(None))
    first = Sample(0, b"", key=True)
    return (replace(first, at_us=number * 20_000, data=data) for number, data in enumerate(made[: 50 * LOOP_S]))
