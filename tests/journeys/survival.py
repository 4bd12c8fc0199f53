"""What is asked after something was killed: is the present seen again, and how much of the lesson is recorded."""

from __future__ import annotations

import time
from typing import Any

from tests.journeys.people import SchoolClass
from tests.support import timecode
from tests.support.browser import eventually


async def sees_the_present(person: SchoolClass, within: float) -> float:
    """Wait until the picture shows a moment after now."""
    asked = time.time_ns() // 1_000_000

    async def check() -> bool:
        shown = await timecode.read(person.see("main-video"))
        return shown is not None and shown > asked + 300

    return await eventually("a picture of the present", check, within)


def held_ms(recording: dict[str, Any], source: str) -> int:
    """Milliseconds of the lesson that the archive has of a source, over all its publications."""
    spans: list[tuple[int, int]] = []
    for track in recording["tracks"]:
        if track["source"] != source:
            continue
        at, end = track["start_ms"], track["start_ms"] + track["duration_ms"]
        for gap_from, gap_to in sorted(track["gaps"]):
            spans.append((at, gap_from))
            at = gap_to
        spans.append((at, end))
    held = reached = 0
    for start, end in sorted(spans):
        held += max(0, end - max(start, reached))
        reached = max(reached, end)
    return held
