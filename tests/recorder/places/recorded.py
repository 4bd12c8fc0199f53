"""Lessons as the recorder leaves them, made in this process from real media."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from media.recording_link import FrameType, Reader
from recorder.messages import AppendEvents, Closed, CloseLesson, OpenLesson
from recorder.recorder import Feed, Recorder
from tests.recorder.source import lead_on_air, picture, publication

EPOCH_US = 1_700_000_000_000_000


def feed(recorder: Recorder, sent: Iterable[bytes]) -> None:
    """What a worker would send, handed to the recorder frame by frame."""
    reader, feeds = Reader(), dict[int, Feed]()
    for frame in (frame for data in sent for frame in reader.feed(data)):
        if frame.type is FrameType.TRACK:
            feeds[frame.handle] = recorder.feed(frame.track(), lambda: None)
        elif frame.type is FrameType.RTP:
            arrival_us, packet = frame.rtp()
            head = 16 + 4 * int.from_bytes(packet[14:16], "big")
            feeds[frame.handle].packet(
                arrival_us,
                int.from_bytes(packet[2:4], "big"),
                int.from_bytes(packet[4:8], "big"),
                int.from_bytes(packet[8:12], "big"),
                bool(packet[1] & 0x80),
                packet[head:],
                packet[17],
            )
        elif frame.type is FrameType.REPORT:
            feeds[frame.handle].report(frame.report())
        elif frame.type is FrameType.END:
            feeds.pop(frame.handle).end()


def begin(archive: Path, lesson_id: str, seconds: int = 14, webm: bool = False) -> Recorder:
    """A recorder with one lesson on air: the lead teacher's camera and microphone, and perhaps a VP8 screen."""
    archive.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(archive, lambda event: None)
    recorder.handle(OpenLesson(lesson_id, EPOCH_US, "勾股定理"))
    recorder.handle(AppendEvents(lesson_id, ('{"seq": 1, "at_ms": 0, "kind": "started"}',)))
    camera = publication(lesson_id, "p-0", "H264", EPOCH_US)
    microphone = publication(lesson_id, "p-1", "opus", EPOCH_US, "microphone", handle=2)
    sent = lead_on_air(camera, microphone, EPOCH_US + 500_000, seconds)
    if webm:
        screen = publication(lesson_id, "p-2", "VP8", EPOCH_US, "screen", handle=3)
        sent += [screen.announce(), *(one.data for one in screen.stream(picture("VP8", 4), EPOCH_US + 900_000))]
    feed(recorder, sent)
    recorder.tick(EPOCH_US + (seconds + 1) * 1_000_000)
    return recorder


def record(archive: Path, lesson_id: str, seconds: int = 14, webm: bool = False) -> Path:
    """A whole lesson; gives its folder."""
    end(begin(archive, lesson_id, seconds, webm), lesson_id)
    return archive / lesson_id


def end(recorder: Recorder, lesson_id: str) -> None:
    """The lesson is over, and durable."""
    closed = recorder.handle(CloseLesson(lesson_id))
    assert isinstance(closed, Closed), closed
    recorder.synced(0, 1)
    recorder.synced(1, 2)
