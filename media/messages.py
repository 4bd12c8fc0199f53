"""What a media worker is told, what it replies, and what it tells by itself.

A worker is `handle(message) -> reply` plus events; everything here is a frozen dataclass so that a test can call it
without a socket. `to_wire` and `from_wire` turn them into JSON objects and back (see framing.py).
The worker knows transports, publications and slots. It knows no lesson and no person: the ids are the server's.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any, Literal

from media import wire
from media.wire import WireError as WireError

Direction = Literal["send", "receive"]  # as the browser sees it: "send" carries its publications to us
Kind = Literal["audio", "video"]
TransportState = Literal["connected", "lost", "closed"]


# ── what the server asks ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a browser's offer. A known `transport_id` means a re-offer (more sections, ICE restart)."""

    transport_id: str
    direction: Direction
    offer: str  # SDP


@dataclass(frozen=True, slots=True)
class Placement:
    mid: str  # the slot: a receiving section of the transport
    publication_id: str | None  # None empties the slot
    rank: int = 9  # 0 is the last to give up its picture when bandwidth is short
    smallest: bool = False  # no layer above the smallest, however large it is shown


@dataclass(frozen=True, slots=True)
class Place:
    """Put publications into slots of a receiving transport. Slots not named keep what they have."""

    transport_id: str
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    mid: str
    height: int  # pixels of the screen; 0 while the page does not show the slot


@dataclass(frozen=True, slots=True)
class View:
    """How tall the browser shows the pictures of a receiving transport. Slots not named keep what they have."""

    transport_id: str
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class RestartIce:
    """A WHIP or WHEP client restarts ICE by PATCH (RFC 9725 section 4.3.3): fresh credentials, same DTLS.

    The client's new ones are not needed: it is the one that checks.
    """

    transport_id: str


@dataclass(frozen=True, slots=True)
class CloseTransport:
    transport_id: str


@dataclass(frozen=True, slots=True)
class RequestKeyFrame:
    publication_id: str


@dataclass(frozen=True, slots=True)
class Record:
    """Send a publication to the recorder, labelled with what the recorder must know about it."""

    publication_id: str
    lesson_id: str
    participant: str
    source: str  # camera, microphone, screen
    lead: bool  # the lead teacher's: goes into master.m3u8
    epoch_us: int  # the lesson clock's zero, microseconds since 1970


@dataclass(frozen=True, slots=True)
class StopRecording:
    publication_id: str


@dataclass(frozen=True, slots=True)
class Pull:
    """Have a publication that lives at another worker of this machine: from now on it can be placed here.

    `origin` is that worker's relay socket. Its packets come over it once, however many watch here.
    """

    publication_id: str
    kind: Kind
    origin: str  # path of a Unix socket


@dataclass(frozen=True, slots=True)
class Release:
    """Have a pulled publication no longer."""

    publication_id: str


@dataclass(frozen=True, slots=True)
class ListHeld:
    """What do you hold? Asked by a new server process that adopts a running worker."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Give the counters."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Give the statistics of these transports, unknown ones left out.

    Some at a time: what is counted over hundreds of viewers holds up what is to be forwarded meanwhile.
    """

    transport_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendTrain:
    """Send a receiving transport packets that carry nothing, so that its browser can measure its line (train.py)."""

    transport_id: str
    packets: int  # a second
    size: int  # bytes of payload in each
    seconds: float


@dataclass(frozen=True, slots=True)
class Count:
    """How much has come by a sending transport; of a receiving one, how much its trains have sent.

    What a counted one sends goes no further from then on: nothing of it is asked for again, passed on or recorded.
    """

    transport_id: str


Request = (
    Answer
    | Place
    | View
    | RestartIce
    | CloseTransport
    | RequestKeyFrame
    | Record
    | StopRecording
    | Pull
    | Release
    | ListHeld
    | Measure
    | Survey
    | SendTrain
    | Count
)


# ── what the worker replies ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PublicationInfo:
    publication_id: str
    transport_id: str
    mid: str
    kind: Kind
    codecs: tuple[str, ...]  # names both ends have, preferred first: "H264", "VP8", "opus"
    active: bool  # False while the browser's section is inactive


@dataclass(frozen=True, slots=True)
class SlotInfo:
    transport_id: str
    mid: str
    kind: Kind
    publication_id: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    transport_id: str
    answer: str  # SDP
    publications: tuple[PublicationInfo, ...]  # of a sending transport, in the order of its sections
    slots: tuple[SlotInfo, ...]  # of a receiving transport, in the order of its sections


@dataclass(frozen=True, slots=True)
class IceRestarted:
    transport_id: str
    ufrag: str
    pwd: str
    candidates: tuple[str, ...]  # candidate-attribute values, without "a="


