"""AES-GCM must never see two texts with one number (RFC 7714 section 8.4): a storm of all that sends, counted.

GCM makes of one text and one number always the same bytes, so what has come to a viewer says whether it was kept.
"""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from media import rtcp
from media.layers import Choice
from tests.bench import offers
from tests.bench.stream import AUDIO_TYPE
from tests.support.flow import AUDIO, HEIGHTS, LAYERS, RIDS, VP8_DELTA, Browser, World, vp8_key
from tests.support.redundant import offering_red

pytestmark = pytest.mark.usefixtures("either_way")

SECRET = b"nobody may read this on the way"
STEPS = 400  # of 20 ms


class Listener(Browser):
    """A viewer that only notes what passes by."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.seen: defaultdict[tuple[int, int], set[bytes]] = defaultdict(set)  # by SSRC and sequence number
        self.last: dict[int, int] = {}  # the newest number of each SSRC

    def receive(self, data: bytes) -> None:
        assert SECRET not in data
        if data[0] < 128 or 192 <= data[1] <= 223:
            super().receive(data)
            return
        sequence, ssrc = int.from_bytes(data[2:4], "big"), int.from_bytes(data[8:12], "big")
        self.seen[ssrc, sequence].add(data)
        self.last[ssrc] = sequence


def listener(world: World, offer: str) -> Listener:
    viewer = Listener(world, offer)
    sdp = offers.watching(viewer.credentials, 1, 2)
    if offer == "redundant":
        sdp = offering_red(sdp)
    elif offer == "no rtx":
        sdp = "\r\n".join(line for line in sdp.split("\r\n") if "rtx/90000" not in line and "apt=" not in line)
    viewer.answer("receive", sdp)
    viewer.connect()
    return viewer


@pytest.mark.parametrize("offer", ["rtx", "redundant", "no rtx"])
@pytest.mark.parametrize("seed", range(3))
def test_no_number_ever_has_two_texts_and_nothing_leaves_in_plain(offer: str, seed: int) -> None:
    chance = random.Random(seed)
    world = World()
    publishers = [world.simulcaster(name) for name in ("teacher", "other")]
    viewer = listener(world, offer)
    transport = world.worker._transports[viewer.name].viewer
    assert transport is not None
    sound, camera, screen = (transport.slots[mid] for mid in ("0", "1", "2"))
    numbers = {(it.name, rid): chance.choice((1, 65500)) for it in publishers for rid in (*RIDS, "")}
    world.place(viewer, mid0="teacher-0", mid1="teacher-1", mid2="other-1")
    for step in range(STEPS):
        world.now += 0.02
        for browser in publishers:
            for rid in (*RIDS, ""):
                number = numbers[browser.name, rid] = numbers[browser.name, rid] + 1
                came = [number] if chance.random() > 0.1 else chance.choice(([], [number - 7], [number, number - 3]))
                if chance.random() < 0.003:
                    numbers[browser.name, rid] += chance.choice((30, 20_000))
                for each in came:
                    send(browser, rid, each & 0xFFFF, step, key=chance.random() < 0.1, length=chance.randrange(9))
        match chance.randrange(12):
            case 0:
                world.place(viewer, mid0=chance.choice(("teacher-0", "other-0", None)))
            case 1:
                world.place(viewer, mid1=chance.choice(("teacher-1", "other-1", None)), mid2="teacher-1")
            case 2:
                camera.choose(chance.choice((Choice(0), Choice(1), Choice(2), None)), world.now)
            case 3:
                sound.set_redundancy(chance.random() < 0.5)
                sound.set_twice(chance.random() < 0.5)
            case 4:
                screen.repeats.pad(chance.choice((None, step)), world.now)
            case _:
                for ssrc, last in list(viewer.last.items()):
                    lost = sorted({last - chance.randrange(60) & 0xFFFF for _ in range(4)})
                    viewer.report(rtcp.Nack(1, ssrc, tuple(lost)))
        if step % 25 == 0:
            viewer.check()
            world.worker.tick(world.now)
        world.settle()
    assert len(viewer.seen) > STEPS
    assert [place for place, texts in viewer.seen.items() if len(texts) > 1] == []


def send(browser: Browser, rid: str, number: int, step: int, *, key: bool, length: int) -> None:
    if not rid:
        body = SECRET + bytes([step & 0xFF]) * length
        browser.send_rtp(AUDIO, AUDIO_TYPE, body, sequence=number, timestamp=step * 960, extensions=[(4, b"\x85")])
        return
    head = vp8_key(HEIGHTS[rid]) if key else VP8_DELTA
    extensions = [(1, b"1"), (5, rid.encode())]
    browser.send_rtp(
        LAYERS[rid], 96, head + SECRET + bytes(length), sequence=number, timestamp=step * 1800, extensions=extensions
    )
