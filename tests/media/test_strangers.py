"""What strangers may send to a worker's port, without a socket: counted, dropped, and nothing of it stays."""

from __future__ import annotations

import secrets
import struct

import pytest

from media import stun
from media.certificate import Rotation
from media.ice import Path
from media.messages import TransportChanged
from tests.bench import offers
from tests.support.captured import captured
from tests.support.flow import Browser, World

STRANGER = Path(0, ("203.0.113.66", 6666))


def lesson() -> tuple[World, Browser, Browser]:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid0="teacher-0", mid1="teacher-1")
    world.events.clear()
    return world, teacher, viewer


def still_flows(teacher: Browser, viewer: Browser) -> bool:
    viewer.take()
    teacher.say(9)
    return len(viewer.take()) == 1


def test_ten_thousand_hellos_from_spoofed_addresses_leave_nothing_behind() -> None:
    world, teacher, viewer = lesson()
    hello = captured("chromium").dtls[0]
    paths = len(world.worker._by_path)
    waiting = Browser(world, "waiting")
    waiting.answer("receive", offers.watching(waiting.credentials, 1, 1))
    for number in range(10_000):
        address = f"203.0.{number >> 8}.{number & 255}", 1024 + number
        world.worker.receive(hello, Path(0, address), world.now)
    world.worker.flush(world.now)
    assert world.worker.counters["dropped_unknown_source"] == 10_000
    assert len(world.worker._by_path) == paths
    assert world.batch.take() == []  # and not one byte goes to an address that may be somebody else's
    waiting.connect()
    assert still_flows(teacher, viewer)


def test_forged_checks_open_no_path() -> None:
    world, teacher, viewer = lesson()
    name = f"{viewer.remote.ufrag}:{viewer.credentials.ufrag}"
    right = viewer.remote.pwd.encode()
    good = stun.request(name, right, secrets.token_bytes(12), priority=1, use_candidate=True)
    unsigned = good[:2] + struct.pack("!H", len(good) - 52) + good[4 : len(good) - 32]
    forged = {
        "stun_refused": [
            stun.request(name, b"x" * 24, bytes(12), priority=1, use_candidate=True),
            unsigned,
            good[:-1] + bytes([good[-1] ^ 1]),  # fingerprint
            good[:-20] + bytes([good[-20] ^ 1]) + good[-19:],  # integrity
            good[:3] + bytes([good[3] + 4]) + good[4:],  # length
        ],
        "stun_unknown": [stun.request("nobody:at-all", right, bytes(12), priority=1, use_candidate=True)],
        "stun_malformed": [
            good[:24],
            b"\0\x01" + bytes(40),  # no cookie
            stun.response(bytes(12), "192.0.2.1", 1, right),
            stun.request("no colon", right, bytes(12), priority=1, use_candidate=True),
        ],
    }
    for reason, datagrams in forged.items():
        before = world.worker.counters[f"dropped_{reason}"]
        for datagram in datagrams:
            world.worker.receive(datagram, STRANGER, world.now)
        assert world.worker.counters[f"dropped_{reason}"] - before == len(datagrams), reason
    assert not world.worker.knows(STRANGER)
    assert world.events == []
    assert still_flows(teacher, viewer)


def test_what_a_stranger_is_answered_is_no_longer_than_what_it_sent() -> None:
    world, _, viewer = lesson()
    world.settle()
    name = f"{viewer.remote.ufrag}:{viewer.credentials.ufrag}"
    asked = stun.request(name, b"x" * 24, bytes(12), priority=1, use_candidate=True)
    world.worker.receive(asked, STRANGER, world.now)
    world.worker.flush(world.now)
    ((_, answered),) = world.batch.take()
    assert len(answered) <= len(asked)


@pytest.mark.parametrize("first", [0, 1, 16, 20, 22, 63, 64, 100, 128, 144, 191, 192, 255])
@pytest.mark.parametrize("size", [1, 2, 11, 12, 9000])
def test_datagrams_of_any_size_from_anybody_are_survived(first: int, size: int) -> None:
    world, teacher, viewer = lesson()
    for path in (STRANGER, Path(0, teacher.address), Path(0, viewer.address)):
        before = sum(count for name, count in world.worker.counters.items() if name.startswith("dropped_"))
        world.worker.receive(bytes([first]) + bytes(size - 1), path, world.now)
        world.settle()
        after = sum(count for name, count in world.worker.counters.items() if name.startswith("dropped_"))
        assert after == before + 1 or 20 <= first <= 63  # what looks like DTLS is OpenSSL's to drop
    assert still_flows(teacher, viewer)
    assert TransportChanged("class", "lost") not in world.events


def test_after_a_month_new_transports_have_a_new_certificate_and_the_old_ones_keep_theirs() -> None:
    world, teacher, viewer = lesson()
    former = viewer.remote.fingerprint
    for _ in range(2):  # connections that somehow last that long
        world.now += Rotation.PERIOD / 2
        teacher.check()
        viewer.check()
    late = world.viewer("late")
    assert late.remote.fingerprint != former
    viewer.answer("receive", offers.watching(viewer.credentials, 1, 3))
    assert viewer.remote.fingerprint == former
    assert still_flows(teacher, viewer)
