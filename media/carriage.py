"""How a slot carries a stream, from its first packet to its last: which numbers, timestamps and extensions it has.

To the browser a slot is one stream that never ends; so what it carries next goes on where the last has stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from media import rtp
from media.answer import ABS_SEND_TIME, AUDIO_LEVEL, DESCRIPTOR
from media.codecs import Codec
from media.fanout import Profile
from media.pictures import Shift

if TYPE_CHECKING:
    from media.layers import Layer
    from media.sieve import Sieve
    from media.stream import Stream

PASSED_ON = (AUDIO_LEVEL,)  # header extensions that viewers get as published, where they know them
PLAUSIBLE = 1.0  # seconds that two layers' sender reports and the arrival of their packets may disagree


@dataclass(frozen=True, slots=True)
class Carriage:
    """How a slot carries something: what does not change from its first packet to its last."""

    layer: Layer
    sieve: Sieve
    spatial: int  # as chosen
    temporal: int
    codec: Codec  # in the viewer's numbers
    profile: Profile
    first_index: int  # of the sieve: what is older belongs to what the slot carried before
    sequence_offset: int
    timestamp_offset: int
    shift: Shift | None
    base: tuple[int, int]  # packets and octets the sieve had sent by then


def timestamp_offset(
    former: Carriage | None,
    last_timestamp: int,
    last_time: float | None,
    stream: Stream,
    packet: rtp.Packet,
    now: float,
) -> int:
    """What to add to `stream`'s timestamps, `packet` being its first, so that the slot's go on after its last.

    Between two layers of one publisher as both their sender reports say, else as much as time has passed.
    """
    timestamp = int(packet.timestamp)
    if last_time is None or former is None:
        return (last_timestamp - timestamp) & 0xFFFFFFFF
    if former.sieve.stream is stream:
        return former.timestamp_offset
    elapsed = max(1, round((now - last_time) * stream.codec.clock_rate))
    mapped = former.sieve.stream.same_moment(stream, timestamp)
    if mapped is not None:
        by_reports = _signed(mapped + former.timestamp_offset - last_timestamp)
        if abs(by_reports - elapsed) < PLAUSIBLE * stream.codec.clock_rate:
            elapsed = max(1, by_reports)  # never back: the same picture may just have gone out of the other layer
    return (last_timestamp + elapsed - timestamp) & 0xFFFFFFFF


def profile_of(codec: Codec, published: dict[str, int], ours: dict[str, int], redundant: bool) -> Profile:
    """What packets have in the viewer's numbers; `published` and `ours` are the header extensions at either end."""
    passed_on = tuple((published[uri], ours[uri]) for uri in PASSED_ON if uri in published and uri in ours)
    descriptor = 0, 0
    if codec.name == "AV1" and DESCRIPTOR in published and DESCRIPTOR in ours:
        descriptor = published[DESCRIPTOR], ours[DESCRIPTOR]
    red = codec.red_payload_type if redundant else None
    return Profile(codec.payload_type, ours.get(ABS_SEND_TIME, 0), passed_on, descriptor, red or 0)


def _signed(difference: int) -> int:
    """A difference of two RTP timestamps, which wrap."""
    return ((difference + 0x80000000) & 0xFFFFFFFF) - 0x80000000