@dataclass(frozen=True, slots=True)
class TransportInfo:
    transport_id: str
    direction: Direction
    connected: bool


@dataclass(frozen=True, slots=True)
class Held:
    transports: tuple[TransportInfo, ...]
    publications: tuple[PublicationInfo, ...]
    slots: tuple[SlotInfo, ...]
    recorded: tuple[str, ...]  # publication ids
    pulled: tuple[str, ...] = ()  # publication ids, of other workers
    relay: str | None = None  # path of the Unix socket where others pull what is held; None: they cannot


@dataclass(frozen=True, slots=True)
class Measured:
    counters: dict[str, float]  # name -> value, as /metrics shows it without the prefix


@dataclass(frozen=True, slots=True)
class LayerStatistics:
    """One layer of a publication, as it arrives here."""

    rid: str  # "" without simulcast
    codec: str
    height: int  # pixels, 0 unknown
    bitrate: float  # bit/s over the last seconds
    loss: float  # share of packets, before repair, over the last seconds
    jitter_ms: float
    nacked: int  # packets asked for again, since the beginning
    key_frames_asked: int


@dataclass(frozen=True, slots=True)
class PublicationStatistics:
    publication_id: str
    layers: tuple[LayerStatistics, ...]


@dataclass(frozen=True, slots=True)
class SlotStatistics:
    """What a viewer gets in one slot, and what it says about it."""

    mid: str
    publication_id: str | None
    rid: str | None  # of the layer carried now
    height: int
    paused: bool  # by bandwidth
    bitrate: float
    loss: float
    jitter_ms: float
    nacked: int  # packets the viewer asked for again, since the beginning
    repeated: int  # of which were sent
    pictures_lost: int  # PLI and FIR


@dataclass(frozen=True, slots=True)
class TransportStatistics:
    transport_id: str
    direction: Direction
    connected: bool
    protocol: Literal["udp", "tcp"]
    rtt_ms: float | None
    estimate: float | None  # bit/s we believe the path to a viewer carries
    bitrate: float  # bit/s in our sending or receiving direction, all publications or slots together
    publications: tuple[PublicationStatistics, ...]
    slots: tuple[SlotStatistics, ...]


@dataclass(frozen=True, slots=True)
class Surveyed:
    transports: tuple[TransportStatistics, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """Totals since the transport was first counted, or sent a train."""

    at_ms: float  # of the worker's own clock
    packets: int
    expected: int  # packets, from the first to the newest number
    octets: int  # of RTP, headers included


@dataclass(frozen=True, slots=True)
class Done:
    """The request was carried out and there is nothing to say about it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The request could not be carried out; nothing has changed.

    Codes: sdp_malformed, no_common_codec, unknown_transport, unknown_publication, unknown_slot, limit_reached,
    internal (a bug in the worker; its log has the traceback).
    """

    code: str
    message: str


Reply = Answered | IceRestarted | Held | Measured | Surveyed | Counted | Done | Refused


# ── what the worker tells by itself ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TransportChanged:
    transport_id: str
    state: TransportState  # lost: consent expired (RFC 7675), gone for good; closed: the browser said goodbye


@dataclass(frozen=True, slots=True)
class PublicationFlowing:
    """First packet of a publication, or the first after a change of codec."""

    publication_id: str
    codec: str


@dataclass(frozen=True, slots=True)
class LayersWanted:
    """Which simulcast layers anybody needs now; the publisher may switch the others off."""

    publication_id: str
    rids: tuple[str, ...]  # in the order of the offer


@dataclass(frozen=True, slots=True)
class SlotChanged:
    """A slot carries another layer, or its picture was paused or goes on because of the viewer's bandwidth."""

    transport_id: str
    mid: str
    rid: str | None  # None while nothing is carried
    height: int  # pixels, 0 unknown
    paused: bool  # by bandwidth


@dataclass(frozen=True, slots=True)
class SpeechChanged:
    """Somebody began or stopped to speak, or became much louder or quieter meanwhile (RFC 6464)."""

    publication_id: str
    speaking: bool
    level: int  # smoothed, -dBov: 0 is loudest, 127 silence


Event = TransportChanged | PublicationFlowing | LayersWanted | SlotChanged | SpeechChanged
Message = Request | Reply | Event

_BY_NAME: dict[str, type] = {cls.__name__: cls for cls in typing.get_args(Message)}


def to_wire(message: Message) -> dict[str, Any]:
    """A message as a JSON object; its `type` is the class name."""
    return wire.dump(message)


def from_wire(value: dict[str, Any]) -> Message:
    """The message a JSON object stands for. Raises WireError for anything that is not exactly one."""
    return typing.cast(Message, wire.load(_BY_NAME, value))
