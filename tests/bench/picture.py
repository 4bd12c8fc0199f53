"""How long a picture stands still on a lossy line, and why: python -m tests.bench.picture

In virtual time, so that nothing but the line counts: a real worker with a camera, and behind a lane that loses and
delays a viewer that asks as Chromium does (its nack_requester: at once for what is overtaken, again after each round
trip, ten times at most), reports ten times a second, and shows a frame 400 ms after it would
have come over a perfect line, or when it and all before it since a key frame are there.
"""

from __future__ import annotations

import argparse
import contextlib
import struct
from dataclasses import dataclass, field

from media import rtcp, rtp
from media.srtp import SrtpError
from media.worker import TICK
from tests.bench import offers
from tests.bench.stream import RTX_TYPE, VIDEO_TYPE
from tests.support.flow import H264_KEY, VIDEO, Browser, World
from tests.support.link import Conditions, Lane

STEP = 0.005  # seconds
FRAME = 1 / 30
PACKETS = 6  # of a frame: 1.5 Mb/s
KEY_PACKETS = 40
BUFFER = 0.4  # seconds
TRIES = 10  # of Chromium, for each packet
GIVES_UP = 3.0  # seconds without a picture until it asks for a key frame
WARM_UP = 10.0  # seconds that are not counted
STILL = 0.2  # seconds between two pictures that count as a freeze
NUMBER = struct.Struct("!I")  # of a packet, at its end
_PAYLOAD = b"\x41" + b"x" * 1000


@dataclass
class Frame:
    sent: float
    first: int  # number of its first packet
    packets: int
    key: bool

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.packets)


@dataclass
class Watcher:
    """A viewer's picture: what came when, and what it asks for."""

    browser: Browser
    down: Lane[bytes]
    up: Lane[bytes]
    there: dict[int, float] = field(default_factory=dict)  # number of the publisher's packet -> when it came
    missing: dict[int, tuple[float, int]] = field(default_factory=dict)  # number -> when last asked, how often
    unwrapper: rtp.Unwrapper = field(default_factory=rtp.Unwrapper)
    ssrc: int = 0
    highest: int = -1
    received: int = 0
    octets: int = 0
    repeats: int = 0
    still_since: float = 0.0  # the newest frame that could be shown
    frames: list[Frame] = field(default_factory=list)
    first: int = 1 << 62  # the lowest sequence number, unwrapped
    since: dict[int, float] = field(default_factory=dict)  # what is missing -> when that was seen
    shown: int = 0  # of `frames`, those that were decodable or skipped by a key frame

    def take(self, now: float, rtt: float) -> None:
        for datagram in self.down.receive(now):
            with contextlib.suppress(SrtpError):
                Browser.receive(self.browser, datagram)
        fresh: list[int] = []
        for packet in self.browser.take():
            if packet.payload_type == RTX_TYPE:
                self.repeats += 1
                if len(packet.payload) < 2 + NUMBER.size:
                    continue
                index = self.unwrapper.index(int.from_bytes(packet.payload[:2], "big"))
            elif packet.payload_type == VIDEO_TYPE:
                index = self.unwrapper.index(packet.sequence)
                self.ssrc = packet.ssrc
                if self.highest < 0:
                    self.highest = index
                for gone in range(self.highest + 1, index):
                    self.missing[gone] = (0.0, 0)
                    self.since[gone] = now
                    fresh.append(gone)
                self.highest = max(self.highest, index)
                self.received += 1
            else:
                continue
            self.first = min(index, self.first)
            (number,) = NUMBER.unpack_from(packet.payload, len(packet.payload) - NUMBER.size)
            self.there.setdefault(number, now)
            self.missing.pop(index, None)
        fresh = [index for index in fresh if index in self.missing]
        if fresh:
            self._ask(fresh, now)

    def look(self, now: float, rtt: float) -> None:
        """Every 20 ms."""
        due = [index for index, (asked, _) in self.missing.items() if now - asked >= rtt]
        for index in due:
            if self.missing[index][1] >= TRIES:
                del self.missing[index]
        due = [index for index in due if index in self.missing]
        if due:
            self._ask(due, now)
        if self._shows(now) or now - self.still_since < GIVES_UP:
            return
        self.still_since = now
        self.browser.report(rtcp.PictureLoss(1, self.ssrc))

    def _shows(self, now: float) -> bool:
        """Whether another frame can be decoded."""
        before = self.shown
        for at in range(self.shown, len(self.frames)):
            frame = self.frames[at]
            if any(number not in self.there for number in frame.numbers):
                continue
            if at == self.shown or frame.key:
                self.shown = at + 1
                if frame.key:
                    for index, (_, tries) in list(self.missing.items()):
                        if tries and now - self.since[index] > now - self.there[frame.first]:
                            del self.missing[index]
        if self.shown > before:
            self.still_since = now
        return self.shown > before

    def _ask(self, lost: list[int], now: float) -> None:
        for index in lost:
            self.missing[index] = (now, self.missing[index][1] + 1)
        self.browser.report(rtcp.Nack(1, self.ssrc, tuple(index & 0xFFFF for index in lost)))

    def send(self, datagram: bytes, now: float) -> None:
        if not rtp.is_rtcp(datagram):
            self.octets += len(datagram)
        self.down.send(datagram, now)


