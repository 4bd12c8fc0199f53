"""A worker's transports: by id, by the names their checks carry, by the paths they come on; and what they publish."""

from __future__ import annotations

from media.ice import Checked, Path
from media.messages import Refused
from media.publication import Publication
from media.transport import Transport
from media.viewer import Viewer


class Roster:
    """Its tables are read packet by packet, and changed here only."""

    __slots__ = ("by_path", "by_ufrag", "publications", "transports")

    def __init__(self) -> None:
        self.transports: dict[str, Transport] = {}
        self.publications: dict[str, Publication] = {}
        self.by_ufrag: dict[str, Transport] = {}
        self.by_path: dict[Path, Transport] = {}

    def enter(self, transport: Transport) -> None:
        """It has answered an offer, the first or another: it is known, and so is what it publishes."""
        self.transports[transport.transport_id] = transport
        self.note_ufrags(transport)
        for publication in transport.publications:
            self.publications[publication.publication_id] = publication

    def note_ufrags(self, transport: Transport) -> None:
        """It may have taken others."""
        for ufrag in transport.ice.ufrags:
            self.by_ufrag[ufrag] = transport
        stale = [u for u, owner in self.by_ufrag.items() if owner is transport and u not in transport.ice.ufrags]
        for ufrag in stale:
            del self.by_ufrag[ufrag]

    def checked(self, transport: Transport, path: Path, checked: Checked) -> None:
        """A check has come to it by a path."""
        if checked.retired is not None:
            self.by_ufrag.pop(checked.retired, None)
        if checked.evicted is not None and self.by_path.get(checked.evicted) is transport:
            self.by_path.pop(checked.evicted, None)
        if checked.accepted:
            self.by_path[path] = transport

    def leave(self, transport: Transport) -> bool:
        """It is known no more, nor what it publishes; whether it was."""
        if self.transports.pop(transport.transport_id, None) is None:
            return False
        for publication in transport.publications:
            self.publications.pop(publication.publication_id, None)
        for ufrag in [ufrag for ufrag, owner in self.by_ufrag.items() if owner is transport]:
            del self.by_ufrag[ufrag]
        for path in [path for path, owner in self.by_path.items() if owner is transport]:
            del self.by_path[path]
        return True

    def viewer(self, transport_id: str) -> Viewer | None:
        """Of a transport that watches."""
        transport = self.transports.get(transport_id)
        return transport.viewer if transport is not None else None


def unknown_transport(transport_id: str) -> Refused:
    return Refused("unknown_transport", f"no transport {transport_id}")
