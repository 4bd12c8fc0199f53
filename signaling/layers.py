"""What the workers say of layers and of what slots carry, told to whom it concerns.

Nothing of it is stored: a transport remembers the last word, so that a page whose socket was away hears it again.
"""

from __future__ import annotations

from collections.abc import Callable

from media import messages as media
from signaling.messages import Layers, ServerMessage, SlotQualities, SlotQuality
from signaling.transport import Transport

Tell = Callable[[str, ServerMessage], None]


class LayerNews:
    """`tell` says something to a participant, if it has a socket."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def wanted(self, sender: Transport, event: media.LayersWanted) -> None:
        """Somebody needs these layers of a publication, nobody the others."""
        sender.layers[event.publication_id] = event.rids
        self._say_layers(sender, event.publication_id)

    def slot_changed(self, viewer: Transport, event: media.SlotChanged) -> None:
        """A slot of a viewer carries another layer, or its picture stands still or goes on."""
        quality = SlotQuality(event.mid, event.rid, event.height, event.paused)
        viewer.qualities[event.mid] = quality
        self._tell(viewer.note.participant_id, SlotQualities(slots=(quality,)))

    def again(self, transport: Transport) -> None:
        """All there is to say of a transport, to a participant who is back."""
        for publication_id in transport.layers:
            self._say_layers(transport, publication_id)
        if transport.qualities:
            self._tell(transport.note.participant_id, SlotQualities(slots=tuple(transport.qualities.values())))

    def _say_layers(self, sender: Transport, publication_id: str) -> None:
        active = sender.layers[publication_id]
        self._tell(sender.note.participant_id, Layers(publication_id=publication_id, active=active))
