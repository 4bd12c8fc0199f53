"""Two workers without sockets: a teacher at one, viewers at the other, which pulls; see flow.py for the worlds."""

from __future__ import annotations

from collections.abc import Callable

from media.messages import Done, Held, Kind, ListHeld, Pull
from media.relay_origin import Follower
from media.relay_pull import Source
from tests.support.flow import H264_DELTA, Browser, World

CAMERA, MICROPHONE = "teacher-1", "teacher-0"  # publications


class Pair:
    """A teacher, made by `teacher`, at one worker, viewers at the other, and the connection between the two."""

    def __init__(self, teacher: Callable[[World], Browser] = World.publisher) -> None:
        self.origin = World()
        self.other = World()
        self.other.worker.relay.dial = self._connect
        self.teacher = teacher(self.origin)
        self.connections = 0
        self.unsent = 0  # bytes that the other worker seems not to have read
        self._to_origin: list[bytes] = []
        self._to_other: list[bytes] = []
        self._follower: Follower | None = None
        self._source: Source | None = None

    def _connect(self, source: Source) -> None:
        self.connections += 1
        self._follower = self.origin.worker.relay.follow(self._to_other.append, lambda: self.unsent)
        self._source = source
        source.connected(self._to_origin.append)

    def reconnect(self) -> None:
        """The connection is lost and made again."""
        assert self._follower is not None
        assert self._source is not None
        self.origin.worker.relay.leave(self._follower, self.origin.now)
        self._source.lost()
        self._to_origin.clear()
        self._to_other.clear()
        self._connect(self._source)
        self.settle()

    def settle(self) -> None:
        """Until nobody has anything left to say at this moment."""
        for _ in range(10):
            self.origin.settle()
            self.deliver()
            self.other.settle()

    def deliver(self) -> int:
        """Take over what was written; how many bytes came from the origin."""
        if self._follower is None or self._source is None:
            return 0
        out, self._to_other[:] = b"".join(self._to_other), []
        if out:
            self._source.receive(out, self.other.now)
        back, self._to_origin[:] = b"".join(self._to_origin), []
        if back:
            self._follower.receive(back, self.origin.now)
        return len(out)

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            for world in (self.origin, self.other):
                world.pass_time(0.02)
            self.settle()

    def pull(self, *publication_ids: str) -> None:
        for publication_id in publication_ids:
            kind: Kind = "audio" if publication_id == MICROPHONE else "video"
            assert self.other.worker.handle(Pull(publication_id, kind, "origin"), self.other.now) == Done()
        self.settle()

    def show(self, sequence: int, payload: bytes = H264_DELTA) -> None:
        self.teacher.show(sequence, payload)
        self.settle()

    def held(self) -> Held:
        held = self.other.worker.handle(ListHeld(), self.other.now)
        assert isinstance(held, Held)
        return held
