"""Tells the observers which publications are part of the lesson: from `started` on, as soon as a worker has them.

A class's camera on the teachers' wall is none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from signaling.observers import LivePublication
from signaling.state import RoomState
from signaling.transport import Transport
from signaling.wall import on_wall
from signaling.workers import Worker


class Audience(Protocol):
    """Who passes it on."""

    def publication_added(self, publication: LivePublication, worker: Worker) -> None: ...

    def publication_removed(self, publication_id: str, worker: Worker) -> None: ...


class Announcements:
    def __init__(self, state: RoomState, audience: Audience) -> None:
        self._state = state
        self._audience = audience
        self._told: dict[str, Worker] = {}  # publication id -> where it was

    def update(self, holders: Mapping[str, Transport]) -> None:
        """The room has changed; `holders` are the transports by the publications a worker holds of them."""
        state = self._state
        on = state.started_ms is not None and state.ended_ms is None
        live = {id: one for id, one in state.publications.items() if on and not on_wall(one, state.participants)}
        for publication_id in [id for id in self._told if id not in live]:
            self._audience.publication_removed(publication_id, self._told.pop(publication_id))
        for publication in live.values():
            holder = holders.get(publication.publication_id)
            if publication.publication_id in self._told or holder is None or holder.worker is None:
                continue
            self._told[publication.publication_id] = holder.worker
            sender = state.participants[publication.participant_id]
            described = LivePublication(
                publication.publication_id,
                sender.participant_id,
                publication.kind,
                publication.source,
                lead=sender.role == "lead_teacher",
            )
            self._audience.publication_added(described, holder.worker)
