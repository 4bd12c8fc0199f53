"""How much sound a lossy line costs a class, and what brings it back: python -m tests.bench.sound

In virtual time, so that nothing but the line counts: a real worker with a microphone, and a viewer behind a lane that
loses and delays. A packet of 20 ms is concealed if neither it nor another that carries it is there when it has to be
played: `buffer` after it would have come over a perfect line. What Chromium's own jitter buffer makes of it is not
in here; docs/performance.md has that beside it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from media import red, rtcp, rtp
from media.nack import MissingPackets
from media.srtp import SrtpError
from media.worker import TICK
from tests.bench import offers
from tests.bench.stream import AUDIO_TYPE
from tests.support.flow import Browser, World
from tests.support.link import Conditions, Lane
from tests.support.redundant import offering_red

STEP = 0.005  # seconds
PACKET = 0.02  # seconds of sound
WARM_UP = 10.0  # seconds that are not counted: until the line is known to lose
BUFFERS = (0.06, 0.15, 0.4)  # seconds: people talk with each other; usual; a class that listens


@dataclass
class Listener:
    """A viewer's sound: what came when."""

    browser: Browser
    asks: bool
    down: Lane[bytes]
    up: Lane[bytes]
    there: dict[int, float] = field(default_factory=dict)  # unwrapped sequence number -> when it could be played
    missing: MissingPackets = field(default_factory=MissingPackets)
    unwrapper: rtp.Unwrapper = field(default_factory=rtp.Unwrapper)
    ssrc: int = 0
    received: int = 0
    octets: int = 0

    def take(self, now: float) -> None:
        """Let come in what the line has brought."""
        for datagram in self.down.receive(now):
            with contextlib.suppress(SrtpError):  # what comes twice is refused
                Browser.receive(self.browser, datagram)
        for packet in self.browser.take():
            index = self.unwrapper.index(packet.sequence)
            self.missing.receive(packet.sequence, now)
            self.ssrc = packet.ssrc
            self.received += index not in self.there
            self.there[index] = min(now, self.there.get(index, now))
            for block in red.undo(packet, AUDIO_TYPE) or ():
                self.there.setdefault(index - block.back, now)

    def send(self, datagram: bytes, now: float) -> None:
        """What the worker sends goes on its way."""
        if not rtp.is_rtcp(datagram):
            self.octets += len(datagram)
        self.down.send(datagram, now)

    def tell(self, now: float, rtt: float) -> None:
        """Every 20 ms: ask for what is missing; every second report."""
        if self.asks and (lost := self.missing.due(now, rtt)):
            self.browser.report(rtcp.Nack(1, self.ssrc, tuple(lost)))
        if self.there and round(now / TICK) % 50 == 0:
            highest = self.unwrapper.highest
            gone = highest - min(self.there) + 1 - self.received
            self.browser.report(rtcp.ReceiverReport(1, (rtcp.ReportBlock(self.ssrc, 0, gone, highest, 0, 0, 0),)))


def measure(conditions: Conditions, seconds: float, *, asks: bool, redundant: bool, heeded: bool = True) -> list[float]:
    """Share of the sound that is concealed for each of BUFFERS, and the kb/s it took.

    `asks` by NACK, `redundant`: knows RED; a viewer that is not `heeded` reports nothing, so that nothing is done.
    """
    world = World()
    teacher, viewer = world.publisher(), Browser(world, "class")
    offer = offers.watching(viewer.credentials, 1, 1)
    viewer.answer("receive", offering_red(offer) if redundant else offer)
    viewer.connect()
    world.place(viewer, mid0="teacher-0")
    calm = Conditions(delay=conditions.delay)  # at first, so that the first packet is known
    listener = Listener(viewer, asks, Lane(calm, 1), Lane(calm, 2))
    viewer.receive = lambda data: listener.send(data, world.now)  # type: ignore[method-assign]
    viewer.send = lambda datagram: listener.up.send(datagram, world.now)  # type: ignore[method-assign]
    sent: list[float] = []
    begun, counted = world.now, 0
    steps = round(PACKET / STEP)
    for step in range(round((WARM_UP + seconds) / STEP)):
        world.now = begun + step * STEP
        for datagram in listener.up.receive(world.now):
            Browser.send(viewer, datagram)
        if step == round(1 / STEP):
            listener.down.conditions = listener.up.conditions = conditions
        if step % steps == 0:
            sent.append(world.now)
            teacher.say(len(sent), b"x" * 80)  # as long as Chromium's at 32 kb/s
            world.worker.tick(world.now)
        world.settle()
        listener.take(world.now)
        if step % steps == 0 and heeded:
            listener.tell(world.now, 2 * conditions.delay)
        if step % round(5 / STEP) == 0:
            for each in (teacher, viewer):
                Browser.check(each)
        if sent[-1] - begun < WARM_UP:
            counted, listener.octets = len(sent), 0
    first = min(listener.there)
    late = [listener.there.get(first + n, 1e9) - at - conditions.delay for n, at in enumerate(sent)][counted:-100]
    shares = [sum(one > buffer for one in late) / len(late) for buffer in BUFFERS]
    return [*shares, listener.octets * 8 / seconds / 1000]


LINES = {
    "1 %, alone": Conditions(loss=0.01, delay=0.04),
    "5 %, alone": Conditions(loss=0.05, delay=0.04),
    "5 %, five in a row": Conditions(loss=0.05, burst=5.0, delay=0.04),
    "15 %, alone": Conditions(loss=0.15, delay=0.04),
}
VIEWERS: dict[str, dict[str, bool]] = {
    "nothing": {"asks": False, "redundant": False, "heeded": False},
    "NACK": {"asks": True, "redundant": False},
    "redundancy": {"asks": True, "redundant": True},
    "twice": {"asks": False, "redundant": False},
}


def main(arguments: Sequence[str] | None = None) -> None:
    del arguments
    buffers = "  ".join(f"{buffer * 1000:4.0f} ms" for buffer in BUFFERS)
    print(f"{'line':20} {'repair':12} {buffers}   kb/s   (concealed, 80 ms round trip)")
    for line, conditions in LINES.items():
        for viewer, kind in VIEWERS.items():
            *shares, rate = measure(conditions, 300.0, **kind)
            print(
                f"{line:20} {viewer:12} {'  '.join(f'{100 * one:5.2f} %' for one in shares)}  {rate:5.1f}", flush=True
            )


if __name__ == "__main__":
    main()
