"""A line that loses packets, from the publisher through worker and recorder to the files, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import heapq
import itertools
import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from media.messages import Done, Record
from media.rtcp import Nack, PictureLoss, SenderReport
from media.worker import TICK
from recorder.describe import describe
from recorder.intake import Link
from recorder.manifest import read_manifest
from recorder.messages import Closed, CloseLesson
from recorder.recorder import Recorder
from tests.bench.stream import AUDIO_TYPE, RTX_TYPE, VIDEO_TYPE
from tests.recorder.source import payloads, picture, sound
from tests.recorder.watch import decode, entries, risings
from tests.support.flow import AUDIO, RTX, VIDEO, WALL, World

ONE_WAY = 0.05  # seconds
SECOND = 1_000_000


class Lossy:
    """A teacher's browser behind a line, a worker, and a recorder.

    `loses(now, again)` decides for each packet; `again` says that it is a repetition, which the browser sends whenever
    it is asked within three seconds. A key frame comes when one is asked for, and not else.
    """

    def __init__(self, archive: Path, loses: Callable[[float, bool], bool]) -> None:
        self.world = World()
        self.teacher = self.world.publisher()
        self._loses = loses
        self._under_way: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._kept: dict[tuple[int, int], tuple[float, Callable[[], None]]] = {}
        self._sequences = {AUDIO: 0, VIDEO: 0, RTX: 0}
        self._frame = 0
        self.begun = self.world.now
        self.asked: list[
            float
        ] = []  # seconds after the beginning at which the browser heard that a key frame is wanted
        epoch = int((self.begun + WALL) * 1e6)
        for mid, source in (("0", "microphone"), ("1", "camera")):
            request = Record(f"teacher-{mid}", "lesson", "p-1", source, True, epoch)
            assert self.world.worker.handle(request, self.world.now) == Done()
        self.recorder = Recorder(archive, lambda _: None)
        self._worker_end, ours = socket.socketpair()
        for end in (self._worker_end, ours):
            end.setblocking(False)
        self._link = Link(ours, self.recorder, asyncio.get_running_loop(), lambda _: None)
        self._worker_end.send(self.world.worker.recorder_feed.connected())

    def run(self, seconds: float) -> None:
        """Teach for so long, then wait for what is still under way, and close the lesson."""
        frames = [payloads("H264", sample) for sample in picture("H264", 14, key_every_s=60)]
        voice = sound(int(seconds))
        ticks = round(seconds / TICK)
        for tick in range(ticks + round(4 / TICK)):
            at = tick * TICK
            if tick < ticks:
                self._publish(AUDIO, AUDIO_TYPE, [voice[tick].data], tick * 960)
                if tick * 2 % 5 < 2:  # twenty pictures a second
                    frame = frames[(self._frame - 1) % (len(frames) - 1) + 1 if self._frame else 0]
                    self._publish(VIDEO, VIDEO_TYPE, frame, round(at * 90_000))
                    self._frame += 1
                if not tick % 50:
                    self._report(at)
            self._pass()
        self._worker_end.close()
        assert isinstance(self.recorder.handle(CloseLesson("lesson")), Closed)
        self._link.close()

    def _publish(self, ssrc: int, payload_type: int, made: list[bytes], timestamp: int) -> None:
        for index, payload in enumerate(made):
            sequence = self._sequences[ssrc] = self._sequences[ssrc] + 1
            marker = int(ssrc == VIDEO and index == len(made) - 1)
            sent = functools.partial(self.teacher.send_rtp, timestamp=timestamp, marker=marker)
            send = functools.partial(sent, ssrc, payload_type, payload, sequence=sequence)
            again = functools.partial(self._repair, sequence, payload, sent) if ssrc == VIDEO else send
            self._kept[ssrc, sequence] = self.world.now, again
            self._later(send, again=False)

    def _repair(self, sequence: int, payload: bytes, send: Callable[..., None]) -> None:
        self._sequences[RTX] += 1
        send(RTX, RTX_TYPE, sequence.to_bytes(2, "big") + payload, sequence=self._sequences[RTX])

    def _report(self, at: float) -> None:
        wall = 2_208_988_800 + WALL + self.begun + at
        for ssrc, rate in ((AUDIO, 48_000), (VIDEO, 90_000)):
            report = SenderReport(ssrc, int(wall * 2**32), round(at * rate), 1, 5)
            self._later(functools.partial(self.teacher.report, report), again=False)

    def _later(self, send: Callable[[], None], again: bool, wait: float = ONE_WAY) -> None:
        if not self._loses(self.world.now - self.begun, again):
            heapq.heappush(self._under_way, (self.world.now + wait, next(self._count), send))

    def _pass(self) -> None:
        world, feed = self.world, self.world.worker.recorder_feed
        world.pass_time(TICK)
        while self._under_way and self._under_way[0][0] <= world.now:
            heapq.heappop(self._under_way)[2]()
        world.settle()
        if data := feed.take():
            self._worker_end.send(data)
        self._link.take()
        now_us = int((world.now + WALL) * 1e6)
        if now_us % SECOND < TICK * SECOND:
            self.recorder.tick(now_us)
            self.teacher.check()
        with contextlib.suppress(BlockingIOError):
            feed.receive(self._worker_end.recv(65536))
        if self.teacher.told(PictureLoss):
            self.asked.append(world.now - self.begun)
            self._frame = 0
        for nack in self.teacher.told(Nack):
            assert isinstance(nack, Nack)
            for sequence in nack.lost:
                sent, again = self._kept[nack.media_ssrc, sequence]
                if world.now - sent < 3.0:
                    self._later(again, again=True, wait=2 * ONE_WAY)


async def test_at_five_per_cent_loss_nothing_is_missing(tmp_path: Path) -> None:
    dice = random.Random(5)
    lossy = Lossy(tmp_path, lambda now, again: dice.random() < 0.05)
    lossy.run(20)
    body = describe(tmp_path / "lesson")
    assert [track["gaps"] for track in body["tracks"]] == [[], []]
    seen = {track["kind"]: decode(tmp_path / "lesson" / track["playlist"]) for track in body["tracks"]}
    assert len(seen["video"]) == 400
    assert max(b.at_s - a.at_s for a, b in itertools.pairwise(seen["video"])) < 0.1
    assert len(seen["audio"]) == pytest.approx(1000, abs=1)
    assert len(risings(seen["audio"], 0.01)) == 19
    assert len(lossy.asked) < 6  # for the beginnings of parts, and not for loss


async def test_a_packet_that_gets_through_in_the_third_second_is_in_the_picture(tmp_path: Path) -> None:
    """Everything of a fifth of a second is lost, and so is every repetition for two and a half seconds."""
    lossy = Lossy(tmp_path, lambda now, again: 5 <= now < 5.2 or (again and 5 <= now < 7.6))
    lossy.run(12)
    body = describe(tmp_path / "lesson")
    assert [track["gaps"] for track in body["tracks"]] == [[], []]
    seen = {track["kind"]: decode(tmp_path / "lesson" / track["playlist"]) for track in body["tracks"]}
    assert len(seen["video"]) == 240
    assert len(risings(seen["audio"], 0.01)) == 11
    assert min(at for at in lossy.asked if at > 5) < 6.2  # a key frame all the same, in case it had not come


async def test_a_loss_that_nobody_sees_is_listed_all_the_same(tmp_path: Path) -> None:
    """Everything of a third of a second is lost for good: a picture stands there, and silence."""
    lossy = Lossy(tmp_path, lambda now, again: 5 <= now < 5.3 or (again and now < 9))
    lossy.run(12)
    folder = tmp_path / "lesson"
    manifest = {track.kind: track for track in read_manifest(folder).tracks}
    ((begin, end),) = manifest["video"].gaps
    assert begin == pytest.approx(5_050, abs=120)
    assert end == pytest.approx(5_700, abs=400)  # with the key frame that was asked for
    assert not any(entry.gap for entry in entries(folder / manifest["video"].playlist))
    assert manifest["audio"].gaps == []
    assert manifest["audio"].silenced == [[pytest.approx(5_050, abs=40), pytest.approx(5_350, abs=40)]]


@pytest.mark.parametrize("away_s", [4, 70])
async def test_what_is_lost_for_good_is_a_gap_that_ends_at_the_key_frame_asked_for(tmp_path: Path, away_s: int) -> None:
    """The line is dead for seconds and nothing of them can be had again."""
    lossy = Lossy(tmp_path, lambda now, again: 5 <= now < 5 + away_s or (again and now < 9 + away_s))
    lossy.run(12 + away_s)
    folder = tmp_path / "lesson"
    tracks = {track["kind"]: track for track in describe(folder)["tracks"]}
    ((begin, end),) = tracks["video"]["gaps"]
    assert begin == pytest.approx(5_050, abs=120)
    assert end == pytest.approx(1000 * (5 + away_s) + 700, abs=700)
    assert tracks["audio"]["gaps"] == []
    for kind, track in tracks.items():
        listed = entries(folder / track["playlist"])
        assert sum(entry.duration_s for entry in listed) == pytest.approx(12 + away_s, abs=0.2), kind
        assert any(entry.gap for entry in listed) == (kind == "video")
    heard = decode(folder / tracks["audio"]["playlist"])
    assert max(b.at_s - a.at_s for a, b in itertools.pairwise(heard)) < 0.021
    beats = risings(heard, 0.01)
    assert all(abs((at - ONE_WAY + 0.5) % 1.0 - 0.5) < 0.08 for at in beats)  # a decoder needs a moment after silence
    assert not any(5.1 < at < 4.9 + away_s for at in beats)
