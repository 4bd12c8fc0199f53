"""One ordinary MP4 of a finished lesson: the lead teacher's camera and microphone, for machines that know no HLS.

The picture is copied where one H.264 stream runs through; else (reconnects with other settings, VP8, VP9) it is encoded
again. Sound becomes AAC, because what schools have at hand does not play Opus in MP4. This takes CPU: run it beside a
live server with low priority.
"""

from __future__ import annotations

import heapq
import io
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from recorder import lead
from recorder.manifest import read_manifest

_SOUND_RATE = 48_000  # Hz
_SOUND_BITS = 96_000  # per second
_ENCODER = {"preset": "veryfast", "crf": "23"}

Packet: typing.TypeAlias = "av.Packet[typing.Any]"  # generic for the type checker only


class ExportError(ValueError):
    """There is nothing of the lead teacher's to export."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Files that are one stream when read one after the other, and what to add to its times."""

    files: tuple[Path, ...]
    zero_s: Fraction


def export(folder: Path, out: Path) -> None:
    """Write the lesson in `folder` to `out`.

    Raises ExportError, FileNotFoundError and OSError, PyAV's included; `out` then is as it was.
    """
    pictures, sounds = _pictures(folder), _listed(folder / lead.SOUND_LIST)
    if not pictures and not sounds:
        raise ExportError(f"{folder.name}: neither camera nor microphone of the lead teacher was recorded")
    begin = min(_first_time(stretches[0]) for stretches in (pictures, sounds) if stretches)
    partial = out.with_name(out.name + ".part")
    try:
        with av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            streams: list[Iterator[tuple[float, Packet]]] = []
            if pictures:
                streams.append(_picture(container, pictures, begin))
            if sounds:
                streams.append(_sound(container, sounds, begin))
            # In the order of time, because the muxer keeps in memory what runs ahead.
            for _, packet in heapq.merge(*streams, key=lambda item: item[0]):
                container.mux_one(packet)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _pictures(folder: Path) -> list[_Stretch]:
    listed = _listed(folder / lead.CAMERA_LIST)
    if listed:
        return listed
    return [
        _Stretch((folder / track.playlist,), Fraction(track.start_ms, 1000))
        for track in sorted(read_manifest(folder).tracks, key=lambda track: track.start_ms)
        if track.lead and track.source == "camera" and track.codec == "VP8" and track.duration_ms
    ]


def _listed(playlist: Path) -> list[_Stretch]:
    """What a media playlist of ours lists, as stretches of one initialisation segment each."""
    if not playlist.exists():
        return []
    stretches: list[list[Path]] = []
    init, gap = "", False
    for line in playlist.read_text().splitlines():
        if line.startswith("#EXT-X-MAP:"):
            init = line.partition('"')[2].rstrip('"')
            stretches.append([playlist.parent / init])
        elif line == "#EXT-X-GAP":
            gap = True
        elif line and not line.startswith("#"):
            if not gap:
                stretches[-1].append(playlist.parent / line)
            gap = False
    return [_Stretch(tuple(files), Fraction(0)) for files in stretches if len(files) > 1]


class _Chain(io.RawIOBase):
    """Files read as one; PyAV needs no more than this of a source that cannot seek."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._left = list(files)
        self._open: typing.BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while True:
            if self._open is None:
                if not self._left:
                    return b""
                self._open = self._left.pop(0).open("rb")
            if data := self._open.read(size):
                return data
            self._open.close()
            self._open = None

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        super().close()


def _packets(stretch: _Stretch) -> Iterator[Packet]:
    """The packets of a stretch, with their times as they are in the files."""
    with _Chain(stretch.files) as chain, av.open(chain, "r") as container:
        for packet in container.demux(container.streams[0]):
            if packet.pts is not None:
                yield packet


def _first_time(stretch: _Stretch) -> Fraction:
    packet = next(_packets(stretch))
    assert packet.pts is not None
    assert packet.time_base is not None
    return packet.pts * packet.time_base + stretch.zero_s


def _picture(
    container: av.container.OutputContainer, stretches: list[_Stretch], begin: Fraction
) -> Iterator[tuple[float, Packet]]:
    heads = {stretch.files[0].read_bytes() for stretch in stretches}
    with _Chain(stretches[0].files) as chain, av.open(chain, "r") as source:
        template = source.streams.video[0]
        width, height = template.width, template.height
        if len(heads) == 1 and template.codec_context.name == "h264":
            return _copied(container.add_stream_from_template(template), stretches, begin)
    stream = container.add_stream("libx264", rate=30, options=_ENCODER)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 90_000)
    return _encoded_picture(stream, stretches, begin)


def _copied(stream: VideoStream, stretches: list[_Stretch], begin: Fraction) -> Iterator[tuple[float, Packet]]:
    for stretch in stretches:
        for packet in _packets(stretch):
            assert packet.pts is not None
            assert packet.time_base is not None
            at = packet.pts * packet.time_base + stretch.zero_s - begin
            packet.pts = packet.dts = round(at / packet.time_base)
            packet.stream = stream
            yield float(at), packet


def _encoded_picture(stream: VideoStream, stretches: list[_Stretch], begin: Fraction) -> Iterator[tuple[float, Packet]]:
    last = -1
    for stretch in stretches:
        with _Chain(stretch.files) as chain, av.open(chain, "r") as source:
            for frame in source.decode(source.streams.video[0]):
                if frame.pts is None or frame.time_base is None:
                    continue
                at = round((frame.pts * frame.time_base + stretch.zero_s - begin) * 90_000)
                if at <= last:
                    continue
                last = at
                scaled = frame.reformat(stream.width, stream.height, "yuv420p")
                scaled.pts, scaled.time_base = at, Fraction(1, 90_000)
                scaled.pict_type = av.video.frame.PictureType.NONE
                yield from _timed(stream.encode(scaled))
    yield from _timed(stream.encode(None))


def _sound(
    container: av.container.OutputContainer, stretches: list[_Stretch], begin: Fraction
) -> Iterator[tuple[float, Packet]]:
    stream = container.add_stream("aac", rate=_SOUND_RATE)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = "stereo"
    stream.codec_context.bit_rate = _SOUND_BITS
    return _encoded_sound(stream, stretches, begin)


def _encoded_sound(stream: AudioStream, stretches: list[_Stretch], begin: Fraction) -> Iterator[tuple[float, Packet]]:
    # The list has no holes, so samples are counted from its beginning.
    at = round((_first_time(stretches[0]) - begin) * _SOUND_RATE)
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=_SOUND_RATE)
    for stretch in stretches:
        with _Chain(stretch.files) as chain, av.open(chain, "r") as source:
            for decoded in source.decode(source.streams.audio[0]):
                for frame in resampler.resample(decoded):
                    frame.pts, frame.time_base = at, Fraction(1, _SOUND_RATE)
                    at += frame.samples
                    yield from _timed(stream.encode(frame))
    yield from _timed(stream.encode(None))


def _timed(packets: list[Packet]) -> Iterator[tuple[float, Packet]]:
    for packet in packets:
        if packet.dts is not None and packet.time_base is not None:
            yield float(packet.dts * packet.time_base), packet
