import asyncio
from pathlib import Path

import pytest

from server.archive.live_lists import Edge, LiveLists

# Segments 7 and 8 are finished, of two parts each; one part of 9 is written.
LIST = """#EXTM3U
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-PART:DURATION=1,URI="seg-7.m4s",BYTERANGE="9@0"
#EXT-X-PART:DURATION=1,URI="seg-7.m4s",BYTERANGE="9@9"
#EXTINF:2,
seg-7.m4s
#EXT-X-PART:DURATION=1,URI="seg-8.m4s",BYTERANGE="9@0"
#EXT-X-PART:DURATION=1,URI="seg-8.m4s",BYTERANGE="9@9"
#EXTINF:2,
seg-8.m4s
#EXT-X-PART:DURATION=1,URI="seg-9.m4s",BYTERANGE="9@0"
"""


@pytest.mark.parametrize(
    ("segment", "part", "reached"),
    [
        (3, None, True),  # long gone
        (8, None, True),
        (9, None, False),
        (8, 1, True),
        (8, 2, True),  # there is none: the next one's first is meant
        (9, 0, True),
        (9, 1, False),
        (10, 0, False),
        (11, 0, True),  # nobody can know of it: not worth a wait
    ],
)
def test_a_list_has_a_segment_or_a_part_of_it(segment: int, part: int | None, reached: bool) -> None:
    assert Edge.of(LIST).reached(segment, part) is reached


def test_a_list_that_has_ended_will_not_grow() -> None:
    assert Edge.of(LIST + "#EXT-X-ENDLIST\n").reached(9, 1)


def test_a_list_without_parts_is_waited_for_by_its_segments() -> None:
    text = "#EXTM3U\n#EXTINF:6,\nseg-1.m4s\n"
    assert Edge.of(text).reached(0, 0)
    assert not Edge.of(text).reached(1, 0)


def write(path: Path, text: str) -> None:
    fresh = path.with_name("new")
    fresh.write_text(text)
    fresh.replace(path)


async def test_all_who_wait_are_answered_when_the_list_has_what_they_wait_for(tmp_path: Path) -> None:
    path, lists = tmp_path / "live.m3u8", LiveLists()
    write(path, LIST)
    waiting = [asyncio.create_task(lists.reached(path, 9, 1, patience=60)) for _ in range(3)]
    later = asyncio.create_task(lists.reached(path, 9, 2, patience=60))
    await lists.reached(path, 9, 0, patience=60)  # is there already
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    write(path, LIST + '#EXT-X-PART:DURATION=1,URI="seg-9.m4s",BYTERANGE="9@9"\n')
    await asyncio.gather(*waiting)
    assert not later.done()
    path.unlink()
    await later


async def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "live.m3u8"
    write(path, LIST)
    await LiveLists().reached(path, 9, 1, patience=0.01)
