"""What a worker shares with the other workers of its machine: the tracks they pull, and those it pulls from them.

A lesson that has grown past one worker has its publishers at one and viewers at several. Each track goes to each
further worker once (relay_origin.py) and is fanned out there like its own (relay_pull.py); the sockets are in
relay_sockets.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from media.messages import Pull
from media.publication import Publication
from media.relay_origin import Follower, Unsent, Write
from media.relay_pull import Pulled, Source


class Relay:
    """See above. `publications` are the worker's own, by id. Times are seconds, monotonic."""

    def __init__(self, publications: Mapping[str, Publication], wall_offset: float, counters: Counter[str]) -> None:
        self.path: str | None = None  # where others pull ours; None: nowhere
        self.dial: Callable[[Source], None] | None = None  # connects a source until it is empty
        self.told: Callable[[Pulled], None] = lambda _: None  # it is known now what a pulled publication consists of
        self._publications = publications
        self._wall_offset = wall_offset
        self._counters = counters
        self._followers: dict[Follower, None] = {}
        self._sources: dict[str, Source] = {}  # by path
        self._pulled: dict[str, tuple[Source, Pulled]] = {}  # by publication id

    # ── what is pulled ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def pulled(self) -> tuple[str, ...]:
        """The ids of what is pulled."""
        return tuple(self._pulled)

    @property
    def publications(self) -> list[Pulled]:
        return [pulled for _, pulled in self._pulled.values()]

    def find(self, publication_id: str) -> Pulled | None:
        known = self._pulled.get(publication_id)
        return known[1] if known is not None else None

    def pull(self, request: Pull) -> bool:
        """Have a publication of another worker; False if there is no way to any. Asking twice is harmless."""
        if self.dial is None:
            return False
        if request.publication_id in self._pulled:
            return True
        source = self._sources.get(request.origin)
        if source is None:
            source = self._sources[request.origin] = Source(
                request.origin, self._wall_offset, self._counters, lambda pulled: self.told(pulled), self._ended
            )
        fresh = source.empty
        self._pulled[request.publication_id] = source, source.pull(request.publication_id, request.kind)
        if fresh:
            self.dial(source)
        return True

    def release(self, publication_id: str) -> bool:
        """Have it no longer; False if it was not pulled."""
        known = self._pulled.pop(publication_id, None)
        if known is None:
            return False
        source, pulled = known
        source.release(pulled)
        self._tidy(source)
        return True

    # ── what others pull ──────────────────────────────────────────────────────────────────────────────────────────

    def follow(self, write: Write, unsent: Unsent) -> Follower:
        """Another worker has connected."""
        follower = Follower(self._publications, write, unsent, self._counters)
        self._followers[follower] = None
        return follower

    def leave(self, follower: Follower, now: float) -> None:
        """It is gone. Leaving twice is harmless."""
        self._followers.pop(follower, None)
        follower.leave(now)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def flush_out(self, now: float) -> None:
        """Give others what came: before our own viewers get it, which takes longer."""
        for follower in self._followers:
            follower.flush(now)

    def flush_in(self, now: float) -> None:
        """Forward what came from others."""
        for source in self._sources.values():
            source.flush(now)

    def tick(self, now: float) -> None:
        """Every 20 ms."""
        for follower in self._followers:
            follower.tick(now)
        for source in self._sources.values():
            source.tick(now)

    def close(self) -> None:
        """Have nothing of others any longer."""
        for publication_id in self.pulled:
            self.release(publication_id)

    def _ended(self, pulled: Pulled) -> None:
        source, _ = self._pulled.pop(pulled.publication_id)
        self._tidy(source)

    def _tidy(self, source: Source) -> None:
        if source.empty and self._sources.get(source.path) is source:
            del self._sources[source.path]
