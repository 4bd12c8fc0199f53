"""Several tracks of one view, as a teacher leaves who reconnects: at every moment the one that began last is shown."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

from recorder.manifest import TrackEntry
from recorder.rendering.samples import Sample, Samples


def one_after_the_other(folder: Path, tracks: Sequence[TrackEntry]) -> Iterator[tuple[float, Samples, Sample]]:
    """The samples of what is shown, with the second of the lesson each begins at.

    After each change the first one is a key frame. Raises OSError.
    """
    sources = [Samples(folder, track) for track in tracks]
    spans = [_seconds(source) for source in sources]
    waits = [True] * len(sources)  # for a key frame

    def read(number: int) -> Iterator[tuple[float, int, Sample]]:
        rate = tracks[number].timescale
        return ((sample.start / rate, number, sample) for sample in sources[number])

    merged = heapq.merge(*(read(number) for number in range(len(sources))), key=lambda item: item[0])
    for at, number, sample in merged:
        if any(_shown_instead(spans[other], spans[number], at) for other in range(len(sources)) if other != number):
            waits[number] = True
        elif sample.key or not waits[number]:
            waits[number] = False
            yield at, sources[number], sample


Span = tuple[float, float]


def _seconds(samples: Samples) -> list[Span]:
    """From and to of each stretch without a hole."""
    rate = samples.entry.timescale
    found: list[Span] = []
    for part in samples.parts:
        start, end = part.start / rate, part.end / rate
        if found and start - found[-1][1] < 0.1:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def _shown_instead(other: list[Span], own: list[Span], at: float) -> bool:
    """Whether the other one is there at that moment and began after ours."""
    there = _at(other, at)
    here = _at(own, at)
    return there is not None and here is not None and there[0] > here[0] and at < there[1]


def _at(spans: list[Span], at: float) -> Span | None:
    """The last stretch that began by then."""
    number = bisect.bisect_right(spans, at, key=lambda span: span[0]) - 1
    return spans[number] if number >= 0 else None
