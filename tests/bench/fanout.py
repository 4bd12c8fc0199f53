"""What the inner loop of media/fanout.py costs: `python -m tests.bench.fanout [viewers] [packets at once]`.

Packets of a 720p picture are written, protected and sent to sockets on the loopback interface that nobody reads, so
the kernel's part is that of a lossy network. Prints CPU microseconds per forwarded packet, user and kernel apart, with
the accelerator (hot.c) and without.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from media import accelerator, rtp
from media.fanout import MAX_AT_ONCE, Profile, Row, Rows, forward, prepare
from media.sendmmsg import Mmsg, Name
from media.srtp import Outbound


def measure(viewers: int, at_once: int, *, segments: bool, packets: int = 60_000) -> tuple[float, float]:
    """User and kernel CPU, microseconds per forwarded packet."""
    receivers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(viewers)]
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setblocking(False)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    sessions = [Outbound("AEAD_AES_128_GCM", os.urandom(28)) for _ in receivers]
    batch = Mmsg(sender)
    batch._segments = segments and batch._segments
    rows = []
    for number, (receiver, session) in enumerate(zip(receivers, sessions, strict=True)):
        receiver.bind(("127.0.0.1", 0))
        rows.append(Row(session.handle, number, number * 777, 0x1000 + number, Name(receiver.getsockname()), None))
    profile = Profile(96, 3, ())
    payload = os.urandom(1150)
    fixed = Rows(rows)
    rounds = max(1, packets // viewers // at_once)
    before = resource.getrusage(resource.RUSAGE_SELF)
    sequence = 0
    for _ in range(rounds):
        prepared = []
        for _ in range(at_once):
            sequence += 1
            data = rtp.header(0, 96, [])
            packet = rtp.Packet(data[:2] + sequence.to_bytes(2, "big") + data[4:] + payload, 12, 12 + len(payload), {})
            packet.index, packet.send_time = sequence, b"\0\0\0"
            prepared.append(prepare(packet, profile))
        forward(prepared, fixed, 16, batch)
        batch.flush()
    after = resource.getrusage(resource.RUSAGE_SELF)
    count = rounds * at_once * viewers
    assert batch.sent == count, f"{batch.dropped} dropped, {batch.failed} failed"
    for sock in (sender, *receivers):
        sock.close()
    return (after.ru_utime - before.ru_utime) / count * 1e6, (after.ru_stime - before.ru_stime) / count * 1e6


@contextmanager
def using(hot: accelerator.Hot | None) -> Iterator[None]:
    """With this accelerator, or with none."""
    before, accelerator.hot = accelerator.hot, hot
    try:
        yield
    finally:
        accelerator.hot = before


def main() -> None:
    viewers = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    sizes = [int(sys.argv[2])] if len(sys.argv) > 2 else [1, 5, MAX_AT_ONCE]
    print(f"{viewers} viewers: us of CPU per forwarded packet, user + kernel")
    for at_once in sizes:
        for segments in (False, True):
            name = "with UDP_SEGMENT" if segments else "sendmmsg alone"
            for how, hot in (("Python", None), ("C", accelerator.hot)):
                if how == "C" and hot is None:
                    continue
                with using(hot):
                    user, kernel = measure(viewers, at_once, segments=segments)
                print(f"  {at_once:2} at once, {name:16} {how:6}  {user:5.2f} + {kernel:5.2f} = {user + kernel:5.2f}")


if __name__ == "__main__":
    main()
