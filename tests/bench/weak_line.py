"""A class that watches over a weak line: how often its picture stands, and how much of its sound is made up.

    python -m tests.bench.weak_line [--quick]     ten minutes at each kind of loss, or one

Everything is real: the server, a page that teaches, and pages of classes with their 400 ms jitter buffer. The weak line
has 80 ms of round trip and loses 5 % in both directions. A second class watches the same lesson over a clean line: what
it suffers at the same moment comes from the machine or the publisher, not from the line, and is told apart.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tests.bench.peer import own_address
from tests.journeys.people import SchoolClass, Teacher
from tests.support.browser import Received, chromium, heard, received, rerouted
from tests.support.devices import lively
from tests.support.frames import Frame, Gap, gaps, longest, shown, watch
from tests.support.link import LHASA, LHASA_BURSTS, UdpLink
from tests.support.server import Tongke

Losses = Literal["random", "bursts"]
LOSSES: tuple[Losses, ...] = get_args(Losses)

SECONDS, QUICK_SECONDS = 600.0, 60.0
FREEZE = 200.0  # ms that a picture may stand
SETTLING = 20.0  # seconds: the publisher's line grows to full quality, the jitter buffers find their size
AT_ONCE = 1000.0  # ms between two classes' freezes that have one cause; their clocks differ by a buffer

BUDGET_CONCEALED = 0.005  # of all sound
BUDGET_FROZEN = 0.01  # of the time, with bursts

_MAIN = 'video[data-testid="main-video"]'


@dataclass(frozen=True, slots=True)
class WeakLine:
    losses: Losses
    seconds: float
    packets: int  # sent to the class
    lost: float  # share of them
    height: int  # of the picture, lines; the most frequent
    freezes: int  # longer than FREEZE, of the line's own
    shared_freezes: int  # those that the class on a clean line had, too
    longest_ms: float  # of the line's own
    frozen: float  # share of the time, of the line's own
    concealed: float  # share of all sound
    clean_longest_ms: float  # on the clean line
    clean_concealed: float

    @property
    def kept(self) -> bool:
        """Whether the budget of the design is."""
        if self.losses == "bursts":
            return self.frozen < BUDGET_FROZEN
        return self.freezes == 0 and self.concealed < BUDGET_CONCEALED

    def __str__(self) -> str:
        return (
            f"weak line, 80 ms and {self.lost:.1%} {self.losses}, {self.seconds:.0f} s at {self.height} lines: "
            f"{self.freezes} freezes over {FREEZE:.0f} ms (longest picture {self.longest_ms:.0f} ms, "
            f"{self.frozen:.2%} of the time), {self.concealed:.3%} of sound concealed; "
            f"on a clean line beside it longest {self.clean_longest_ms:.0f} ms, {self.clean_concealed:.3%} concealed, "
            f"{self.shared_freezes} freezes had by both: {'kept' if self.kept else 'MISSED'}"
        )


async def weak_line(losses: Losses, seconds: float = SECONDS) -> WeakLine:
    """One row."""
    conditions = LHASA if losses == "random" else LHASA_BURSTS
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        async with Tongke(Path(folder) / "data") as tongke, chromium() as browser:
            teacher = await Teacher.arrive(browser, tongke, init_script=lively())
            await teacher.log_in()
            lesson_id, code = await teacher.create_lesson("草原")
            await teacher.start(lesson_id)
            async with UdpLink((own_address(), tongke.media_port), conditions) as link:
                weak = await SchoolClass.arrive(browser, tongke, init_script=rerouted(tongke.media_port, link.address))
                clean = await SchoolClass.arrive(browser, tongke)
                for each, name in ((weak, "拉萨三小"), (clean, "阜平一小")):
                    await each.enter(code, name)
                    await asyncio.gather(each.moves("main-video"), heard(each.page))
                await asyncio.sleep(SETTLING)
                for each in (weak, clean):
                    await watch(each.page, _MAIN)
                sent, lost = link.down.sent, link.down.lost
                before = [await received(each.page, "audio") for each in (weak, clean)]
                await asyncio.sleep(seconds)
                after = [await received(each.page, "audio") for each in (weak, clean)]
                sent, lost = link.down.sent - sent, link.down.lost - lost
                films = [on_one_clock(await shown(each.page), await _origin(each)) for each in (weak, clean)]
    return judge(losses, seconds, (sent, lost), films, [concealed(*each) for each in zip(before, after, strict=True)])


def judge(
    losses: Losses,
    seconds: float,
    line: tuple[int, int],
    films: Sequence[Sequence[Frame]],
    sound: Sequence[float],
) -> WeakLine:
    """What came of it; `films` and `sound` are the weak line's and the clean one's, in this order."""
    weak, clean = films
    own, shared = own_gaps(weak, clean, FREEZE)
    heights = [frame.height for frame in weak]
    sent, lost = line
    return WeakLine(
        losses,
        seconds,
        sent,
        lost / max(1, sent),
        max(set(heights), key=heights.count, default=0),
        len(own),
        len(shared),
        max((gap.ms for gap in gaps(weak, 0.0) if gap not in shared), default=0.0),
        sum(gap.ms for gap in own) / 1000 / seconds,
        sound[0],
        longest(clean),
        sound[1],
    )


def own_gaps(weak: Sequence[Frame], clean: Sequence[Frame], longer: float) -> tuple[list[Gap], list[Gap]]:
    """Pictures that stood for more than `longer` ms: of the line's own, and when those of the clean line stood too."""
    standing = gaps(clean, longer / 2)
    own: list[Gap] = []
    shared: list[Gap] = []
    for gap in gaps(weak, longer):
        (shared if any(_at_once(gap, other) for other in standing) else own).append(gap)
    return own, shared


def on_one_clock(frames: Sequence[Frame], origin: float) -> list[Frame]:
    """Frames of one page in the time of all; `origin` is what its clock began at, ms since 1970."""
    return [Frame(each.shown + origin, each.count, each.width, each.height, each.rtp, each.received) for each in frames]


def concealed(before: Sequence[Received], after: Sequence[Received]) -> float:
    """The share of sound that was made up between the two, of all streams that brought any."""
    then = {each.ssrc: each for each in before}
    flowing = [(then[now.ssrc], now) for now in after if now.ssrc in then and now.packets > then[now.ssrc].packets]
    samples = sum(now.samples - was.samples for was, now in flowing)
    return sum(now.concealed - was.concealed for was, now in flowing) / samples if samples else 1.0


def _at_once(one: Gap, other: Gap) -> bool:
    return other.start - AT_ONCE < one.start + one.ms and one.start - AT_ONCE < other.start + other.ms


async def _origin(person: SchoolClass) -> float:
    origin: float = await person.page.evaluate("() => performance.timeOrigin")
    return origin


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.weak_line")
    parser.add_argument("--quick", action="store_true", help="one minute each instead of ten")
    parser.add_argument("--losses", nargs="+", choices=LOSSES, default=LOSSES)
    given = parser.parse_args()
    rows = []
    for losses in given.losses:
        rows.append(asyncio.run(weak_line(losses, QUICK_SECONDS if given.quick else SECONDS)))
        print(rows[-1], flush=True)
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
