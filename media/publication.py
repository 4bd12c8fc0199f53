"""A track someone sends: it stays while its streams come and go, and knows the slots that it was placed in.

Packets are taken in as they come (`receive`) and leave when the socket has been drained (`flush`), so that the packets
of one picture go out together. A slot that was placed waits here until it may start: sound with the next packet, a
picture with the next key frame, which is asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from media import rtp
from media.answer import AUDIO_LEVEL, NegotiatedSection
from media.codecs import Codec
from media.heights import height
from media.keyframes import starts_key_frame
from media.layers import Layer, Option, Tap, cease, in_order, reachable
from media.loudness import Loudness
from media.messages import PublicationInfo
from media.needs import Needs
from media.recorded import Recorded, Recording
from media.rtcp import SenderReport
from media.sender_clock import SenderClock
from media.stream import Order, Stream
from media.subscription import Slot

REPLACED_AFTER = 1.0  # seconds of silence after which another SSRC may take a publication over
STILL_WAITING = 2.0  # seconds: packets flow, somebody waits, and nobody has asked for so long
BEHIND = 0.4  # seconds after its arrival that a packet is still forwarded; a worker may hold it for 0.1 s more
RESIZED_EVERY = 1.0  # seconds between changes of a layer's height that are heeded: each may move every slot
MAX_LAYERS = 8  # over all re-offers, each of which may name four; the relay knows no more than 16 (relay_link.py)

_PLAIN_MID = re.compile(r"[A-Za-z0-9_]{1,32}")


class Publication:
    """See above. Its callbacks:

    `ask_key_frame` of the layer's publisher; `flowing` is called with the codec's name when a stream begins;
    `layers_wanted` with the rids, in the order of the offer, that anybody needs, whenever they have changed.
    """

    def __init__(
        self,
        transport_id: str,
        section: NegotiatedSection,
        clock: SenderClock,
        ask_key_frame: Callable[[Layer], None],
        flowing: Callable[[Publication, str], None],
        layers_wanted: Callable[[Publication, tuple[str, ...]], None] = lambda *_: None,
    ) -> None:
        self.publication_id = publication_id(transport_id, section.mid)
        self.transport_id = transport_id
        self.section = section
        # An offer names its layers in the order of preference (RFC 8853 section 5.2), so the last is the smallest.
        self.layers = [Layer(rid, index) for index, rid in enumerate(reversed(section.rids or ("",)))]
        self.loudness = Loudness() if section.kind == "audio" else None
        self._recorded = Recorded()
        self._clock = clock
        self._ask_key_frame = ask_key_frame
        self._flowing = flowing
        self._layers_wanted = layers_wanted
        self._codec = ""  # of the last stream that began
        self._needs = Needs(section.rids)
        self._slots: dict[Slot, None] = {}  # all that we were placed in
        self._resized_at = 0.0

    @property
    def info(self) -> PublicationInfo:
        section = self.section
        return PublicationInfo(
            self.publication_id,
            self.transport_id,
            section.mid,
            section.kind,
            tuple(dict.fromkeys(codec.name for codec in section.codecs)),
            section.flow == "recvonly",
        )

    @property
    def streams(self) -> list[Stream]:
        """Of all layers that have begun."""
        return [layer.stream for layer in self.layers if layer.stream is not None]

    @property
    def stream(self) -> Stream | None:
        """Of the best layer that has begun."""
        streams = self.streams
        return streams[-1] if streams else None

    @property
    def viewers(self) -> set[str]:
        """The transports whose slots it was placed in."""
        return {slot.transport_id for slot in self._slots}

    @property
    def wanted(self) -> tuple[str, ...]:
        """The layers last said to be wanted, in the order of the offer."""
        return self._needs.told

    @property
    def recording(self) -> Recording | None:
        """Where it is recorded, if it is."""
        return self._recorded.recording

    def options(self, now: float) -> tuple[Option, ...]:
        """What a slot may choose from, lowest first."""
        return tuple(option for layer in self.layers for option in layer.options())

    def layer(self, rid: str) -> Layer | None:
        """The layer of this name; "" is the only one of a publication without simulcast."""
        return next((layer for layer in self.layers if layer.rid == rid), None)

    def renegotiated(self, section: NegotiatedSection) -> None:
        """A re-offer may make it inactive or active, or change its codecs and SSRCs; layers may come, none goes."""
        self.section = section
        for rid in section.rids:
            if self.layer(rid) is None and len(self.layers) < MAX_LAYERS:
                self.layers.append(Layer(rid, len(self.layers)))

    # ── from the publisher ────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, packet: rtp.Packet, now: float, repaired: bool = False, layer: Layer | None = None) -> bool:
        """Take a packet of a layer, RTX undone. False if it was of no use."""
        layer = layer or self.layers[0]
        stream = layer.stream
        if stream is None or packet.ssrc != stream.ssrc or packet.payload_type != stream.codec.payload_type:
            stream = self._change_stream(layer, packet, now)
            if stream is None:
                return False
        order = stream.receive(packet, now, repaired)
        if order is Order.ANEW and stream.odd is not None:
            first, stream = stream.odd, self._begin(layer, packet, stream.codec, now)
            self.receive(first, now, layer=layer)
            order = stream.receive(packet, now)
        if order is Order.REPEATED or order is Order.ODD:
            return False
        layer.receive(packet, now)
        if not layer.flowing:
            layer.flowing = True
            self._flow_changed(now)
        recorded = self._recorded
        if recorded.recording is not None:
            if layer is recorded.next and stream.starts_key_frame(packet):
                recorded.shift(layer, stream)
                recorded.set_patience(self.layers)
            if layer is recorded.layer:
                recorded.recording.packet(packet, now)
        for tap in layer.taps:
            tap.packet(layer, packet, now)
        if order is Order.NEXT:
            layer.fresh.append(packet)
            if self.loudness is not None:
                self.loudness.heard(packet.extensions.get(stream.extensions.get(AUDIO_LEVEL, 0), b""), now)
        elif order is Order.LATE:
            layer.late.append(packet)
        return True

    def flush(self, now: float) -> int:
        """Forward what was received; how many packets were left out because they came too long ago."""
        old = 0
        for layer in self.layers:
            if layer.fresh or layer.late:
                if now - (layer.fresh or layer.late)[0].arrival > BEHIND:
                    # This process was starved. Who watches would be as far behind from now on, or be sent seconds of it
                    # at once.
                    old += layer.catch_up(now, BEHIND)
                    if layer.waiting:
                        self.request_key_frame(now, loss=True, layer=layer)
                self._flush(layer, now)
        return old

    def sender_report(self, report: SenderReport, now: float, wall: float, rtt: float | None) -> None:
        """The publisher's report about one of our streams; `rtt` to it in seconds."""
        for layer in self.layers:
            stream = layer.stream
            if stream is not None and report.ssrc == stream.ssrc:
                stream.sender_report(report, now, wall)
                layer.report = report, now, rtt
                self._recorded.report(layer, report, now, rtt)
                for tap in layer.taps:
                    tap.report(layer, report, now)

    # ── from viewers and the recorder ─────────────────────────────────────────────────────────────────────────────

    def place(self, slot: Slot, now: float) -> None:
        """The slot carries this publication, the best of it, from its next key frame on."""
        slot.placed(self)
        self._slots[slot] = None
        self.aim(slot, now)

    def remove(self, slot: Slot) -> None:
        """The slot carries nothing any more."""
        slot.stop()
        slot.publication = None
        self._slots.pop(slot, None)
        self._wait_no_more(slot)

    def aim(self, slot: Slot, now: float) -> None:
        """Let the slot wait for what it is to carry, unless it carries it already."""
        wished = slot.wished
        self._wait_no_more(slot)
        if wished is None:
            slot.stop()
            return
        target = reachable(self.layers, wished[0]) or slot.layer or wished[0]
        stream = target.stream
        if stream is not None and slot.carries(stream):
            choice = slot.of(target)
            if slot.carries(stream, stream.sieve(choice)):
                slot.settled(choice)
            else:
                target.shifting[slot] = None
                if slot.wants_larger():
                    self.request_key_frame(now, layer=target)
        else:
            target.waiting[slot] = None
            self._await(target, now)
        if len(self.layers) > 1:
            self._look_at_needs(now)

    def awaited(self, now: float) -> None:
        """Ask for key frames where a slot waits that could show it."""
        for layer in self.layers:
            self._await(layer, now)

    def request_key_frame(self, now: float, *, loss: bool = False, layer: Layer | None = None) -> None:
        """Somebody needs a key frame: to start with, or because of `loss`. Requests are coalesced.

        Without a layer it is asked of the one that is recorded, else of the best.
        """
        layer = layer or self._recorded.layer or self.layers[-1]
        stream = layer.stream
        if stream is not None and stream.kind == "video" and layer.requests.ask(now, loss=loss):
            self._ask_key_frame(layer)

    def record(self, recording: Recording | None, now: float) -> None:
        """Start, relabel or (None) stop feeding the recorder. It gets the best layer."""
        layer = reachable(self.layers, self.layers[-1]) or self.layers[-1]
        if self._recorded.become(recording, layer):
            self.request_key_frame(now, layer=layer)
        self._recorded.set_patience(self.layers)
        self._look_at_needs(now)

    def tap(self, layer: Layer, tap: Tap, now: float) -> None:
        """Give a layer to somebody as it comes in."""
        layer.taps.append(tap)
        if layer.stream is not None:
            tap.began(layer, layer.stream)
            self.request_key_frame(now, layer=layer)
        self._look_at_needs(now)

    def untap(self, layer: Layer, tap: Tap, now: float) -> None:
        """Give it no longer. Doing so twice is harmless."""
        if tap in layer.taps:
            layer.taps.remove(tap)
            self._look_at_needs(now)

    # ── time, and the end ─────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Every 20 ms: key frame requests that had to wait, and a look at the layers."""
        for layer in self.layers:
            if layer.requests.due(now) and layer.stream is not None:
                self._ask_key_frame(layer)
            layer.measure(now)
            stream = layer.stream
            if stream is not None and stream.highest_sub != layer.highest_sub:
                layer.highest_sub = stream.highest_sub  # what "all of it" or "the half of it" is has changed
                self._flow_changed(now)
        if self.section.kind == "video":
            if cease(self.layers, now):
                self._flow_changed(now)
            if len(self.layers) > 1 and self._needs.due(now):
                self._look_at_needs(now)

    def close(self) -> None:
        """The publisher is gone. Closing twice is harmless."""
        for slot in list(self._slots):
            self.remove(slot)
        self._recorded.end()
        for layer in self.layers:
            for tap in layer.taps:
                tap.ended(layer)
            layer.taps.clear()
            layer.stream = None

    # ── streams and key frames ────────────────────────────────────────────────────────────────────────────────────

    def _flush(self, layer: Layer, now: float) -> None:
        stream, fresh, late = layer.stream, layer.fresh, layer.late
        assert stream is not None
        layer.fresh, layer.late = [], []
        at = None
        if stream.kind == "video" or layer.waiting:
            at = next((n for n, packet in enumerate(fresh) if stream.starts_key_frame(packet)), None)
            if at is not None:
                layer.requests.arrived(now)
                self._look_at_height(layer, stream, fresh[at], now)
            elif layer.waiting and now - layer.awaited_at > STILL_WAITING:
                self._await(layer, now)
        if layer.shifting or (layer.waiting and at is not None):
            fresh = layer.start_waiting(stream, fresh, at, now)
        if fresh:
            stream.forward(fresh, now)
        for packet in late:
            stream.forward_late(packet, now)

    def _wait_no_more(self, slot: Slot) -> None:
        for layer in self.layers:
            layer.waiting.pop(slot, None)
            layer.shifting.pop(slot, None)

    def _await(self, layer: Layer, now: float) -> None:
        """Ask for a key frame of a layer if a slot waits that could show it."""
        stream = layer.stream
        layer.awaited_at = now
        if stream is None or stream.kind == "audio" or not layer.waiting:
            return
        if any(slot.outlet.open and slot.match(stream.codec) for slot in layer.waiting):
            self.request_key_frame(now, layer=layer)

    def _change_stream(self, layer: Layer, packet: rtp.Packet, now: float) -> Stream | None:
        """The stream a packet of an unknown kind begins; None if it may not."""
        former = layer.stream
        codec = next((c for c in self.section.codecs if c.payload_type == packet.payload_type), None)
        if codec is None:
            return None
        if former is not None:
            # A codec changes with a key frame. Anything else of this SSRC is an old packet that comes late.
            video = former.kind == "video"
            if packet.ssrc == former.ssrc and video and not starts_key_frame(codec.name, packet.payload):
                return None
            named = any(source.ssrc == packet.ssrc for source in self.section.remote)  # with simulcast none is
            if packet.ssrc != former.ssrc and not named and former.silent_for(now) < REPLACED_AFTER:
                return None
        return self._begin(layer, packet, codec, now)

    def _begin(self, layer: Layer, packet: rtp.Packet, codec: Codec, now: float) -> Stream:
        """A stream begins with a packet; slots that carried the former one wait."""
        stream = Stream(packet.ssrc, self.section.kind, codec, self.section.extensions, self._clock)
        former = layer.stream
        if former is not None:
            if layer.fresh or layer.late:
                self._flush(layer, now)
            for sieve in former.sieves:
                for slot in sieve.fanout:
                    slot.stop()
                    layer.waiting[slot] = None
        layer.stream = stream
        self._recorded.set_patience((layer,))
        self._recorded.began(layer, stream)
        for tap in layer.taps:
            tap.began(layer, stream)
        if codec.name != self._codec or len(self.layers) == 1:
            self._codec = codec.name
            self._flowing(self, codec.name)
        if layer.waiting and not stream.starts_key_frame(packet):
            self._await(layer, now)
        return stream

    # ── layers ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _flow_changed(self, now: float) -> None:
        """A layer has begun or ceased to flow: everybody may get something better, or must take something else."""
        for slot in list(self._slots):
            self.aim(slot, now)
        best = reachable(self.layers, self.layers[-1])
        if best is not None and self._recorded.aim(best):
            self.request_key_frame(now, layer=best)

    def _look_at_height(self, layer: Layer, stream: Stream, packet: rtp.Packet, now: float) -> None:
        """A key frame says how tall its layer is, and so where it stands among the others."""
        found = height(stream.codec.name, packet.payload) if stream.kind == "video" else 0
        if not found or found == layer.height or (layer.height and now - self._resized_at < RESIZED_EVERY):
            return
        layer.height, self._resized_at = found, now
        if self._put_in_order():
            self._flow_changed(now)

    def _put_in_order(self) -> bool:
        """Layers by their heights, as far as they are known; whether anything has changed."""
        former, self.layers = self.layers, in_order(self.layers)  # a list of its own: one may be gone through now
        return self.layers != former

    def _look_at_needs(self, now: float) -> None:
        """Which layers does anybody need? The publisher hears of it when that has changed."""
        rids, needs = self.section.rids, self._needs
        if not rids or self.section.flow != "recvonly":
            return
        if needs.changed(rids, self.layers, self._slots, self.recording is not None, now):
            self._layers_wanted(self, needs.told)


def publication_id(transport_id: str, mid: str) -> str:
    """The id of a transport's section. It stands in paths and URLs, and a mid may be any token of any length."""
    plain = _PLAIN_MID.fullmatch(mid)
    return f"{transport_id}-{mid if plain else 'x' + hashlib.sha256(mid.encode()).hexdigest()[:16]}"
