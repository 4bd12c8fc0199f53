"""H.264 as it was sent, in a stream of an MP4: nothing is decoded.

Where the picture changes its size or a new browser takes over, the parameter sets change. Then they stand in the stream
itself, before each key frame, and the sample entry says so (avc3, ISO/IEC 14496-15 section 5.4), as it does in the
archive. Elsewhere they are left out, because more players know a file that has them in its head (avc1).
"""

from __future__ import annotations

import io
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from recorder.manifest import TrackEntry
from recorder.rendering.mp4 import Timed
from recorder.rendering.samples import Samples
from recorder.rendering.takeover import one_after_the_other


@dataclass(frozen=True, slots=True)
class _Head:
    """An initialisation segment of a track."""

    samples: Samples
    name: str

    def parameter_sets(self) -> bytes:
        """Those of avcC (section 5.3.3.1), each with its length before it as NAL units have it in samples."""
        record = self.samples.extradata(self.name)
        found, at = bytearray(), 5
        for mask in (0x1F, 0xFF):
            count, at = record[at] & mask, at + 1
            for _ in range(count):
                size = int.from_bytes(record[at : at + 2], "big")
                found += size.to_bytes(4, "big") + record[at + 2 : at + 2 + size]
                at += 2 + size
        return bytes(found)


def copied(
    container: OutputContainer, folder: Path, tracks: Sequence[TrackEntry], begin_ms: int
) -> Iterator[Timed] | None:
    """The pictures of `tracks` (H.264), of those there are at once the one that began last.

    None if none of their files is there. Iterating raises OSError.
    """
    heads = _heads(folder, tracks)
    if not heads:
        return None
    stream = _stream(container, list(heads.values()))
    sets = {key: head.parameter_sets() for key, head in heads.items()}
    many = len(set(sets.values())) > 1
    stream.codec_context.codec_tag = "avc3" if many else "avc1"
    return _packets(stream, folder, tracks, begin_ms, sets if many else {})


def _heads(folder: Path, tracks: Sequence[TrackEntry]) -> dict[tuple[str, str], _Head]:
    """By track and name."""
    found = {}
    for track in tracks:
        samples = Samples(folder, track)
        for part in samples.parts:
            key = track.folder, part.init
            if key not in found and (samples.folder / part.init).exists():
                found[key] = _Head(samples, part.init)
    return found


def _stream(container: OutputContainer, heads: Sequence[_Head]) -> VideoStream:
    """A stream for the largest of the pictures: players show the others as large."""
    templates = [av.open(io.BytesIO((head.samples.folder / head.name).read_bytes()), "r") for head in heads]
    try:
        largest = max((each.streams.video[0] for each in templates), key=lambda each: each.width * each.height)
        return container.add_stream_from_template(largest)
    finally:
        for template in templates:
            template.close()


def _packets(
    stream: VideoStream,
    folder: Path,
    tracks: Sequence[TrackEntry],
    begin_ms: int,
    sets: dict[tuple[str, str], bytes],
) -> Iterator[Timed]:
    base = Fraction(1, tracks[0].timescale)
    begin = begin_ms * tracks[0].timescale // 1000
    last = -1
    for at, samples, sample in one_after_the_other(folder, tracks):
        start = sample.start * tracks[0].timescale // samples.entry.timescale - begin
        if start <= last:  # where one track takes over from another
            continue
        last = start
        data = sample.data
        if sample.key:
            data = sets.get((samples.entry.folder, sample.init), b"") + _without_sets(data)
        packet: av.Packet[typing.Any] = av.Packet(data)
        packet.stream, packet.time_base = stream, base
        packet.pts = packet.dts = start
        packet.duration, packet.is_keyframe = sample.duration, sample.key
        yield at - begin_ms / 1000, packet


def _without_sets(sample: bytes) -> bytes:
    """A sample from its first NAL unit on that is no parameter set."""
    at = 0
    while at + 4 < len(sample) and sample[at + 4] & 31 in (7, 8):
        at += 4 + int.from_bytes(sample[at : at + 4], "big")
    return sample[at:] if at else sample
