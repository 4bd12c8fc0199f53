"""A worker without sockets, and browsers in memory: real STUN, DTLS, SRTP and RTP bytes, handed over by function call.

`World` is a worker, its one socket and the time; whatever the worker sends is taken to the browser it is for, which
answers at once. Tests let time pass by `world.pass_time`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from media import rtcp, rtp, stun
from media.answer import candidate
from media.certificate import Certificate
from media.dtls import Dtls
from media.ice import Path
from media.messages import Answer, Answered, Direction, Event, Place, Placement, Reply
from media.sendmmsg import Batch, Name
from media.srtp import Inbound, Outbound
from media.worker import TICK, Worker
from tests.bench import offers
from tests.bench.stream import AUDIO_TYPE, VIDEO_TYPE

WALL = 1_700_000_000.0  # seconds since 1970 at monotonic zero
SERVER = Certificate.generate()
BROWSER = Certificate.generate()  # one for all browsers: making them takes long, and nothing here depends on it
VP8_TYPE = 96  # beside the payload types of the offers
AUDIO, VIDEO, RTX = 0x1001, 0x1002, 0x1003  # SSRCs of every publisher
H264_KEY = b"\x67key"  # begins with a sequence parameter set
H264_DELTA = b"\x41delta"
VP8_DELTA = bytes.fromhex("10 010000")
RIDS = ("h", "m", "l")  # of a simulcasting publisher's camera, tallest first as pages offer them
HEIGHTS = {"h": 720, "m": 360, "l": 180}
LAYERS = {"h": 0x3001, "m": 0x3002, "l": 0x3003}  # SSRCs, which the offer does not name
REPAIRS = {"h": 0x4001, "m": 0x4002, "l": 0x4003}
_RID, _REPAIRED_RID = 5, 6  # header extensions of that offer


class Collected(Batch):
    """A socket that keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.datagrams: list[tuple[tuple[object, ...], bytes]] = []

    def put(self, name: Name, start: int, size: int, segment: int) -> None:
        for at in range(start, start + size, segment):
            data = bytes(self.memory[at : min(at + segment, start + size)])
            self.datagrams.append((name.address, data))

    def flush(self) -> None:
        self.sent += len(self.datagrams)
        self.at = 0

    def take(self) -> list[tuple[tuple[object, ...], bytes]]:
        taken, self.datagrams = self.datagrams, []
        return taken


