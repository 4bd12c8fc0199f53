"""An MP4 in the making: packets of picture and sound in the order of time, told how far it is, whole or not at all.

Sound becomes AAC, because what schools have at hand does not play Opus in MP4; the index comes first, so that a file
plays while it is still being fetched.
"""

from __future__ import annotations

import contextlib
import heapq
import time
import typing
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer

from recorder.manifest import Manifest
from recorder.rendering.progress import Progress
from recorder.rendering.sound import RATE, Sound

Packet: typing.TypeAlias = "av.Packet[typing.Any]"  # generic for the type checker only
Timed: typing.TypeAlias = "tuple[float, Packet]"  # seconds from the beginning of the file

_TELL_EVERY_S = 0.25
_BITS = {"mono": 80_000, "stereo": 144_000}  # per second
# A third of the time of the usual search ("twoloop"), which is meant for fewer bits and would be nine tenths of what an
# export of the camera costs; with so many it is also nearer to the original.
_SEARCH = {"aac_coder": "fast"}


@contextlib.contextmanager
def mp4(out: Path, manifest: Manifest) -> Iterator[OutputContainer]:
    """A container that becomes `out` when all went well; otherwise `out` stays as it was. Raises OSError.

    It bears the lesson's title and date.
    """
    partial = out.with_name(out.name + ".part")
    try:
        form = "ipod" if out.suffix == ".m4a" else "mp4"  # differ in the brand by which players know music
        with av.open(str(partial), "w", format=form, options={"movflags": "+faststart"}) as container:
            container.metadata["title"] = manifest.title
            began = datetime.fromtimestamp(manifest.epoch_us / 1e6, UTC)
            container.metadata["creation_time"] = began.isoformat()
            yield container
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def mux(container: OutputContainer, streams: Sequence[Iterator[Timed]], length_s: float, progress: Progress) -> None:
    """Write what the streams give, earliest first, because the muxer keeps in memory what runs ahead."""
    told = time.monotonic()
    progress(0.0)
    for at, packet in heapq.merge(*streams, key=lambda item: item[0]):
        container.mux_one(packet)
        if (now := time.monotonic()) - told > _TELL_EVERY_S:
            told = now
            progress(min(max(at / length_s, 0.0), 1.0))
    progress(1.0)


def encoded_sound(container: OutputContainer, sound: Sound) -> Iterator[Timed]:
    """The sound as AAC, in a stream of its own."""
    stream = container.add_stream("aac", rate=RATE)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = sound.layout
    stream.codec_context.bit_rate = _BITS[sound.layout]
    stream.codec_context.options = _SEARCH
    return _encoded(stream, sound)


def _encoded(stream: AudioStream, sound: Sound) -> Iterator[Timed]:
    for frame in sound:
        yield from timed(stream.encode(frame))
    yield from timed(stream.encode(None))


def timed(packets: list[Packet]) -> Iterator[Timed]:
    """Encoded packets with the times by which they are put in order."""
    for packet in packets:
        if packet.dts is not None and packet.time_base is not None:
            yield float(packet.dts * packet.time_base), packet
