"""What a room's sending transports carry becomes its publications, as far as each sender may publish it."""

from __future__ import annotations

from collections.abc import Sequence

from media import messages as media
from signaling.commands import OfferedTrack
from signaling.messages import AnsweredTrack
from signaling.room import Room
from signaling.stage import Stage
from signaling.transport import Transport, sources_of


class Publishing:
    def __init__(self, room: Room, stage: Stage) -> None:
        self.holders: dict[str, Transport] = {}  # by all publications a worker holds for us, published or not
        self._room = room
        self._stage = stage

    def update(
        self,
        transport: Transport,
        held: Sequence[media.PublicationInfo],
        tracks: Sequence[OfferedTrack] = (),
        known_only: bool = False,
    ) -> tuple[AnsweredTrack, ...]:
        """Bring the room's publications of a transport to what the worker holds of it, as far as they are allowed."""
        sender = transport.note.participant_id
        state, now = self._room.state, self._stage.now_ms()
        if known_only:
            transport.sources |= {
                info.mid: state.publications[info.publication_id].source
                for info in held
                if info.publication_id in state.publications
            }
        else:
            transport.sources = sources_of(held, {**transport.sources, **{one.mid: one.source for one in tracks}})
        allowed = []
        for info in held:
            source = transport.sources.get(info.mid)
            if info.active and source is not None and self._room.may_publish(sender, source):
                allowed.append(AnsweredTrack(info.mid, info.publication_id, info.kind, source))
        for publication in state.publications_of(sender):
            if all(publication.publication_id != track.publication_id for track in allowed):
                self._stage.commit(self._room.unpublish(now, publication.publication_id))
        self.holders.update((info.publication_id, transport) for info in held)
        for track in allowed:
            self._stage.commit(self._room.publish(now, sender, track.publication_id, track.kind, track.source))
        return tuple(allowed)

    def forget(self, transport: Transport) -> None:
        """What a transport carried is published no longer."""
        for publication_id in [id for id, holder in self.holders.items() if holder is transport]:
            del self.holders[publication_id]
            self._stage.commit(self._room.unpublish(self._stage.now_ms(), publication_id))
