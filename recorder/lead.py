"""The lead teacher's camera and microphone as one presentation: `master.m3u8` and, for the last seconds, `live.m3u8`.

A teacher who reconnects publishes anew, in new tracks. Here their parts follow each other in one camera and one
microphone playlist that begin within a second of each other. Where no picture was, there is a gap; where no sound was,
silence, so that sound never stops a player.
"""

from __future__ import annotations

from pathlib import Path

from recorder import boxes, opus, playlists
from recorder.files import PlaylistFile, replace
from recorder.formats import OPUS
from recorder.inits import Inits, Named
from recorder.manifest import TrackEntry
from recorder.parts import JOURNAL, Part, read_parts, write_journal
from recorder.playlists import MediaPlaylist, Variant

CAMERA_RATE = 90_000  # ticks per second of every video track
SILENCE = "silence"  # folder of the segments that stand where no microphone was
CAMERA_LIST, SOUND_LIST = "lead-camera.m3u8", "lead-microphone.m3u8"
LIVE_CAMERA_LIST, LIVE_SOUND_LIST = "live-camera.m3u8", "live-microphone.m3u8"
MASTER, LIVE = "master.m3u8", "live.m3u8"

TARGET_S = 7  # of both lists: to a segment counts what little is missing before it

_SOUND_LAG_S = 15  # behind the camera before we put silence in; a microphone's parts come later than their beginning
_QUIET_LAG_S = 1  # the same while no microphone is on air: sound that comes then is younger
_SEGMENT_S = 6
_JOIN_S = 0.1  # parts this near to each other are taken as joined