class World:
    """See above."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.batch = Collected()
        self.events: list[Event] = []
        self.browsers: dict[tuple[object, ...], Browser] = {}
        self.worker = Worker(SERVER, [candidate("127.0.0.1", 7000, 0)], [self.batch], self.events.append, WALL)

    def handle(self, request: Answer | Place) -> Reply:
        reply = self.worker.handle(request, self.now)
        self.settle()
        return reply

    def settle(self) -> None:
        """Until nobody has anything left to say at this moment."""
        self.worker.flush(self.now)
        while sent := self.batch.take():
            for address, data in sent:
                browser = self.browsers.get(address)
                if browser is not None:
                    browser.receive(data)
            self.worker.flush(self.now)

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            self.worker.tick(self.now)
            self.settle()

    def publisher(self, name: str = "teacher", sdp: str | None = None) -> Browser:
        """A connected browser that publishes a microphone (mid 0) and a camera (mid 1)."""
        browser = Browser(self, name)
        browser.answer("send", sdp or offers.publishing(browser.credentials, AUDIO, VIDEO, RTX))
        browser.connect()
        return browser

    def simulcaster(self, name: str = "teacher", rids: Sequence[str] = RIDS) -> Browser:
        """The same with a camera of several layers, named and not numbered (RFC 8853)."""
        browser = Browser(self, name)
        browser.answer("send", simulcasting(browser.credentials, rids))
        browser.connect()
        return browser

    def viewer(self, name: str = "class", audio: int = 1, video: int = 2) -> Browser:
        """A connected browser with slots."""
        browser = Browser(self, name)
        browser.answer("receive", offers.watching(browser.credentials, audio, video))
        browser.connect()
        return browser

    def place(self, viewer: Browser, **publications: str | None) -> Reply:
        """`place(viewer, mid1="teacher-1")`."""
        placements = tuple(Placement(mid.removeprefix("mid"), id) for mid, id in publications.items())
        return self.handle(Place(viewer.name, placements))


class Browser:
    """One peer connection."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.address: tuple[str, int] = ("192.0.2.1", 20000 + len(world.browsers))
        self.credentials = offers.Credentials(secrets.token_hex(2), secrets.token_hex(12), BROWSER.fingerprint)
        self.answered: Answered
        self.remote: offers.Remote
        self.packets: list[rtp.Packet] = []
        self.reports: list[rtcp.Packet] = []
        self.datagrams: list[bytes] = []  # protected, of `packets`
        self.outbound: Outbound | None = None
        self.inbound: Inbound | None = None
        self.lost: set[int] = set()  # sequence numbers to lose, once each
        self.lost_datagrams: list[bytes] = []
        self.waited = 0.0  # seconds that what it sends lies before a worker that does not run
        self._dtls: Dtls | None = None
        world.browsers[self.address] = self

    def answer(self, direction: Direction, sdp: str) -> Answered:
        reply = self.world.handle(Answer(self.name, direction, sdp))
        assert isinstance(reply, Answered), reply
        self.answered, self.remote = reply, offers.remote(reply.answer)
        return reply

    def connect(self) -> None:
        self.check()
        fingerprint = ("sha-256", self.remote.fingerprint)
        self._dtls = Dtls(BROWSER, (fingerprint,), role="client")
        for datagram in self._dtls.begin(self.world.now):
            self.send(datagram)
        self.world.settle()
        assert self._dtls.connected
        keys = self._dtls.keys()
        self.outbound, self.inbound = Outbound(keys.profile, keys.local), Inbound(keys.profile, keys.remote)

    def check(self, *, nominate: bool = True) -> None:
        """An ICE check from the present address."""
        name = f"{self.remote.ufrag}:{self.credentials.ufrag}"
        data = stun.request(name, self.remote.pwd.encode(), secrets.token_bytes(12), priority=1, use_candidate=nominate)
        self.send(data)
        self.world.settle()

    def move(self) -> None:
        """Another address, as behind a NAT that forgot."""
        del self.world.browsers[self.address]
        self.address = ("192.0.2.2", self.address[1])
        self.world.browsers[self.address] = self

    def goodbye(self) -> None:
        assert self._dtls is not None
        for datagram in self._dtls.close():
            self.send(datagram)
        self.world.settle()

    def send(self, datagram: bytes) -> None:
        self.world.worker.receive(datagram, Path(0, self.address), self.world.now, self.waited)

    def send_rtp(
        self,
        ssrc: int,
        payload_type: int,
        payload: bytes,
        *,
        sequence: int,
        timestamp: int = 0,
        marker: int = 0,
        extensions: Iterable[tuple[int, bytes]] = (),
    ) -> None:
        """One packet; `world.settle()` forwards it."""
        assert self.outbound is not None
        head = bytearray(rtp.header(marker, payload_type, list(extensions)))
        rtp.HEADER.pack_into(head, 0, head[0], head[1], sequence, timestamp, ssrc)
        self.send(self.outbound.rtp(bytes(head) + payload))

    def say(self, sequence: int, payload: bytes = b"sound") -> None:
        """20 ms of the microphone."""
        self.send_rtp(AUDIO, AUDIO_TYPE, payload, sequence=sequence, timestamp=sequence * 960)
        self.world.settle()

    def show(self, sequence: int, payload: bytes = H264_DELTA, timestamp: int | None = None) -> None:
        """One frame of the camera."""
        timestamp = sequence * 3000 if timestamp is None else timestamp
        self.send_rtp(VIDEO, VIDEO_TYPE, payload, sequence=sequence, timestamp=timestamp, marker=1)
        self.world.settle()

    def show_layer(
        self,
        rid: str,
        sequence: int,
        payload: bytes | None = None,
        timestamp: int | None = None,
        *,
        named: bool = True,
    ) -> None:
        """One VP8 frame of a layer, a key frame if nothing is said; `named` puts mid and rid on it, as at first."""
        self.send_rtp(
            LAYERS[rid],
            VP8_TYPE,
            vp8_key(HEIGHTS[rid]) if payload is None else payload,
            sequence=sequence,
            timestamp=sequence * 3000 if timestamp is None else timestamp,
            marker=1,
            extensions=[(1, b"1"), (_RID, rid.encode())] if named else [],
        )
        self.world.settle()

    def repair_layer(self, rid: str, sequence: int, payload: bytes, *, timestamp: int = 0) -> None:
        """A frame of a layer again, by RTX."""
        data = sequence.to_bytes(2, "big") + payload
        extensions = [(1, b"1"), (_REPAIRED_RID, rid.encode())]
        self.send_rtp(REPAIRS[rid], 97, data, sequence=sequence, timestamp=timestamp, extensions=extensions)
        self.world.settle()

    def report(self, *packets: rtcp.Packet) -> None:
        assert self.outbound is not None
        self.send(self.outbound.rtcp(b"".join(map(bytes, packets))))
        self.world.settle()

    def receive(self, data: bytes) -> None:
        if data[0] < 4:
            return
        if data[0] < 64:
            assert self._dtls is not None
            for datagram in self._dtls.receive(data, self.world.now):
                self.send(datagram)
        elif rtp.is_rtcp(data):
            assert self.inbound is not None
            self.reports += rtcp.parse(self.inbound.rtcp(data))
        elif (sequence := int.from_bytes(data[2:4], "big")) in self.lost:
            self.lost.discard(sequence)
            self.lost_datagrams.append(data)
        else:
            assert self.inbound is not None
            packet = rtp.parse(self.inbound.rtp(data))
            assert packet is not None
            self.datagrams.append(data)
            self.packets.append(packet)

    def take(self) -> list[rtp.Packet]:
        """What has come since the last time."""
        taken, self.packets = self.packets, []
        return taken

    def told(self, kind: type[rtcp.Packet]) -> list[rtcp.Packet]:
        """Reports of a kind since the last time."""
        found = [report for report in self.reports if isinstance(report, kind)]
        self.reports = [report for report in self.reports if not isinstance(report, kind)]
        return found


def simulcasting(credentials: offers.Credentials, rids: Sequence[str] = RIDS) -> str:
    """An offer of a microphone, and of a camera in several layers."""
    lines = offers.publishing(credentials, AUDIO, VIDEO, RTX).split("\r\n")
    named = (f"a=ssrc-group:FID {VIDEO}", f"a=ssrc:{VIDEO} ", f"a=ssrc:{RTX} ")
    lines = [line for line in lines if line and not line.startswith(named)]
    lines += [f"a=extmap:{_RID} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"]
    lines += [f"a=extmap:{_REPAIRED_RID} urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"]
    lines += [f"a=rid:{rid} send" for rid in rids] + [f"a=simulcast:send {';'.join(rids)}", ""]
    return "\r\n".join(lines)


def vp8_key(height: int) -> bytes:
    """The beginning of a VP8 key frame of this height, without picture numbers (RFC 7741, RFC 6386 section 9.1)."""
    size = (height * 16 // 9).to_bytes(2, "little") + height.to_bytes(2, "little")
    return bytes.fromhex("10 000000 9d012a") + size
