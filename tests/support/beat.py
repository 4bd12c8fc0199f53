"""Pictures that carry their time and a beep on every full second: what an archive made of them is, its files tell.

A page with `SOURCE` publishes camera and screen of timecode.py and, instead of its microphone, a tone of 100 ms at each
full second of the page's clock. `pictures` and `beeps` read from an archived track how late what it shows and sounds
stands: its place on the lesson clock less the time that it carries.
"""

from __future__ import annotations

import io
import math
from array import array
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import av

from tests.recorder.watch import entries
from tests.support import timecode

# WebAudio's time goes by the sound card, which is not the clock that the pictures show: looked at again and again.
_BEEP = """
(() => {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const open = devices.getUserMedia.bind(devices);
  const beeping = () => {
    const context = new AudioContext({sampleRate: 48000, latencyHint: 0});
    const out = context.createMediaStreamDestination();
    const tone = context.createOscillator(), gain = context.createGain();
    tone.frequency.value = 1000;
    gain.gain.value = 0;
    tone.connect(gain).connect(out);
    tone.start();
    context.resume();
    const looks = [];
    let last = 0;
    const look = () => {
      const now = Date.now() / 1000;
      looks.push(now - context.currentTime);
      if (looks.length > 200) looks.shift();
      if (looks.length < 40) return;
      const next = Math.ceil(now + 0.3), at = next - Math.min(...looks);
      if (next === last || at < context.currentTime) return;
      last = next;
      gain.gain.setValueAtTime(0.5, at);
      gain.gain.setValueAtTime(0, at + 0.1);
    };
    setInterval(look, 50);
    window.__beeping = context;  // else it is collected as garbage
    return out.stream.getAudioTracks()[0];
  };
  devices.getUserMedia = async (wanted) => {
    const stream = wanted.video ? await open({video: wanted.video}) : new MediaStream();
    if (wanted.audio) stream.addTrack(beeping());
    return stream;
  };
})();
"""
# The stream of a canvas notes a time of its own for each picture, up to a picture's time before it was drawn. Here each
# is made a frame as it is drawn.
_STREAM = "return canvas.captureStream(rate).getVideoTracks()[0];"
_FRAMES = """
    const generator = new MediaStreamTrackGenerator({kind: "video"}), writer = generator.writable.getWriter();
    setInterval(() => {
      draw(context);
      writer.write(new VideoFrame(canvas, {timestamp: Math.round(performance.now() * 1000)}));
    }, 1000 / rate);
    return generator;
"""
SOURCE = timecode.SOURCE.replace("setInterval(() => draw(context), 1000 / rate);", "").replace(_STREAM, _FRAMES) + _BEEP

_STEP = 120  # samples of 48 kHz: how finely the beginning of a beep is looked for, 2.5 ms
_LOUD = 0.05  # of full scale; a beep has half of it
_QUIET = 80  # steps of silence before a beep


def pictures(playlist: Path) -> Iterator[tuple[float, float]]:
    """Of each picture: its place on the lesson clock, seconds, and the time that it shows, seconds since 1970."""
    for data in _streams(playlist):
        with av.open(io.BytesIO(data), "r") as container:
            for frame in container.decode(video=0):
                shown = timecode.shown(bytes(frame.planes[0]), frame.planes[0].line_size, frame.width, frame.height)
                if shown is not None and frame.time is not None:
                    yield frame.time, shown / 1000


def beeps(playlist: Path) -> Iterator[float]:
    """Where beeps begin on the lesson clock, seconds."""
    quiet = 0
    for data in _streams(playlist):
        with av.open(io.BytesIO(data), "r") as container:
            for frame in container.decode(audio=0):
                samples = array("f", bytes(frame.planes[0])[: 4 * frame.samples])
                assert frame.time is not None
                for at in range(0, len(samples), _STEP):
                    if max(samples[at : at + _STEP]) < _LOUD:
                        quiet += 1
                        continue
                    if quiet > _QUIET:
                        yield frame.time + at / frame.sample_rate
                    quiet = 0


def since_the_second(instant: float) -> float:
    """How long after the nearest full second, or (negative) before it, an instant is."""
    return instant - math.floor(instant + 0.5)


def _streams(playlist: Path) -> Iterator[bytes]:
    """What a media playlist lists, as files that can be decoded: one for each run of parts with one beginning."""
    media = [entry for entry in entries(playlist) if not entry.gap]
    for init, run in groupby(media, key=lambda entry: entry.init):
        parts = [playlist.parent / init, *(playlist.parent / entry.uri for entry in run)]
        yield b"".join(part.read_bytes() for part in parts)