class LeadPlaylists:
    def __init__(self, folder: Path, epoch_us: int) -> None:
        self._folder = folder
        self._epoch_us = epoch_us
        self.camera_on_air = self.microphone_on_air = True  # so that they are to be waited for
        self._camera = MediaPlaylist(epoch_us, TARGET_S)
        self._sound = MediaPlaylist(epoch_us, TARGET_S)
        self._camera_file = PlaylistFile(folder / CAMERA_LIST, self._camera)
        self._sound_file = PlaylistFile(folder / SOUND_LIST, self._sound)
        self._inits = Inits(folder)
        self._begin_ms: int | None = None  # lesson time where the first of both lists begins
        self._camera_end = 0  # ticks
        self._sound_end = 0
        self._shown: TrackEntry | None = None  # the first camera in the list
        self._codecs: list[str] = []  # of all that were
        self._peak = 0  # bits per second
        self._masters: tuple[str, str] | None = None
        # Lists that are published may only grow, so a resumed lesson has silence again just where it was.
        known = read_parts(folder / SILENCE)
        if known:
            write_journal(folder / SILENCE, None, known)  # without a torn end
        self._known_silence = {part.start: part.duration for part in known}

    def add(self, entry: TrackEntry, part: Part, begin_ms: int) -> None:
        """A finished part of a lead track; `begin_ms` is where the first of them began. Raises OSError."""
        self._take(entry, part, begin_ms, True)

    def begin(self, entry: TrackEntry, part: Part, begin_ms: int) -> None:
        """The same of a part that is still being written, as far as it is. Raises OSError."""
        self._take(entry, part, begin_ms, False)

    def _take(self, entry: TrackEntry, part: Part, begin_ms: int, finished: bool) -> None:
        if not part.media or not part.init:
            return  # holes show when media follow; WebM has no place in HLS
        if self._begin_ms is None:
            self._begin_ms = begin_ms
            self._camera_end = begin_ms * CAMERA_RATE // 1000
            self._sound_end = begin_ms * opus.RATE // 1000
        prefix = f"tracks/{entry.folder}/"
        named = self._inits.named_for(prefix + part.init, entry.codec)
        if entry.kind == "video":
            self._take_camera(entry, part, prefix, named, finished)
        else:
            self._take_sound(part, prefix, named, finished)

    def write(self, ended: bool) -> None:
        """Bring the files up to date. Raises OSError."""
        if self._begin_ms is None:
            return
        if ended:
            self._silence(self._camera_end * opus.RATE // CAMERA_RATE)
        for playlist, file in ((self._camera, self._camera_file), (self._sound, self._sound_file)):
            if not playlist.empty:
                file.write(ended)
        self.write_live(ended)
        if not ended and self._masters is None and self._incomplete():
            return  # players read a master playlist once: it must have both from the beginning
        masters = self._draw_master(CAMERA_LIST, SOUND_LIST), self._draw_master(LIVE_CAMERA_LIST, LIVE_SOUND_LIST)
        if masters != self._masters:
            replace(self._folder / MASTER, masters[0])
            replace(self._folder / LIVE, masters[1])
            self._masters = masters

    def write_live(self, ended: bool) -> None:
        """Bring the sliding lists up to date. Raises OSError."""
        for playlist, live in ((self._camera, LIVE_CAMERA_LIST), (self._sound, LIVE_SOUND_LIST)):
            if not playlist.empty:
                replace(self._folder / live, playlist.window(ended))

    def _take_camera(self, entry: TrackEntry, part: Part, prefix: str, named: Named, finished: bool) -> None:
        if part.start < self._camera_end - int(_JOIN_S * CAMERA_RATE):
            return  # of another camera at the same time; the list stays with the one it has
        self._gap(entry, part.start)
        if self._camera.empty:  # less than a second after the sound: it begins where it does, and EXTINF says no more
            self._camera_end = part.start
        lead_in = part.start - self._camera_end
        if finished:
            self._camera.add(part, CAMERA_RATE, named.codec, prefix, lead_in, named.init)
            self._camera_end = part.end
            self._show(entry)
            self._peak = max(self._peak, part.size * 8 * CAMERA_RATE // part.duration)
        else:
            self._camera.begin(part, CAMERA_RATE, named.codec, prefix, lead_in, named.init)
        lag_s = _SOUND_LAG_S if self.microphone_on_air else _QUIET_LAG_S
        self._silence(part.end * opus.RATE // CAMERA_RATE - lag_s * opus.RATE)

    def _gap(self, entry: TrackEntry, until: int) -> None:
        """Say that there is no picture up to `until`, where media come, unless that is soon."""
        join = int(_JOIN_S * CAMERA_RATE) if not self._camera.empty else CAMERA_RATE
        if until - self._camera_end <= join:
            return
        while self._camera_end < until:
            length = min(_SEGMENT_S * CAMERA_RATE, until - self._camera_end)
            self._camera.add(Part(self._camera_end, length), CAMERA_RATE, entry.codec)
            self._camera_end += length

    def _incomplete(self) -> bool:
        return (self._camera.empty and self.camera_on_air) or (self._sound.empty and self.microphone_on_air)

    def _show(self, entry: TrackEntry) -> None:
        if self._shown is None:
            self._shown = entry
        if entry.codecs and entry.codecs not in self._codecs:
            self._codecs.append(entry.codecs)

    def _take_sound(self, part: Part, prefix: str, named: Named, finished: bool) -> None:
        self._silence(self._sound_end)
        if part.start < self._sound_end - int(_JOIN_S * opus.RATE):
            return
        self._silence(part.start)
        lead_in = part.start - self._sound_end
        if finished:
            self._sound.add(part, opus.RATE, named.codec, prefix, lead_in, named.init)
            self._sound_end = part.end
        else:
            self._sound.begin(part, opus.RATE, named.codec, prefix, lead_in, named.init)

    def _silence(self, until: int) -> None:
        """Fill the sound list up to `until`, but for less than a packet."""
        while True:
            length = self._known_silence.pop(self._sound_end, 0)
            if not length:
                length = min(until - self._sound_end, _SEGMENT_S * opus.RATE)
                if length < 960:
                    return
                part = self._write_silence(self._sound_end, length)
                with (self._folder / SILENCE / JOURNAL).open("a") as journal:
                    journal.write(part.to_line())
            else:
                part = self._write_silence(self._sound_end, length)
            named = self._inits.named_for(f"{SILENCE}/{part.init}", "Opus")
            self._sound.add(part, opus.RATE, named.codec, f"{SILENCE}/", 0, named.init)
            self._sound_end = part.end

    def _write_silence(self, start: int, length: int) -> Part:
        folder = self._folder / SILENCE
        if not folder.exists():
            folder.mkdir()
            (folder / "init.mp4").write_bytes(boxes.init_segment(OPUS.entry, opus.RATE))
        packets = opus.silence(length)
        durations = [duration for duration, _ in packets]
        media = [packet for _, packet in packets]
        data = boxes.fragment(1, start, durations, [len(packet) for packet in media], (), b"".join(media))
        name = f"seg-{start}.m4s"
        (folder / name).write_bytes(data)
        return Part(start, sum(durations), name, "init.mp4", 0, len(data))

    def _draw_master(self, camera: str, sound: str) -> str:
        variant = None
        if not self._camera.empty and self._shown is not None:
            # Rounded up in steps, so that the file changes rarely.
            bandwidth = (self._peak // 500_000 + 1) * 500_000 + 100_000
            codecs = ",".join(self._codecs)
            variant = Variant(camera, codecs, self._shown.width, self._shown.height, bandwidth)
        return playlists.master(variant, None if self._sound.empty else sound)
