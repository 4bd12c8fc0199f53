"""The sound of a film as a microphone's track: Opus without a gap, and its levels."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from operator import mul
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from recorder.formats import OPUS
from recorder.levels import LevelLog
from recorder.opus import RATE
from recorder.playlists import TARGET_S
from recorder.segments import SegmentWriter

PACKET = 960  # ticks: 20 ms
DELAY = 312  # ticks that libopus is behind; the archive's Opus has no pre-skip, so the times hold it
STEP_S = 0.1  # by how much a film's sound may run ahead or behind before silence is put in or sound left out
VOICE = 50  # dB below full scale; louder is called a voice in the levels, as senders do
_BITRATE = {"mono": 64_000, "stereo": 128_000}


def encode(
    container: InputContainer,
    stream: AudioStream,
    zero: float,
    writer: SegmentWriter,
    levels: Path,
    told: Callable[[float], None],
) -> None:
    """Write the film's sound, and its levels to a file; second `zero` of the film is the lesson clock's zero.

    Raises OSError.
    """
    layout = "mono" if stream.codec_context.channels == 1 else "stereo"
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = RATE, layout, "s16"
    encoder.bit_rate, encoder.options = _BITRATE[layout], {"application": "audio", "frame_duration": "20"}
    writer.set_format(OPUS)
    first, log, count = 0, None, 0

    def take(packets: list[av.Packet]) -> None:  # type: ignore[type-arg]
        nonlocal count
        for packet in packets:
            start = first + count * PACKET - DELAY
            count += 1
            if start < 0:
                continue  # what the encoder puts before the first sample
            begun = writer.begun
            if begun is not None and start + PACKET - begun > TARGET_S * RATE:
                writer.cut()
            writer.add(start, PACKET, bytes(packet), True)

    for start, frame in _packets(_even(container, stream, layout, zero, told)):
        if log is None:
            first, log = start, LevelLog(levels, start, start)
        log.add(start + PACKET, level(bytes(frame.planes[0])[: PACKET * 2 * len(frame.layout.channels)]))
        frame.pts = None
        take(encoder.encode(frame))
    if log is not None:
        take(encoder.encode(None))
        log.flush()
    writer.cut()


def level(samples: bytes) -> int:
    """The level of 16-bit samples as RFC 6464 has it: dB below full scale, and a bit for what may be a voice."""
    values = array("h", samples)
    power = sum(map(mul, values, values)) / max(1, len(values))
    below = min(127, round(-10 * math.log10(power / 32768**2))) if power else 127
    return below | (0x80 if below < VOICE else 0)


def _even(
    container: InputContainer, stream: AudioStream, layout: str, zero: float, told: Callable[[float], None]
) -> Iterator[tuple[int, AudioFrame]]:
    """The sound at 48 kHz, each piece where the one before ends: silence for holes, nothing twice."""
    resampler = AudioResampler("s16", layout, RATE)
    at: int | None = None
    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except av.FFmpegError:
            continue  # damaged: what is missing becomes silence
        for frame in decoded:
            begin = round((frame.time - zero) * RATE) if frame.time is not None else at or 0
            told(begin / RATE)  # before there is silence for the time until then
            if at is None:
                at = max(0, begin)
            ahead = begin - at
            if ahead > STEP_S * RATE:
                yield at, _silence(layout, ahead)
                at = begin
            elif -ahead > STEP_S * RATE:
                continue
            for even in resampler.resample(frame):
                yield at, even
                at += even.samples
    for even in resampler.resample(None):
        yield at or 0, even
        at = (at or 0) + even.samples


def _packets(pieces: Iterator[tuple[int, AudioFrame]]) -> Iterator[tuple[int, AudioFrame]]:
    """The same in frames of 20 ms, the last one filled up with silence."""
    fifo = AudioFifo()
    at = 0
    last: AudioFrame | None = None
    for start, piece in pieces:
        if last is None:
            at = start
        piece.pts = None
        fifo.write(piece)
        last = piece
        for frame in fifo.read_many(PACKET):
            yield at, frame
            at += PACKET
    if last is not None and fifo.samples:
        fifo.write(_silence(last.layout.name, PACKET - fifo.samples))
        for frame in fifo.read_many(PACKET):
            yield at, frame


def _silence(layout: str, samples: int) -> AudioFrame:
    frame = AudioFrame("s16", layout, samples)
    frame.sample_rate = RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
