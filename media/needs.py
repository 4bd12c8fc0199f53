"""Which layers of a publication anybody needs, so that its publisher need not send the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from media.layers import Layer

if TYPE_CHECKING:
    from media.subscription import Slot

LOOKED_AT_EVERY = 0.1  # seconds between looks without an occasion
KEPT = 2.0  # seconds that a layer nobody needs is kept: who looks away may look back


class Needs:
    """A new need is told at once, the end of one after a while.

    The smallest layer is always needed: it costs the publisher little, and whoever's line breaks down falls back to it
    without waiting for it to begin.
    """

    __slots__ = ("_looked_at", "told")

    def __init__(self, told: tuple[str, ...]) -> None:
        self.told = told  # the rids last said to be wanted, in the order of the offer; a browser begins with all
        self._looked_at = 0.0

    def due(self, now: float) -> bool:
        """Whether it is time for another look."""
        if now - self._looked_at < LOOKED_AT_EVERY:
            return False
        self._looked_at = now
        return True

    def changed(
        self, rids: Sequence[str], layers: Sequence[Layer], slots: Iterable[Slot], recorded: bool, now: float
    ) -> bool:
        """Look who needs what, `layers` from the smallest; whether `told` is another than before."""
        needed = {layers[0]}
        if recorded:
            needed.add(layers[-1])
        for slot in slots:
            wished = slot.wished
            if wished is not None:
                needed.add(wished[0])
            if slot.layer is not None:
                needed.add(slot.layer)
        for layer in layers:
            if layer in needed or layer.taps or layer.waiting:
                layer.unneeded_since = None
            elif layer.unneeded_since is None:
                layer.unneeded_since = now
        kept = {it.rid for it in layers if it.unneeded_since is None or now - it.unneeded_since < KEPT}
        if not {it.rid for it in layers if it.unneeded_since is None} - set(self.told):
            kept = {rid for rid in kept if rid in self.told}  # nothing new is needed: do not wake what sleeps
        wanted = tuple(rid for rid in rids if rid in kept)
        if wanted == self.told:
            return False
        self.told = wanted
        return True
