"""Who of a room speaks now, as the media workers hear it: told to everyone, and heeded by the slots (slots.py).

Nothing of it is stored: a replay has the loudness of every microphone beside its sound.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from media.messages import SpeechChanged
from signaling.messages import Speaking


class Speech:
    """`tell` says something to everyone in the room."""

    def __init__(self, tell: Callable[[Speaking], None]) -> None:
        self._tell = tell
        self._levels: dict[str, int] = {}  # publication -> -dBov
        self._told: tuple[str, ...] = ()

    @property
    def levels(self) -> Mapping[str, int]:
        """How loud the microphones are that are spoken into, by publication: -dBov, 0 is the loudest."""
        return self._levels

    @property
    def message(self) -> Speaking | None:
        """What to tell who comes late; None while nobody speaks."""
        return Speaking(publication_ids=self._told) if self._told else None

    def heard(self, event: SpeechChanged) -> bool:
        """Somebody began, went on louder or quieter, or ended; whether who speaks has changed, or who is loudest."""
        if event.speaking:
            self._levels[event.publication_id] = event.level
        else:
            self._levels.pop(event.publication_id, None)
        return self._say()

    def keep(self, publications: Collection[str]) -> None:
        """Only these are still there."""
        for publication_id in self._levels.keys() - set(publications):
            del self._levels[publication_id]
        self._say()

    def _say(self) -> bool:
        speaking = tuple(sorted(self._levels, key=lambda id: self._levels[id]))
        if speaking == self._told:
            return False
        self._told = speaking
        self._tell(Speaking(publication_ids=speaking))
        return True
