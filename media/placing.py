"""Which publications a viewer's slots are to carry, and how large their page shows them, as the server says."""

from __future__ import annotations

from collections.abc import Callable

from media.messages import Done, Place, Placement, Refused, Reply, View
from media.publication import Publication
from media.subscription import Slot
from media.viewer import Viewer


def place(request: Place, viewer: Viewer, find: Callable[[str], Publication | None], now: float) -> Reply:
    """Put publications into slots, all or none of them; `find` gives what a publication's id stands for."""
    moves: list[tuple[Slot, Publication | None, Placement]] = []
    for placement in request.placements:
        slot = viewer.slots.get(placement.mid)
        if slot is None:
            return Refused("unknown_slot", f"no slot {placement.mid} in {request.transport_id}")
        publication = None
        if placement.publication_id is not None:
            publication = find(placement.publication_id)
            if publication is None or publication.section.kind != slot.kind:
                return unknown_publication(placement.publication_id)
        moves.append((slot, publication, placement))
    for slot, publication, placement in moves:
        slot.rank, slot.smallest = placement.rank, placement.smallest
        if slot.publication is publication:
            continue
        if slot.publication is not None:
            slot.publication.flush(now)
            slot.publication.remove(slot)
        if publication is not None:
            publication.place(slot, now)
    viewer.bandwidth.allocate(now)
    return Done()


def view(request: View, viewer: Viewer, now: float) -> Reply:
    """Carry no more than what is shown."""
    slots = viewer.slots
    for shown in request.shown:
        if shown.mid not in slots:
            return Refused("unknown_slot", f"no slot {shown.mid} in {request.transport_id}")
    for shown in request.shown:
        slots[shown.mid].max_height = max(0, shown.height)
    viewer.bandwidth.allocate(now)
    return Done()


def unknown_publication(publication_id: str) -> Refused:
    return Refused("unknown_publication", f"no publication {publication_id}")
