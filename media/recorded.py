"""What of a publication goes to the recorder: its best layer, and another one from that one's next key frame on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from media import rtp
from media.answer import AUDIO_LEVEL
from media.codecs import Codec
from media.layers import Layer
from media.rtcp import SenderReport

if TYPE_CHECKING:
    from media.stream import Stream

PATIENCE = 1.0  # seconds to ask for a lost packet
PATIENCE_RECORDED = 3.0  # the recorder can wait longer than a viewer


class Recording(Protocol):
    """What a recorded publication tells (recorder_feed.py)."""

    def announce(self, codec: Codec, level_id: int) -> None: ...

    def packet(self, packet: rtp.Packet, now: float) -> None: ...

    def report(self, report: SenderReport, now: float, rtt: float | None) -> None: ...

    def end(self) -> None: ...


class Recorded:
    """See above. What is public here is read packet by packet, and changed here only."""

    __slots__ = ("layer", "next", "recording")

    def __init__(self) -> None:
        self.recording: Recording | None = None
        self.layer: Layer | None = None  # which the recorder gets
        self.next: Layer | None = None  # which it gets with the next key frame

    def become(self, recording: Recording | None, layer: Layer) -> bool:
        """Start with this layer, relabel or (None) stop. Whether a key frame is needed now."""
        self.end()
        if recording is None:
            return False
        self.recording, self.layer = recording, layer
        if layer.stream is None:
            return False
        self._say(layer, layer.stream)
        return True

    def aim(self, best: Layer) -> bool:
        """The best layer that flows is now this one. Whether a key frame of it is needed."""
        if self.recording is None:
            return False
        self.next = best if best is not self.layer else None
        return self.next is not None

    def shift(self, layer: Layer, stream: Stream) -> None:
        """The recorder gets this layer from now on, which to it is another stream."""
        self.layer, self.next = layer, None
        self._say(layer, stream)

    def began(self, layer: Layer, stream: Stream) -> None:
        """A layer has another stream."""
        if layer is self.layer and self.recording is not None:
            self._announce(self.recording, stream)

    def report(self, layer: Layer, report: SenderReport, now: float, rtt: float | None) -> None:
        """The publisher's report about a layer."""
        if layer is self.layer and self.recording is not None:
            self.recording.report(report, now, rtt)

    def set_patience(self, layers: Sequence[Layer]) -> None:
        """How long each of these layers is to ask for what is lost."""
        for layer in layers:
            if layer.stream is not None:
                layer.stream.missing.patience = PATIENCE_RECORDED if layer is self.layer else PATIENCE

    def end(self) -> None:
        """Nothing any more. Ending twice is harmless."""
        if self.recording is not None:
            self.recording.end()
        self.recording = self.layer = self.next = None

    def _say(self, layer: Layer, stream: Stream) -> None:
        assert self.recording is not None
        self._announce(self.recording, stream)
        if layer.report is not None:
            self.recording.report(*layer.report)

    def _announce(self, recording: Recording, stream: Stream) -> None:
        recording.announce(stream.codec, stream.extensions.get(AUDIO_LEVEL, 0))
