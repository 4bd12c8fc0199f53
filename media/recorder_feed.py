"""What goes from a worker to the recorder: tracks, packets and sender reports as frames of recording_link.py.

The connection is endpoint.py's; here is what it carries. While there is none, or the recorder is slow, frames wait for
10 s at most and the oldest packets are dropped first. A new connection hears of all tracks again before anything else.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable

from media import recording_link, rtp
from media.codecs import Codec
from media.messages import Kind, Record
from media.recording_link import Frame, FrameType, Report, Track
from media.rtcp import SenderReport

MAX_WAIT = 10.0  # seconds; a recorder that died is back within two
MAX_WAITING = 256 * 1024 * 1024  # bytes: 100 lessons at 2 Mb/s for these 10 s

# The recorder reads sound levels from RFC 6464 extensions, and publishers number extensions as they like.
AUDIO_LEVEL_ID = 1


class RecordedTrack:
    """One publication's way to the recorder."""

    __slots__ = ("_feed", "_handle", "_kind", "_level_id", "record", "track")

    def __init__(self, feed: RecorderFeed, handle: int, record: Record, kind: Kind) -> None:
        self.record = record
        self.track: Track | None = None  # what the recorder was told; None before the first packet
        self._feed = feed
        self._handle = handle
        self._kind = kind
        self._level_id = 0

    def announce(self, codec: Codec, level_id: int) -> None:
        """A stream begins; `level_id` is the publisher's number of the audio level extension, 0 for none."""
        record = self.record
        self._level_id = level_id
        self.track = Track(
            record.lesson_id,
            record.publication_id,
            record.participant,
            self._kind,
            record.source,
            record.lead,
            record.epoch_us,
            codec.name,
            codec.payload_type,
            codec.clock_rate,
            codec.channels,
            codec.fmtp,
        )
        self._feed._announce(self._handle, self.track)

    def packet(self, packet: rtp.Packet, now: float) -> None:
        level = packet.extensions.get(self._level_id, b"") if self._level_id else b""
        extensions = [(AUDIO_LEVEL_ID, level)] if len(level) == 1 else []
        self._feed._packet(self._handle, packet.plain(extensions), now)

    def report(self, report: SenderReport, now: float, rtt: float | None) -> None:
        self._feed._report(self._handle, report, now, rtt)

    def end(self) -> None:
        self._feed._end(self._handle)
        self.track = None


class RecorderFeed:
    """All tracks of a worker. `wall_offset` added to `now` gives seconds since 1970."""

    def __init__(
        self, wall_offset: float, key_frame_wanted: Callable[[str, bool], None], counters: Counter[str]
    ) -> None:
        self._wall_offset = wall_offset
        self._key_frame_wanted = key_frame_wanted  # takes a publication id, and whether it is for a loss
        self._counters = counters
        self._handles = itertools.count(1)
        self._tracks: dict[int, Track] = {}
        self._reports: dict[int, bytes] = {}  # the last of each track, for a recorder that knows nothing yet
        self._waiting: deque[tuple[float | None, bytes]] = deque()  # since when, None: not to be dropped; frame
        self._size = 0  # bytes waiting
        self._oldest: float | None = None  # since when the first of those that may be dropped waits
        self._reader = recording_link.Reader()

    def track(self, record: Record, kind: Kind) -> RecordedTrack:
        """A publication to be recorded; nothing is sent before it is announced."""
        return RecordedTrack(self, next(self._handles), record, kind)

    # ── the connection ────────────────────────────────────────────────────────────────────────────────────────────

    def connected(self) -> bytes:
        """A new connection: what to say on it first. What was waiting goes after it.

        With each track goes its last sender report, so that it is placed on the lesson clock with its first packet.
        """
        self._reader = recording_link.Reader()
        # Announcements that wait would come twice, and packets of a track that ended meanwhile have no handle.
        known = self._tracks.keys()
        self._keep(deque(it for it in self._waiting if it[0] is not None and _handle(it[1]) in known))
        return b"".join(
            recording_link.pack_track(handle, track) + self._reports.get(handle, b"")
            for handle, track in self._tracks.items()
        )

    def disconnected(self) -> None:
        """The connection is lost: what waits for the next one should soon begin with key frames, or it is of no use.

        It is asked for as for somebody who joins: the one for the next segment may have come just before, and two
        seconds until another is granted for a loss would all be missing.
        """
        for track in self._tracks.values():
            if track.kind == "video":
                self._key_frame_wanted(track.publication_id, False)

    def take(self) -> bytes:
        """All that waits, to be sent now."""
        if not self._waiting:
            return b""
        data = b"".join(frame for _, frame in self._waiting)
        self._keep(deque())
        return data

    def receive(self, data: bytes) -> None:
        """Bytes from the recorder. Raises LinkError for what is not its protocol."""
        for frame in self._reader.feed(data):
            self._obey(frame)

    def _obey(self, frame: Frame) -> None:
        track = self._tracks.get(frame.handle)
        if frame.type is FrameType.KEYFRAME and track is not None:
            self._key_frame_wanted(track.publication_id, True)

    # ── the tracks ────────────────────────────────────────────────────────────────────────────────────────────────

    def _announce(self, handle: int, track: Track) -> None:
        self._tracks[handle] = track
        self._put(recording_link.pack_track(handle, track), None)

    def _packet(self, handle: int, packet: bytes, now: float) -> None:
        self._put(recording_link.pack_rtp(handle, self._micros(now), packet), now)

    def _report(self, handle: int, report: SenderReport, now: float, rtt: float | None) -> None:
        described = Report(self._micros(now), report.ntp, report.rtp, int((rtt or 0) * 1e6), report.ssrc)
        self._reports[handle] = frame = recording_link.pack_report(handle, described)
        self._put(frame, now)

    def _end(self, handle: int) -> None:
        self._reports.pop(handle, None)
        if self._tracks.pop(handle, None) is not None:
            self._put(recording_link.pack(FrameType.END, handle), None)

    def _micros(self, now: float) -> int:
        return int((now + self._wall_offset) * 1e6)

    def _put(self, frame: bytes, now: float | None) -> None:
        self._waiting.append((now, frame))
        self._size += len(frame)
        if now is None:
            return
        if self._oldest is None:
            self._oldest = now
        if self._size > MAX_WAITING or now - self._oldest > MAX_WAIT:
            self._drop(now)

    def _drop(self, now: float) -> None:
        """Let the oldest packets go, a second's worth at once; announcements and ends stay, in order."""
        kept: deque[tuple[float | None, bytes]] = deque()
        limit, size = now - MAX_WAIT + 1.0, self._size
        for since, frame in self._waiting:
            if since is not None and (since < limit or size > MAX_WAITING * 7 // 8):
                size -= len(frame)
                self._counters["dropped_recorder_slow"] += 1
            else:
                kept.append((since, frame))
        self._keep(kept)

    def _keep(self, waiting: deque[tuple[float | None, bytes]]) -> None:
        self._waiting = waiting
        self._size = sum(len(frame) for _, frame in waiting)
        self._oldest = next((since for since, _ in waiting if since is not None), None)


def _handle(frame: bytes) -> int:
    return int.from_bytes(frame[5:9], "big")
