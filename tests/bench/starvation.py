"""A worker that does not run for two seconds: how old is what it forwards afterwards, and how soon is there a picture?

    python -m tests.bench.starvation [--viewers N]

Stopped by SIGSTOP, as a hypervisor or a busy machine may do it, while a lesson goes on: what the publisher sends waits
in the kernel. Each packet carries the time when it was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pylibsrtp

from server.demo import voice
from tests.bench import stream
from tests.bench.forwarding import leave
from tests.bench.lesson import Publisher, Viewer, payload_of
from tests.bench.peer import Peer, own_address
from tests.bench.servers import tongke

PAUSE = 2.0  # seconds
MOST = 0.5  # seconds that anything may be behind (issue: "never more than 500 ms")
SETTLE = 1.0  # seconds before, and after the picture is back
WITHIN = 10.0  # seconds for the picture to come back at all
_PACKETS = 5  # of each picture: 1.3 Mb/s
_SIZE = 1080  # bytes of payload


@dataclass(frozen=True, slots=True)
class Starvation:
    """One pause."""

    viewers: int
    pause: float  # seconds
    forwarded: int  # packets that one viewer got in the second after the pause
    left_out: int  # packets, because they had waited too long
    oldest_ms: float  # of what was forwarded after the pause, from sending to arrival
    picture_ms: float  # from the end of the pause until the key frame with which the picture went on

    @property
    def kept(self) -> bool:
        return self.oldest_ms <= MOST * 1000

    def __str__(self) -> str:
        return (
            f"starved for {self.pause:.0f} s with {self.viewers} viewers: {self.left_out} packets left out, the oldest "
            f"of {self.forwarded} forwarded was {self.oldest_ms:.0f} ms old, "
            f"picture again after {self.picture_ms:.0f} ms: {'kept' if self.kept else 'MISSED'}"
        )


class Came(NamedTuple):
    """One packet that a viewer got."""

    arrival: int  # ns since 1970
    sent: int  # the same
    picture: bool
    key: bool  # it begins a key frame


class Teacher(Publisher):
    """Publishes the time. Pictures refer to each other until a key frame is asked for."""

    def __init__(self, peer: Peer) -> None:
        super().__init__(peer)
        self.gone: dict[int, int] = {}  # when a packet was made -> when it had certainly left

    async def run(self) -> None:
        (layer,) = self._layers
        layer.wants_key_frame = True
        start = time.monotonic()
        frame = sound = 0
        while True:
            due = start + min(sound * voice.PACKET, frame / stream.RATE)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            elapsed = time.monotonic() - start
            while elapsed >= sound * voice.PACKET:
                self._stamped(self._audio, b"", sound * 960, sound == 0)
                sound += 1
            while elapsed >= frame / stream.RATE:
                for number in range(_PACKETS):
                    kind = b"\x67" if layer.wants_key_frame and number == 0 else b"\x41"
                    layer.wants_key_frame = layer.wants_key_frame and number > 0
                    timestamp = frame * 90_000 // stream.RATE
                    self._stamped(layer.source, kind, timestamp, number == _PACKETS - 1)
                frame += 1

    def _stamped(self, source: stream.Source, kind: bytes, timestamp: int, marker: bool) -> None:
        made = time.time_ns()
        self._send(source, kind + made.to_bytes(8, "big") + bytes(_SIZE if kind else 60), timestamp, marker)
        self.gone[made] = time.time_ns()


class Witness(Viewer):
    """Gets every packet, and reads what time it says."""

    def __init__(self, peer: Peer, publisher: Publisher) -> None:
        super().__init__(peer, publisher)
        self.came: list[Came] = []

    def _on_media(self, packet: bytes, arrival: int) -> None:
        kind = packet[1] & 127
        if self.peer.inbound is None or kind not in (stream.AUDIO_TYPE, stream.VIDEO_TYPE):
            return
        try:
            payload = payload_of(self.peer.inbound.unprotect(packet))
        except pylibsrtp.Error:
            return
        picture = kind == stream.VIDEO_TYPE
        sent = int.from_bytes(payload[picture : picture + 8], "big")
        self.came.append(Came(arrival, sent, picture, picture and payload[0] == 0x67))


class Pause(NamedTuple):
    """What a pause did."""

    ended: int  # ns since 1970
    came: Sequence[Came]  # after it, at one viewer
    gone: dict[int, int]  # see Teacher
    left_out: int


async def paused(viewers: int, seconds: float) -> Pause:
    """Stop a worker with a lesson of so many viewers, let it go on, and see what comes."""
    async with tongke() as server:
        teacher = Teacher(Peer(own_address()))
        await server.publish("lesson", teacher)
        publishing = asyncio.create_task(teacher.run())
        witness = Witness(Peer(own_address()), teacher)
        others = [Viewer(Peer(own_address()), teacher) for _ in range(viewers - 1)]
        for number, viewer in enumerate((witness, *others)):
            await server.watch("lesson", f"class-{number}", viewer)
        await _until(lambda: any(it.key for it in witness.came))
        await asyncio.sleep(SETTLE)
        (pid,) = server.pids
        os.kill(pid, signal.SIGSTOP)
        try:
            await _until(lambda: _stopped(pid))
            await asyncio.sleep(seconds)
            ended = time.time_ns()
        finally:
            os.kill(pid, signal.SIGCONT)
        await _until(lambda: any(it.key and it.arrival > ended for it in witness.came))
        await asyncio.sleep(SETTLE)
        left_out = int((await server.counters()).get("dropped_behind", 0))
        await leave(publishing=[publishing], publishers=[teacher], viewers=[witness, *others])
    return Pause(ended, [it for it in witness.came if it.arrival > ended], teacher.gone, left_out)


async def starvation(viewers: int = 100, seconds: float = PAUSE) -> Starvation:
    """One row."""
    pause = await paused(viewers, seconds)
    key = next(it for it in pause.came if it.key)
    return Starvation(
        viewers,
        seconds,
        sum(it.arrival - pause.ended < 10**9 for it in pause.came),
        pause.left_out,
        max(it.arrival - it.sent for it in pause.came) / 1e6,
        (key.arrival - pause.ended) / 1e6,
    )


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not condition():
            await asyncio.sleep(0.01)


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "T"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.starvation")
    parser.add_argument("--viewers", type=int, default=100)
    row = asyncio.run(starvation(parser.parse_args().viewers))
    print(row)
    return 0 if row.kept else 1


if __name__ == "__main__":
    sys.exit(main())