@dataclass
class Seen:
    """What the viewer saw."""

    freezes: list[tuple[float, float]] = field(default_factory=list)  # when, how long
    kilobits: float = 0.0
    repeats: int = 0
    asked_key_frames: int = 0

    def line(self, seconds: float) -> str:
        frozen = sum(length for _, length in self.freezes)
        longest = max((length for _, length in self.freezes), default=0.0)
        return (
            f"{len(self.freezes):3} freezes  longest {1000 * longest:5.0f} ms  {100 * frozen / seconds:5.2f} % frozen  "
            f"{self.kilobits:5.0f} kb/s  {self.repeats} repeated  {self.asked_key_frames} key frames asked"
        )


def measure(conditions: Conditions, seconds: float, seed: int) -> Seen:
    world = World()
    teacher, viewer = world.publisher(), Browser(world, "class")
    viewer.answer("receive", offers.watching(viewer.credentials, 1, 1))
    viewer.connect()
    world.place(viewer, mid1="teacher-1")
    calm = Conditions(delay=conditions.delay)
    watcher = Watcher(viewer, Lane(calm, 2 * seed), Lane(calm, 2 * seed + 1))
    viewer.receive = lambda data: watcher.send(data, world.now)  # type: ignore[method-assign]
    viewer.send = lambda datagram: watcher.up.send(datagram, world.now)  # type: ignore[method-assign]
    frames = watcher.frames
    begun, rtt, sequence, since = world.now, 2 * conditions.delay, 0, world.now
    next_frame = begun
    wants_key = True
    seen = Seen()
    for step in range(round((WARM_UP + seconds) / STEP)):
        world.now = begun + step * STEP
        for datagram in watcher.up.receive(world.now):
            Browser.send(viewer, datagram)
        if step == round(2 / STEP):
            watcher.down.conditions = watcher.up.conditions = conditions
        if teacher.told(rtcp.PictureLoss):
            seen.asked_key_frames += world.now - begun > WARM_UP
            wants_key = True
        if world.now >= next_frame:
            next_frame += FRAME
            count = KEY_PACKETS if wants_key else PACKETS
            frames.append(Frame(world.now, sequence, count, wants_key))
            for number in range(count):
                payload = (H264_KEY if wants_key and number == 0 else b"") + _PAYLOAD + NUMBER.pack(sequence)
                teacher.send_rtp(
                    VIDEO,
                    VIDEO_TYPE,
                    payload,
                    sequence=sequence & 0xFFFF,
                    timestamp=round((world.now - begun) * 90000) & 0xFFFFFFFF,
                    marker=number == count - 1,
                )
                sequence += 1
            wants_key = False
        if step % round(TICK / STEP) == 0:
            world.worker.tick(world.now)
        world.settle()
        watcher.take(world.now, rtt)
        if step % round(0.02 / STEP) == 0:
            watcher.look(world.now, rtt)
        if step % round(0.1 / STEP) == 0 and watcher.there:
            gone = watcher.highest - watcher.first + 1 - watcher.received
            block = rtcp.ReportBlock(watcher.ssrc, 0, gone, watcher.highest, 0, 0, 0)
            viewer.report(rtcp.ReceiverReport(1, (block,)), rtcp.Remb(1, 3_000_000, (watcher.ssrc,)))
        if step % round(5 / STEP) == 0:
            for each in (teacher, viewer):
                Browser.check(each)
        if world.now - begun < WARM_UP:
            since, watcher.octets, watcher.repeats = world.now, 0, 0
    _shown(seen, frames, watcher, conditions.delay, since, world.now - 2)
    seen.kilobits = watcher.octets * 8 / seconds / 1000
    seen.repeats = watcher.repeats
    return seen


def _shown(seen: Seen, frames: list[Frame], watcher: Watcher, delay: float, since: float, until: float) -> None:
    last = decodable = frames[0].sent
    whole = True
    for frame in frames:
        ready = max(watcher.there.get(number, 1e9) for number in frame.numbers)
        whole = ready < 1e8 and (whole or frame.key)
        if not whole:
            continue
        decodable = ready if frame.key else max(decodable, ready)
        shown = max(frame.sent + delay + BUFFER, decodable)
        if shown - last > STILL and since < frame.sent < until:
            seen.freezes.append((frame.sent - since, shown - last))
        last = max(last, shown)


LINES = {
    "random": Conditions(loss=0.05, delay=0.04),
    "bursts": Conditions(loss=0.05, burst=5.0, delay=0.04),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for line, conditions in LINES.items():
        for seed in range(options.seeds):
            seen = measure(conditions, options.seconds, seed)
            print(f"{line} {seed}  {seen.line(options.seconds)}", flush=True)
            print("   ", ", ".join(f"{at:.1f}: {1000 * long:.0f}" for at, long in seen.freezes[:12]))


if __name__ == "__main__":
    main()
