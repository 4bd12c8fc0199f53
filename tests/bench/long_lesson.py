"""A lesson of any length in a fraction of its time: real packets through a real recorder, whose clock we turn.

python -m tests.bench.long_lesson ARCHIVE LESSON_ID [MINUTES]
"""

from __future__ import annotations

import sys
from pathlib import Path

from media.recording_link import Track
from recorder.messages import CloseLesson, OpenLesson
from recorder.recorder import Recorder
from server.demo import voice
from tests.bench import stream
from tests.bench.recording import tracks_of

EPOCH_US = 1_790_000_000_000_000
BEGIN_US = EPOCH_US + 5_000_000  # the class has waited a little


def long_lesson(archive: Path, lesson_id: str, seconds: int) -> Recorder:
    """Record a teacher's camera of 720p and microphone for so long. The lesson is still open."""
    recorder = Recorder(archive, lambda event: None)
    recorder.start(BEGIN_US)
    recorder.handle(OpenLesson(lesson_id, EPOCH_US, "a long lesson"))
    (_, microphone), (_, camera) = tracks_of(0, lesson_id, EPOCH_US)
    _play(recorder, microphone, camera, seconds)
    return recorder


def finish(recorder: Recorder, lesson_id: str) -> None:
    """End it."""
    recorder.handle(CloseLesson(lesson_id))


def _play(recorder: Recorder, microphone: Track, camera: Track, seconds: int) -> None:
    asked = [False]

    def ask() -> None:
        asked[0] = True

    hears, sees = recorder.feed(microphone, lambda: None), recorder.feed(camera, ask)
    frames, sounds = stream.video_frames(), stream.audio_packets()
    heard = frame = sequence = 0
    for second in range(seconds):
        begin_us = BEGIN_US + second * 1_000_000
        for number in range(round(1 / voice.PACKET)):
            arrival = begin_us + round(number * voice.PACKET * 1e6)
            hears.packet(arrival, heard & 0xFFFF, heard * 960 & 0xFFFFFFFF, 1, False, sounds[heard % len(sounds)], 30)
            heard += 1
        for number in range(stream.RATE):
            if asked[0]:  # the stream begins with its only key frame
                frame, asked[0] = 0, False
            payloads = frames[frame % len(frames)]
            frame += 1
            timestamp = (second * stream.RATE + number) * 90_000 // stream.RATE & 0xFFFFFFFF
            arrival = begin_us + number * 1_000_000 // stream.RATE
            for payload in payloads:
                sees.packet(arrival, sequence & 0xFFFF, timestamp, 2, payload is payloads[-1], payload, 255)
                sequence += 1
        recorder.tick(begin_us + 1_000_000)


def main(arguments: list[str]) -> None:
    """Record one from the command line."""
    archive, lesson_id, *more = arguments
    finish(long_lesson(Path(archive), lesson_id, 60 * int(more[0]) if more else 5400), lesson_id)


if __name__ == "__main__":
    main(sys.argv[1:])
