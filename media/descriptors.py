"""Which spatial and temporal sub-layer of a scalable stream (SVC) a packet belongs to.

VP9 says it in its payload descriptor (RFC 9628 section 4.2), AV1 in the dependency descriptor, a header extension (AV1
RTP specification, appendix A), by reference to a structure that came with a key frame.
"""

from __future__ import annotations

from typing import NamedTuple

from media.bits import BitReader, BitsError

_MOST_TEMPLATES = 64


class Sub(NamedTuple):
    """A packet's place in a scalable stream."""

    spatial: int
    temporal: int
    begins: bool  # the first packet of its frame; a picture has one frame for each spatial sub-layer
    ends: bool  # the last packet of its frame
    up: bool  # from this picture on, one may begin to take its temporal sub-layer and those above

    @property
    def begins_picture(self) -> bool:
        return self.begins and self.spatial == 0


def vp9(payload: bytes) -> Sub | None:
    """From a VP9 payload; None without layer indices. Never raises."""
    try:
        flags = payload[0]
        if not flags & 0x20:
            return None
        at = 1
        if flags & 0x80:
            at += 2 if payload[at] & 0x80 else 1
        layer = payload[at]
    except IndexError:
        return None
    return Sub(layer >> 1 & 7, layer >> 5, bool(flags & 0x08), bool(flags & 0x04), bool(layer & 0x10))


class Templates:
    """The dependency structure of an AV1 stream, as far as it says what is in which sub-layer."""

    __slots__ = ("_first", "_places")

    def __init__(self) -> None:
        self._first = 0  # template id of the first
        self._places: list[tuple[int, int]] = []  # (spatial, temporal)

    @property
    def highest(self) -> tuple[int, int]:
        """The greatest spatial and temporal number of the structure."""
        return max((it[0] for it in self._places), default=0), max((it[1] for it in self._places), default=0)

    def read(self, descriptor: bytes | None) -> Sub | None:
        """From a packet's dependency descriptor; None where it says nothing that we understand. Never raises."""
        if descriptor is None or len(descriptor) < 3:
            return None
        first = descriptor[0]
        if len(descriptor) > 3:
            try:
                self._learn(descriptor)
            except BitsError:
                return None
        place = ((first & 0x3F) - self._first) % _MOST_TEMPLATES
        if place >= len(self._places):
            return None
        spatial, temporal = self._places[place]
        # Which decode targets may be entered here is in the rest of the structure; the least temporal sub-layer refers
        # to nothing but itself in all the structures that browsers send.
        return Sub(spatial, temporal, bool(first & 0x80), bool(first & 0x40), temporal == 0)

    def _learn(self, descriptor: bytes) -> None:
        """template_dependency_structure, up to template_layers (A.8.2)."""
        bits = BitReader(descriptor)
        bits.read(24)
        if not bits.read(1):
            return
        bits.read(4)
        first = bits.read(6)
        bits.read(5)
        spatial = temporal = 0
        places = [(0, 0)]
        while (following := bits.read(2)) != 3:
            if following == 1:
                temporal += 1
            elif following == 2:
                spatial, temporal = spatial + 1, 0
            places.append((spatial, temporal))
            if len(places) > _MOST_TEMPLATES:
                raise BitsError("a dependency structure of too many templates")
        self._first, self._places = first, places
