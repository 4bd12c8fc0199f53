"""What a real Chromium sends, recorded: AV1, and scalable streams, which no other test has from a browser."""

from __future__ import annotations

import asyncio
import io
import socket
import struct
import time
from pathlib import Path

import av
import pytest

from media import rtp
from media.messages import Done, Record
from media.recording_link import FrameType, Reader
from recorder.describe import describe
from recorder.intake import Link
from recorder.manifest import read_manifest
from recorder.messages import Closed, CloseLesson
from recorder.parts import read_parts
from recorder.recorder import Recorder
from tests.recorder.watch import entries
from tests.support.browser import chromium, eventually
from tests.support.own_worker import own_worker

PICTURES = 25


@pytest.mark.parametrize(("codec", "name"), [("AV1", "av01.0."), ("VP9", "vp09.00.")])
async def test_a_scalable_stream_is_recorded_with_its_largest_pictures(tmp_path: Path, codec: str, name: str) -> None:
    """Two sizes and two rates; the page's camera is 720 pixels high, and half of that is sent."""
    sent, seen = bytearray(), set()
    async with chromium() as browser, own_worker() as own:
        page = await browser.new_page()
        await page.goto(own.url)
        encoding = {"scalabilityMode": "L2T2_KEY", "maxFramerate": 15, "scaleResolutionDownBy": 2}
        await page.evaluate("([codec, encoding]) => publish(codec, [encoding])", [codec, encoding])
        request = Record("teacher-0", "lesson", "p-1", "camera", True, time.time_ns() // 1000)
        assert own.worker.handle(request, time.monotonic()) == Done()
        feed, reader = own.worker.recorder_feed, Reader()
        sent += feed.connected()

        async def enough() -> bool:
            data = feed.take()
            sent.extend(data)
            for frame in reader.feed(data):
                if frame.type is FrameType.RTP and (packet := rtp.parse(frame.rtp()[1])) is not None:
                    seen.add(packet.timestamp)
            return len(seen) > PICTURES

        await eventually("pictures", enough, within=30)
    recorder = Recorder(tmp_path, lambda _: None)
    here, there = socket.socketpair()
    with here, there:
        Link(there, recorder, asyncio.get_running_loop(), lambda _: None)._frames(bytes(sent))
    assert isinstance(recorder.handle(CloseLesson("lesson")), Closed)

    folder = tmp_path / "lesson"
    (entry,) = read_manifest(folder).tracks
    assert entry.codecs.startswith(name)
    (track,) = describe(folder)["tracks"]
    assert track["gaps"] == []
    place = folder / "tracks" / entry.folder
    listed = entries(place / "index.m3u8")
    assert struct.pack("!HH", 640, 360) in (place / read_parts(place)[-1].init).read_bytes()
    data = (place / listed[-1].init).read_bytes() + b"".join((place / each.uri).read_bytes() for each in listed)
    with av.open(io.BytesIO(data), "r") as container:
        shown = [frame for frame in container.decode(video=0) if frame.height == 360]
    # A browser may begin with small pictures, and of the first or the last perhaps not all packets came.
    assert len(shown) >= PICTURES - 8
