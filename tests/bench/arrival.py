"""What the way in costs without sockets: `python -m tests.bench.arrival [lessons] [seconds]`.

A worker in memory takes what its publishers send: microphone and camera of 720p, protected beforehand, in the order and
the bursts in which they would arrive; nobody watches. Prints CPU microseconds per packet, the ticks among them. What
the kernel and the event loop add is in the row "inbound" of `python -m tests.bench`.
"""

from __future__ import annotations

import gc
import sys
import time

from media.garbage import Garbage
from media.ice import Path
from media.worker import TICK
from tests.bench import stream
from tests.support.flow import AUDIO, VIDEO, World

_SOUND = 0.02  # seconds between packets


def datagrams(world: World, lessons: int, seconds: float) -> list[tuple[float, list[tuple[bytes, Path]]]]:
    """When what arrives together, in order."""
    frames, sounds = stream.video_frames(stream.SINGLE), stream.audio_packets()
    arrivals: list[tuple[float, list[tuple[bytes, Path]]]] = []
    for lesson in range(lessons):
        browser = world.publisher(f"teacher-{lesson}")
        assert browser.outbound is not None
        shared = [0]
        own = (stream.ABS_SEND_TIME, stream.TRANSPORT_CC)
        audio = stream.Source(
            AUDIO, stream.AUDIO_TYPE, (stream.AUDIO_LEVEL, stream.TRANSPORT_CC), transport_sequence=shared
        )
        video = stream.Source(VIDEO, stream.VIDEO_TYPE, own, transport_sequence=shared)
        path = Path(0, browser.address)
        begin = 0.1 + lesson / lessons / stream.RATE
        due = [(begin + n * _SOUND, True, n) for n in range(int(seconds / _SOUND))]
        due += [(begin + n / stream.RATE, False, n) for n in range(int(seconds * stream.RATE))]
        for at, is_sound, n in sorted(due):
            if is_sound:
                plain = [audio.packet(sounds[n % len(sounds)], n * 960, n == 0, at)]
            else:
                frame = frames[n % len(frames)]
                timestamp = n * 90_000 // stream.RATE
                plain = [video.packet(each, timestamp, each is frame[-1], at) for each in frame]
            arrivals.append((at, [(browser.outbound.rtp(each), path) for each in plain]))
    return sorted(arrivals, key=lambda arrival: arrival[0])


def measure(lessons: int, seconds: float) -> float:
    """CPU microseconds per packet."""
    world = World()
    arrivals = datagrams(world, lessons, seconds)
    worker, begin = world.worker, world.now
    ticked, count = 0.0, 0
    garbage = Garbage(begin)
    before = time.process_time()
    for at, some in arrivals:
        while ticked + TICK <= at:
            ticked += TICK
            worker.tick(begin + ticked)
            garbage.tick(begin + ticked, worker.transports)
            world.batch.take()
        for data, path in some:
            worker.receive(data, path, begin + at)
        worker.flush(begin + at)
        count += len(some)
    spent = time.process_time() - before
    garbage.close()
    gc.collect()
    counters = worker.counters
    assert not [name for name in counters if name.startswith("dropped")], counters
    return spent / count * 1e6


def main() -> None:
    lessons = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 4.0
    print(f"{lessons} lessons: {measure(lessons, seconds):.2f} us of CPU per packet")


if __name__ == "__main__":
    main()
