"""The lead teacher's camera and microphone as one presentation: `master.m3u8` and, for the last seconds, `live.m3u8`.

A teacher who reconnects publishes anew, in new tracks. Here their parts follow each other in one camera and one
microphone playlist that begin together. Where no picture was, there is a gap; where no sound was, silence, so that
sound never stops a player.
"""

from __future__ import annotations

from pathlib import Path

from recorder import boxes, opus, playlists
from recorder.files import PlaylistFile, replace
from recorder.formats import OPUS
from recorder.manifest import TrackEntry
from recorder.parts import Part
from recorder.playlists import MediaPlaylist, Variant

CAMERA_RATE = 90_000  # ticks per second of every video track
SILENCE = "silence"  # folder of the segments that stand where no microphone was
CAMERA_LIST, SOUND_LIST = "lead-camera.m3u8", "lead-microphone.m3u8"
LIVE_CAMERA_LIST, LIVE_SOUND_LIST = "live-camera.m3u8", "live-microphone.m3u8"
MASTER, LIVE = "master.m3u8", "live.m3u8"

_SOUND_LAG_S = 15  # behind the camera before we put silence in; a microphone's parts come later than their beginning
_SEGMENT_S = 6
_JOIN_S = 0.1  # parts this near to each other are taken as joined


class LeadPlaylists:
    def __init__(self, folder: Path, epoch_us: int) -> None:
        self._folder = folder
        self._epoch_us = epoch_us
        self._camera = MediaPlaylist(epoch_us)
        self._sound = MediaPlaylist(epoch_us)
        self._camera_file = PlaylistFile(folder / CAMERA_LIST, self._camera)
        self._sound_file = PlaylistFile(folder / SOUND_LIST, self._sound)
        self._begin_ms: int | None = None  # lesson time where both lists begin
        self._camera_end = 0  # ticks
        self._sound_end = 0
        self._shown: TrackEntry | None = None  # the camera in the list
        self._peak = 0  # bits per second
        self._masters: tuple[str, str] | None = None

    def add(self, entry: TrackEntry, part: Part, begin_ms: int) -> None:
        """A finished part of a lead track; `begin_ms` is where the first of them began. Raises OSError."""
        if not part.media or not part.init:
            return  # holes show when media follow; WebM has no place in HLS
        if self._begin_ms is None:
            self._begin_ms = begin_ms
            self._camera_end = begin_ms * CAMERA_RATE // 1000
            self._sound_end = begin_ms * opus.RATE // 1000
        prefix = f"tracks/{entry.folder}/"
        if entry.kind == "video":
            self._add_camera(entry, part, prefix)
        else:
            self._add_sound(part, prefix)

    def write(self, ended: bool) -> None:
        """Bring the files up to date. Raises OSError."""
        if self._begin_ms is None:
            return
        if ended:
            self._silence(self._camera_end * opus.RATE // CAMERA_RATE)
        for playlist, file, live in (
            (self._camera, self._camera_file, LIVE_CAMERA_LIST),
            (self._sound, self._sound_file, LIVE_SOUND_LIST),
        ):
            if not playlist.empty:
                file.write(ended)
                replace(self._folder / live, playlist.window(ended))
        masters = self._draw_master(CAMERA_LIST, SOUND_LIST), self._draw_master(LIVE_CAMERA_LIST, LIVE_SOUND_LIST)
        if masters != self._masters:
            replace(self._folder / MASTER, masters[0])
            replace(self._folder / LIVE, masters[1])
            self._masters = masters

    def _add_camera(self, entry: TrackEntry, part: Part, prefix: str) -> None:
        join = int(_JOIN_S * CAMERA_RATE)
        hole = part.start - self._camera_end
        if hole < -join:
            return  # of another camera at the same time; the list stays with the one it has
        lead_in = hole
        if hole > (join if not self._camera.empty else CAMERA_RATE):
            lead_in = 0
            at = self._camera_end
            while at < part.start:
                length = min(_SEGMENT_S * CAMERA_RATE, part.start - at)
                self._camera.add(Part(at, length), CAMERA_RATE, entry.codec)
                at += length
        self._camera.add(part, CAMERA_RATE, entry.codec, prefix, lead_in)
        self._camera_end = part.end
        if self._shown is None:
            self._shown = entry
        self._peak = max(self._peak, part.size * 8 * CAMERA_RATE // part.duration)
        self._silence(part.end * opus.RATE // CAMERA_RATE - _SOUND_LAG_S * opus.RATE)

    def _add_sound(self, part: Part, prefix: str) -> None:
        if part.start < self._sound_end - int(_JOIN_S * opus.RATE):
            return
        self._silence(part.start)
        self._sound.add(part, opus.RATE, "opus", prefix, part.start - self._sound_end)
        self._sound_end = part.end

    def _silence(self, until: int) -> None:
        """Fill the sound list up to `until`, but for less than a packet."""
        folder = self._folder / SILENCE
        while until - self._sound_end >= 960:
            if not folder.exists():
                folder.mkdir()
                (folder / "init.mp4").write_bytes(boxes.init_segment(OPUS.entry, opus.RATE))
            start = self._sound_end
            packets = opus.silence(min(until - start, _SEGMENT_S * opus.RATE))
            durations = [duration for duration, _ in packets]
            media = [packet for _, packet in packets]
            data = boxes.fragment(1, start, durations, [len(packet) for packet in media], (), b"".join(media))
            path = folder / f"seg-{start}.m4s"
            path.write_bytes(data)
            part = Part(start, sum(durations), path.name, "init.mp4")
            self._sound.add(part, opus.RATE, "opus", f"{SILENCE}/")
            self._sound_end = part.end

    def _draw_master(self, camera: str, sound: str) -> str:
        variant = None
        if not self._camera.empty and self._shown is not None:
            # Rounded up in steps, so that the file changes rarely.
            bandwidth = (self._peak // 500_000 + 1) * 500_000 + 100_000
            variant = Variant(camera, self._shown.codecs, self._shown.width, self._shown.height, bandwidth)
        return playlists.master(variant, None if self._sound.empty else sound)
