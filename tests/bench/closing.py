"""How long after the end of a long lesson it can be replayed, and what closing it costs the recorder.

    python -m tests.bench.closing [--hours H] [--classes N]

A lesson of three hours is made by a script: a teacher's camera and microphone cut into segments of two seconds, as when
someone watches by HTTP all the time, a screen, and classes with camera and microphone. Then a recorder resumes it,
records a few seconds more and closes it. Segments are small: closing must not read any, so those of the screen are gone
then.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from recorder import boxes, opus
from recorder.describe import describe
from recorder.formats import OPUS, Format
from recorder.levels import LEVELS
from recorder.manifest import Manifest, TrackEntry, write_manifest
from recorder.messages import Closed
from recorder.parts import Part, begin_journal, init_part
from recorder.playlists import TARGET_S
from recorder.stored_track import TRACKS, playlist_of
from tests.recorder.source import publication, sound
from tests.recorder.virtual import VirtualRecorder

BEGIN = 1_700_000_000_000_000
MOST = 1.0  # seconds from the end of a lesson until it is ready
H264 = Format("avc1.42e01f", boxes.video_entry(b"avc1", 1280, 720, boxes.box(b"avcC", bytes(7))), 1280, 720)
MORE = 6  # seconds that are really recorded


@dataclass(frozen=True, slots=True)
class Closing:
    hours: float
    tracks: int
    segments: int
    resumed_ms: float
    closed_ms: float
    described_ms: float
    manifest_mb: float

    @property
    def kept(self) -> bool:
        return self.closed_ms <= MOST * 1000

    def __str__(self) -> str:
        return (
            f"a lesson of {self.hours:g} h, {self.tracks} tracks, {self.segments} segments: resumed in "
            f"{self.resumed_ms:.0f} ms, ready {self.closed_ms:.0f} ms after its end, described in "
            f"{self.described_ms:.0f} ms, manifest {self.manifest_mb:.1f} MB: {'kept' if self.kept else 'MISSED'}"
        )


def make(archive: Path, hours: float, classes: int) -> tuple[int, int]:
    """An open lesson of so many hours; how many tracks and segments it has."""
    folder = archive / "lesson"
    tracks = [("t-c", "t-1", "camera", 2), ("t-m", "t-1", "microphone", 2), ("t-s", "t-1", "screen", TARGET_S)]
    for number in range(classes):
        who = f"c-{number}"
        tracks += [(f"{who}-c", who, "camera", TARGET_S), (f"{who}-m", who, "microphone", TARGET_S)]
    entries = []
    for name, who, source, _ in tracks:
        codec, rate, kind = ("opus", opus.RATE, "audio") if source == "microphone" else ("H264", 90_000, "video")
        form = OPUS if kind == "audio" else H264
        lead, playlist = who == "t-1", playlist_of(name, codec)
        entry = TrackEntry(
            name, name, who, kind, source, lead, codec, rate, playlist, form.codecs, form.width, form.height
        )
        entries.append((entry, form))
    manifest = Manifest("lesson", BEGIN, "a long lesson", tracks=[entry for entry, _ in entries])
    (archive / ".open").mkdir(parents=True)
    (archive / ".open/lesson").touch()
    count = 0
    for (entry, form), (*_, segment_s) in zip(entries, tracks, strict=True):
        place = folder / TRACKS / entry.folder
        place.mkdir(parents=True)
        begin_journal(place, manifest, entry)
        head = boxes.init_segment(form.entry, entry.timescale, form.width, form.height)
        (place / "init-1.mp4").write_bytes(head)
        lines = [init_part("init-1.mp4", head, hashlib.sha256(head).hexdigest()).to_line()]
        length = segment_s * entry.timescale
        for number in range(int(hours * 3600) // segment_s):
            data = boxes.fragment(1, number * length, [length], [20], [boxes.KEY_FLAGS], b"\x55" * 20)
            path = place / f"seg-{number + 1:05}.m4s"
            path.write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            lines.append(Part(number * length, length, path.name, "init-1.mp4", 0, len(data), digest).to_line())
            count += 1
        with (place / "parts.jsonl").open("a") as journal:
            journal.writelines(lines)
        if entry.kind == "audio":
            (place / LEVELS).write_bytes(bytes(int(hours * 3600 * 50)))
    event = '{{"seq": {}, "at_ms": 0, "kind": "stroke", "actor": "t-1", "payload": "' + "x" * 200 + '"}}\n'
    (folder / "events.jsonl").write_text("".join(event.format(seq) for seq in range(1, int(hours * 5000))))
    write_manifest(folder, manifest)
    return len(tracks), count


def closing(hours: float, classes: int) -> Closing:
    """Make a lesson, and close it."""
    with tempfile.TemporaryDirectory(prefix="tongke-closing-") as name:
        archive = Path(name)
        tracks, segments = make(archive, hours, classes)
        at_us = BEGIN + int(hours * 3600e6)
        begun = time.perf_counter()
        recorder = VirtualRecorder(archive, at_us)
        resumed = time.perf_counter() - begun
        recorder.open("lesson")
        microphone = publication("lesson", "t-m", "opus", BEGIN, "microphone", handle=1)
        recorder.send(microphone.announce())
        recorder.play(at_us, microphone.stream(sound(MORE), at_us))
        for path in (archive / "lesson" / TRACKS / "t-s").glob("seg-*.m4s"):
            path.unlink()  # so that nobody can read them
        begun = time.perf_counter()
        reply = recorder.end("lesson")
        closed = time.perf_counter() - begun
        assert isinstance(reply, Closed), reply
        begun = time.perf_counter()
        assert describe(archive / "lesson")["status"] == "ready"
        described = time.perf_counter() - begun
        size = (archive / "lesson/manifest.json").stat().st_size
    return Closing(hours, tracks, segments, resumed * 1000, closed * 1000, described * 1000, size / 1e6)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.closing")
    parser.add_argument("--hours", type=float, default=3)
    parser.add_argument("--classes", type=int, default=10)
    given = parser.parse_args()
    row = closing(given.hours, given.classes)
    print(row)
    return 0 if row.kept else 1


if __name__ == "__main__":
    sys.exit(main())
