"""All that was heard in a lesson as one sound: every microphone, mixed, in blocks of a second.

Fast, because half of an export without new pictures is spent here. Packets are placed by their time, to the sample;
what is silence is not decoded; a second in which one microphone alone was heard is not mixed; decoded sound is moved as
bytes, a packet at a time, so Python touches no sample.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.filter import Graph

from recorder import opus
from recorder.manifest import TrackEntry
from recorder.rendering.samples import Samples

RATE = opus.RATE
BLOCK = RATE  # samples
_LONGEST = 5760  # samples of an Opus packet
_SILENT = 3  # bytes at most of a packet without sound: DTX, or silence as the recorder writes it
_FADING = 2  # silent packets that are decoded all the same: the end of what sounded before is in them


class Sound:
    """Iterate over it for the blocks, from the beginning to the end, end to end."""

    def __init__(self, folder: Path, tracks: Sequence[TrackEntry], begin_ms: int, end_ms: int) -> None:
        """The `tracks` (Opus) of the lesson in `folder`, mixed, from `begin_ms` to `end_ms` of the lesson.

        Raises OSError when a journal cannot be read.
        """
        self._begin = begin_ms * RATE // 1000
        self._length = (end_ms - begin_ms) * RATE // 1000
        samples = [Samples(folder, track) for track in tracks]
        self.layout = "stereo" if any(map(_is_stereo, samples)) else "mono"
        self._width = 4 if self.layout == "stereo" else 2  # bytes of a sample of all channels
        self._microphones = [_Microphone(each, self.layout, self._begin) for each in samples]
        self._mixers: dict[int, _Mixer] = {}  # by how many they mix

    def __iter__(self) -> Iterator[AudioFrame]:
        for at in range(0, self._length, BLOCK):
            count = min(BLOCK, self._length - at)
            heard = [data for each in self._microphones if (data := each.block(at, count)) is not None]
            if len(heard) > 1:
                if len(heard) not in self._mixers:
                    self._mixers[len(heard)] = _Mixer(len(heard), self.layout)
                frame = self._mixers[len(heard)].mix([self._frame(data, at, count) for data in heard])
            else:
                frame = self._frame(heard[0] if heard else bytes(count * self._width), at, count)
            yield frame

    def _frame(self, data: bytes | bytearray, at: int, count: int) -> AudioFrame:
        frame = AudioFrame("s16", self.layout, count)
        plane = frame.planes[0]
        plane.update(bytes(data) + bytes(plane.buffer_size - len(data)))
        frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
        return frame


def _is_stereo(samples: Samples) -> bool:
    """Whether the sender encoded two channels, as in music mode; a part does not change in the middle."""
    for part in samples.parts:
        with contextlib.suppress(FileNotFoundError):
            first = next((each for each in samples.of(part) if len(each.data) > _SILENT), None)
            if first is not None and first.data[0] & 4:
                return True
    return False


class _Microphone:
    """One track, decoded as far as it is needed."""

    def __init__(self, samples: Samples, layout: str, begin: int) -> None:
        self._samples = iter(samples)
        self._next = next(self._samples, None)
        self._begin = begin
        self._width = 4 if layout == "stereo" else 2
        self._decoder = _decoder(2 if layout == "stereo" else 1)
        self._silent = _FADING  # packets in a row
        self._after = bytearray()  # what has been decoded of the block that follows

    def block(self, at: int, count: int) -> bytearray | None:
        """`count` samples from `at` on, counted from the beginning; None if there is nothing to be heard."""
        data = bytearray((count + _LONGEST) * self._width)
        filled = len(self._after)  # bytes
        data[:filled] = self._after
        self._after = bytearray()
        offset, end = self._begin + at, self._begin + at + count
        while self._next is not None and self._next.start < end:
            sample = self._next
            self._next = next(self._samples, None)
            if not (piece := self._decode(sample.data)):
                continue
            start = (sample.start - offset) * self._width
            if start < 0:  # before the beginning
                piece, start = piece[-start:], 0
            data[start : start + len(piece)] = piece
            filled = start + len(piece)
        if not filled:
            return None
        size = count * self._width
        self._after = data[size:filled]
        del data[size:]
        return data

    def _decode(self, packet: bytes) -> bytes:
        self._silent = self._silent + 1 if len(packet) <= _SILENT else 0
        if self._silent > _FADING:
            return b""
        try:
            frames = self._decoder.decode(av.Packet(packet))
        except FFmpegError:
            return b""
        return b"".join(bytes(frame.planes[0])[: frame.samples * self._width] for frame in frames)


class _Mixer:
    """Adds up; what is too loud then is cut off. It remembers nothing from one block to the next."""

    def __init__(self, count: int, layout: str) -> None:
        self._graph = Graph()
        self._inputs = [
            self._graph.add_abuffer(format="s16", sample_rate=RATE, layout=layout, time_base=Fraction(1, RATE))
            for _ in range(count)
        ]
        mix = self._graph.add("amix", f"inputs={count}:normalize=0:dropout_transition=0")
        form = self._graph.add("aformat", "sample_fmts=s16")
        sink = self._graph.add("abuffersink")
        for number, each in enumerate(self._inputs):
            each.link_to(mix, 0, number)
        mix.link_to(form)
        form.link_to(sink)
        self._graph.configure()
        self._sink = sink

    def mix(self, frames: list[AudioFrame]) -> AudioFrame:
        for each, frame in zip(self._inputs, frames, strict=True):
            each.push(frame)
        mixed = self._sink.pull()
        assert isinstance(mixed, AudioFrame)
        assert mixed.samples == frames[0].samples
        mixed.pts, mixed.time_base = frames[0].pts, Fraction(1, RATE)
        return mixed


def _decoder(channels: int) -> AudioCodecContext:
    """FFmpeg's own Opus decoder is a little faster, but holds some samples back where a sender changes its mode."""
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.extradata = b"OpusHead\x01" + bytes([channels, 0, 0]) + RATE.to_bytes(4, "little") + bytes(3)
    return decoder
