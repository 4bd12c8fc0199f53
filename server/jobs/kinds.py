"""The kinds of job there are: what each makes, and in which order they have their turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

KindName = Literal["poster", "storyboard", "speech", "convert", "movie", "camera", "audio"]
ExportKind = Literal["movie", "camera", "audio"]


@dataclass(frozen=True, slots=True)
class Kind:
    name: KindName
    files: tuple[str, ...]  # what it makes, in the lesson's folder; the last one stands for all
    priority: int  # the greater has its turn earlier
    automatic: bool  # when a lesson closes; the others when somebody asks
    quick: bool = False  # seconds, not minutes: done in the midst of one that is not

    @property
    def shown(self) -> str:
        """The file people are led to."""
        return self.files[-1]


# In the order of their turns. A poster is what the list of lessons shows, so it comes first; a conversion comes last
# because nobody waits for it, and takes as long as encoding does.
KINDS: dict[KindName, Kind] = {
    kind.name: kind
    for kind in (
        Kind("poster", ("poster.jpg",), 90, automatic=True, quick=True),
        Kind("speech", ("speech.json",), 80, automatic=True, quick=True),
        Kind("storyboard", ("storyboard.jpg", "storyboard.vtt"), 70, automatic=True, quick=True),
        Kind("camera", ("export/camera.mp4",), 50, automatic=False),
        Kind("audio", ("export/audio.m4a",), 50, automatic=False),
        Kind("movie", ("export/movie.mp4",), 40, automatic=False),
        Kind("convert", (), 20, automatic=True),  # changes tracks, and the manifest with them
    )
}
EXPORTS: tuple[ExportKind, ...] = ("movie", "camera", "audio")
