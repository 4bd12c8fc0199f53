"""Slots: the fixed receiving sections of a viewer, into which publications are switched (design section 4).

To the browser a slot is one stream that never ends: same SSRC, sequence numbers without a hole, timestamps that go on,
whichever publication it carries. So a change of camera costs no negotiation. A slot is *placed* when the server says
what it should carry, and *started* by the first packet it may carry: for a picture that is a key frame.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from media import rtp
from media.answer import DESCRIPTOR, NegotiatedSection
from media.carriage import Carriage, profile_of, timestamp_offset
from media.codecs import Codec, best_match
from media.descriptors import Sub
from media.fanout import Outlet, Profile, Row
from media.keyframes import OneViewersLosses
from media.layers import Choice
from media.pictures import Shift
from media.repeats import Repeats
from media.rtcp import SenderReport
from media.statistics import SlotTally

if TYPE_CHECKING:
    from media.layers import Layer
    from media.publication import Publication
    from media.sieve import Sieve
    from media.stream import Stream


class Slot:
    """One receiving section of a viewer."""

    __slots__ = (
        "_former_last",
        "_last_time",
        "_last_timestamp",
        "_next_layer_zero",
        "_next_picture",
        "_next_sequence",
        "_octets",
        "_packets",
        "_redundant",
        "_said",
        "_twice",
        "_wish",
        "carriage",
        "first_index",
        "former",
        "kind",
        "losses",
        "max_height",
        "mid",
        "outlet",
        "paused",
        "profile",
        "publication",
        "rank",
        "repeats",
        "section",
        "smallest",
        "ssrc",
        "tally",
        "transport_id",
    )

    def __init__(self, transport_id: str, section: NegotiatedSection, outlet: Outlet) -> None:
        assert section.local is not None
        self.transport_id = transport_id
        self.mid = section.mid
        self.kind = section.kind
        self.section = section  # replaced by a re-offer
        self.ssrc = section.local.ssrc
        self.outlet = outlet
        self.publication: Publication | None = None
        self.rank = 9  # 0 is the last to give up its picture when bandwidth is short
        self.smallest = False  # no layer above that, whatever there is
        self.max_height: int | None = None  # pixels the page shows it with; 0: it does not show it, None: unknown
        self.paused = False  # by `choose(None)`
        self.profile = Profile(0, 0, ())
        self.first_index = 0  # see Carriage; here for the hot path
        self._wish: tuple[Layer, int, int] | None = None  # layer, spatial, temporal; None: the best there is
        self.carriage: Carriage | None = None
        self.former: Carriage | None = None  # what it carried before, whose last packets may be asked for again
        self._former_last = -1  # index of the last packet of that
        # libsrtp guesses the rollover counter of a first packet well only below 2**15.
        self._next_sequence = secrets.randbelow(0x8000)
        self._last_timestamp = secrets.randbelow(0x80000000)
        self._last_time: float | None = None
        self._next_picture: int | None = None
        self._next_layer_zero = 0
        self._packets = 0  # sent before the present stream
        self._octets = 0
        self.tally = SlotTally()
        self.losses = OneViewersLosses()
        self.repeats = Repeats(self)
        self._redundant = False
        self._said: rtp.Packet | None = None  # to be said again
        self._twice = False

    # ── what it carries ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def flowing(self) -> bool:
        """Whether it carries a stream now."""
        return self.carriage is not None

    @property
    def layer(self) -> Layer | None:
        """The layer it carries now."""
        return None if self.carriage is None else self.carriage.layer

    @property
    def carried(self) -> Choice | None:
        """What it really carries now."""
        it = self.carriage
        return None if it is None else Choice(it.layer.index, it.spatial, it.temporal)

    @property
    def wished(self) -> tuple[Layer, int, int] | None:
        """The layer it is to carry, and how much of it; None while it is paused or empty."""
        publication = self.publication
        if publication is None or self.paused:
            return None
        if self._wish is None or self._wish[0] not in publication.layers:
            return publication.layers[-1], 9, 9
        return self._wish

    def of(self, layer: Layer) -> Choice:
        """How much of a layer it is to carry: of the one it is to carry as much as was chosen, else all.

        Of AV1 only the smallest pictures, if the viewer takes no dependency descriptor: without one a browser does not
        find out which frames make a picture, and shows nothing.
        """
        wished = self.wished
        _, spatial, temporal = wished if wished is not None and wished[0] is layer else (layer, 9, 9)
        stream = layer.stream
        if stream is not None and stream.codec.name == "AV1" and DESCRIPTOR not in self.section.extensions:
            spatial = 0
        return Choice(layer.index, spatial, temporal)

    @property
    def chosen(self) -> Choice | None:
        """What it is to carry; None while it is paused or empty."""
        wished = self.wished
        return None if wished is None else Choice(wished[0].index, wished[1], wished[2])

    def choose(self, choice: Choice | None, now: float) -> None:
        """Carry this; None: nothing until the next choice, for want of bandwidth.

        Another layer comes with its next key frame, which is asked for; until then the present one goes on. Where the
        layer does not flow, the best one below that does stands in for it.
        """
        publication = self.publication
        if publication is None:
            return
        if choice == self.chosen and (choice is None or self._wish is not None):
            return
        self.paused = choice is None
        if choice is not None:
            layers = publication.layers
            self._wish = layers[max(0, min(choice.layer, len(layers) - 1))], choice.spatial, choice.temporal
        publication.aim(self, now)

    def placed(self, publication: Publication) -> None:
        """It is to carry this publication, the best of it until somebody chooses."""
        self.publication = publication
        self.paused = False
        self._wish = None

    @property
    def takes_redundancy(self) -> bool:
        """Whether the viewer could have sound with redundancy."""
        return any(codec.red_payload_type is not None for codec in self.section.codecs)

    def set_redundancy(self, wanted: bool) -> None:
        """From the next packet on, send sound with redundancy (red.py), or without."""
        if wanted != self._redundant:
            self._redundant = wanted
            if self.carriage is not None:
                self.carriage.layer.waiting[self] = None  # it starts again, in another form

    def set_twice(self, wanted: bool) -> None:
        """Send each packet of sound twice, or once."""
        self._twice = wanted
        if self.carriage is not None:
            twice = self.carriage.sieve.stream.twice
            if wanted:
                twice[self] = None
            else:
                twice.pop(self, None)
                self._said = None

    def say_again(self, packets: Sequence[rtp.Packet]) -> None:
        """These have been sent: send again those before them, as they were. So both are seldom lost together."""
        for packet in packets:
            before, self._said = self._said, packet
            if before is not None and before.start < before.end and self.carriage is not None:
                self.repeats.send_again(before, self.carriage, packet.arrival)

    def picture_lost(self, now: float) -> None:
        """The viewer cannot decode what it gets any more."""
        if self.publication is not None and self.carriage is not None:
            self.publication.request_key_frame(now, loss=True, layer=self.carriage.layer)

    @property
    def codec(self) -> Codec | None:
        """Of the stream it carries, in the viewer's numbers."""
        return None if self.carriage is None else self.carriage.codec

    def match(self, codec: Codec) -> Codec | None:
        """The viewer's codec that carries a publication's, if any does."""
        return best_match(codec, self.section.codecs)

    def carries(self, stream: Stream, sieve: Sieve | None = None) -> bool:
        """Whether it carries this stream, and of that just what `sieve` lets pass."""
        carriage = self.carriage
        if carriage is None or carriage.sieve.stream is not stream:
            return False
        return sieve is None or carriage.sieve is sieve

    def settled(self, choice: Choice) -> None:
        """What it carries is the same by another name."""
        if self.carriage is not None:
            self.carriage = replace(self.carriage, spatial=choice.spatial, temporal=choice.temporal)

    def wants_larger(self) -> bool:
        """Whether it is to carry larger pictures of its stream, for which it needs a key frame."""
        carriage, wished = self.carriage, self.wished
        if carriage is None or wished is None:
            return False
        highest, _ = carriage.sieve.stream.highest_sub
        return min(wished[1], highest) > min(carriage.spatial, highest)

    def may_shift(self, sub: Sub, *, key: bool) -> bool:
        """Whether it may carry more or less of its stream, as it is to, from the picture on that begins with `sub`.

        Less is always possible. More pictures a second begin where one says so that is not above the next sub-layer.
        """
        carriage, wished = self.carriage, self.wished
        if carriage is None or wished is None:
            return False
        if key:
            return True
        _, highest = carriage.sieve.stream.highest_sub
        now = min(carriage.temporal, highest)
        more_often = min(wished[2], highest) > now
        return not self.wants_larger() and (not more_often or (sub.up and sub.temporal <= now + 1))

    def start(self, layer: Layer, stream: Stream, packet: rtp.Packet, now: float) -> bool:
        """Carry `layer` by its `stream` from `packet` on. False if this viewer cannot decode it."""
        self.stop()
        codec = self.match(stream.codec)
        if codec is None:
            return False
        former = self.former
        _, spatial, temporal = choice = self.of(layer)
        sieve = stream.sieve(choice)
        shift = None
        if packet.numbers is not None and self._next_picture is not None:
            if former is not None and former.sieve is not sieve and former.sieve.stream is stream:
                shift = former.shift  # its pictures refer to each other by number
            else:
                shift = Shift(
                    self._next_picture - packet.numbers.picture, self._next_layer_zero - packet.numbers.layer_zero
                )
        self.profile = profile_of(codec, stream.extensions, self.section.extensions, self._redundant)
        self.first_index = first = sieve.number(packet)
        self.carriage = Carriage(
            layer,
            sieve,
            spatial,
            temporal,
            codec,
            self.profile,
            first,
            (self._next_sequence - first) & 0xFFFF,
            timestamp_offset(former, self._last_timestamp, self._last_time, stream, packet, now),
            shift,
            (sieve.packets, sieve.octets),
        )
        sieve.fanout.add(self)
        if self._twice:
            stream.twice[self] = None
        return True

    def stop(self) -> None:
        """Carry nothing, and remember where to go on."""
        carriage = self.carriage
        if carriage is None:
            return
        sieve = carriage.sieve
        sieve.fanout.remove(self)
        sieve.stream.twice.pop(self, None)
        self._said = None
        self._packets, self._octets = self._totals()
        self.carriage = None
        last = sieve.last
        if last is None or last.index < carriage.first_index:
            return
        self.former, self._former_last = carriage, last.index
        self._next_sequence = (last.index + 1 + carriage.sequence_offset) & 0xFFFF
        self._last_timestamp = (last.timestamp + carriage.timestamp_offset) & 0xFFFFFFFF
        self._last_time = last.arrival
        numbered = sieve.numbered
        if numbered is not None and numbered.numbers is not None and numbered.index >= carriage.first_index:
            shift = carriage.shift or Shift()
            self._next_picture = numbered.numbers.picture + shift.picture + 1
            self._next_layer_zero = numbered.numbers.layer_zero + shift.layer_zero + 1

    def rerouted(self) -> None:
        """The outlet's path has changed."""
        if self.carriage is not None:
            self.carriage.sieve.fanout.add(self)

    def row(self) -> Row:
        outlet, carriage = self.outlet, self.carriage
        assert outlet.srtp is not None
        assert outlet.name is not None
        assert carriage is not None
        return Row(
            outlet.srtp.handle,
            carriage.sequence_offset,
            carriage.timestamp_offset,
            self.ssrc,
            outlet.name,
            carriage.shift,
        )

    # ── what is asked for again, and reports ──────────────────────────────────────────────────────────────────────────

    @property
    def highest(self) -> int | None:
        """The newest number that the viewer knows, None while nothing is carried."""
        carriage = self.carriage
        return None if carriage is None else (carriage.sieve.highest + carriage.sequence_offset) & 0xFFFF

    def needs(self, sequence: int) -> bool:
        """Whether a lost packet still matters: of what was carried before, a key frame has made an end."""
        carriage = self.carriage
        if carriage is None:
            return False
        highest = carriage.sieve.highest
        return highest - ((highest + carriage.sequence_offset - sequence) & 0xFFFF) >= carriage.first_index

    def report(self, wall: float) -> SenderReport | None:
        """Our sender report for the viewer at `wall` (seconds since 1970); None while there is nothing to say."""
        carriage = self.carriage
        if carriage is None:
            return None
        instant = carriage.sieve.stream.instant(wall)
        if instant is None:
            return None
        ntp, timestamp = instant
        packets, octets = self._totals()
        timestamp = (timestamp + carriage.timestamp_offset) & 0xFFFFFFFF
        return SenderReport(self.ssrc, ntp, timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)

    @property
    def packets(self) -> int:
        """Sent so far, without repetitions."""
        return self._totals()[0]

    @property
    def octets(self) -> int:
        """Of payload sent so far, without repetitions."""
        return self._totals()[1]

    def _totals(self) -> tuple[int, int]:
        carriage = self.carriage
        if carriage is None:
            return self._packets, self._octets
        sieve, (packets, octets) = carriage.sieve, carriage.base
        return self._packets + sieve.packets - packets, self._octets + sieve.octets - octets

    def sent(self, sequence: int, now: float) -> tuple[rtp.Packet, Carriage] | None:
        """The packet that the viewer knows by this number, if we still have it."""
        for carriage, last in ((self.carriage, None), (self.former, self._former_last)):
            if carriage is None:
                continue
            highest = carriage.sieve.highest if last is None else last
            index = highest - ((highest + carriage.sequence_offset - sequence) & 0xFFFF)
            if index < carriage.first_index:
                continue
            packet = carriage.sieve.ring.get(index & 0xFFFF, now)
            if packet is not None and packet.index == index:
                return packet, carriage
        return None
