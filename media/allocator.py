"""Who gets how much of a viewer's bandwidth: a pure decision.

Sound is never paused and counts first. Then every picture that is shown gets its smallest layer, in the order of rank;
then they are raised, again in the order of rank, each as far as its place on the screen can show. A picture that does
not fit at all is paused. What is given already needs less room to stay than it needed to come: so a rate that wavers
does not make the picture waver, and a publication without layers is either kept or paused, not both by turns. The first
small picture is paused only when the path has shown for a while that not even this passes: an estimate is soon too low.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media.layers import Choice, Option
from media.messages import Kind

ROOM = 1.15  # a layer is raised, or a picture resumed, when so much of what it takes is there
TOLERANCE = 0.9  # … and kept while this much is: measured rates and estimates waver by that
SMALL = 200_000.0  # bit/s: pausing a picture of no more than that gains little
TALL_ENOUGH = 0.75  # of the height shown: a picture of so many lines is stretched before a taller one is taken


@dataclass(frozen=True, slots=True)
class Demand:
    """What one slot could carry."""

    kind: Kind
    rank: int  # 0 is served first
    options: tuple[Option, ...]  # lowest first; none while nobody knows
    shown: int | None = None  # pixels the page shows it with; 0: it does not, None: it has not said
    chosen: Choice | None = None  # what it is given now


@dataclass(frozen=True, slots=True)
class Allocation:
    choices: tuple[Choice | None, ...]  # for each demand
    paused: tuple[bool, ...]  # for want of bandwidth, not because it is not shown
    wanted: float | None  # bit/s at which the next picture would get better; None while everyone has what it can use


def allocate(demands: Sequence[Demand], bitrate: float, *, pause: bool, starved: bool = True) -> Allocation:
    """Share `bitrate` (bit/s, all headers). Without `pause` every picture that is shown gets its smallest at least.

    With it the first in rank still does if that is `SMALL`, unless the path is `starved`.
    """
    left = bitrate
    choices: list[Choice | None] = [None] * len(demands)
    paused = [False] * len(demands)
    places: dict[int, int] = {}  # demand -> index into its options
    order = sorted(range(len(demands)), key=lambda index: demands[index].rank)
    for index in order:
        demand = demands[index]
        if demand.kind == "audio" and demand.options:
            choices[index] = demand.options[-1].choice
            left -= demand.options[-1].bitrate
    pictures = [index for index in order if demands[index].kind == "video" and usable(demands[index])]
    for index in pictures:
        lowest = demands[index].options[0]
        spared = not starved and not places and lowest.bitrate <= SMALL
        if not pause or spared or _needs(demands[index], 0) <= left:
            places[index] = 0
            left -= lowest.bitrate
        else:
            paused[index] = True
    for index in pictures:
        if index not in places:
            continue
        demand, options = demands[index], demands[index].options
        left += options[0].bitrate
        for place in range(usable(demand) - 1, 0, -1):
            if _needs(demand, place) <= left:
                places[index] = place
                break
        left -= options[places[index]].bitrate
    for index, place in places.items():
        choices[index] = demands[index].options[place].choice
    return Allocation(tuple(choices), tuple(paused), _wanted(demands, pictures, places, bitrate - left))


def usable(demand: Demand) -> int:
    """How many of a demand's options are worth sending, from the lowest on: none while it is not shown."""
    options = demand.options
    if demand.shown == 0:
        return 0
    if demand.shown is None:
        return len(options)
    enough = next((it.height for it in options if it.height >= TALL_ENOUGH * demand.shown), None)
    if enough is None:
        return len(options)
    # Not only the first that is tall enough: a screen's layers are equally tall and differ in frames per second.
    return sum(1 for option in options if option.height <= enough)


def _needs(demand: Demand, place: int) -> float:
    """How much must be there so that a picture gets this option."""
    option = demand.options[place]
    given = demand.chosen is not None and option.choice <= demand.chosen
    return option.bitrate * (TOLERANCE if given else ROOM)


def _wanted(demands: Sequence[Demand], pictures: Sequence[int], places: dict[int, int], spent: float) -> float | None:
    """The first in rank that could be better says what the whole would take then."""
    for index in pictures:
        options, place = demands[index].options, places.get(index)
        if place is None:
            return spent + ROOM * options[0].bitrate
        if place + 1 < usable(demands[index]):
            # Raised it needs `ROOM` of its own; the others stay as they are.
            return spent - options[place].bitrate + ROOM * options[place + 1].bitrate
    return None
