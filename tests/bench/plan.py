"""What is measured, in which order: rounds in which every server has its turn (A B C A B C …), so that whatever changes
on the machine meanwhile meets them all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tests.bench.export import Export, export
from tests.bench.first_load import FirstLoad, first_load
from tests.bench.forwarding import Forwarding, forwarding
from tests.bench.inbound import Inbound, inbound
from tests.bench.naive import Naive, naive
from tests.bench.naive_recording import NaiveRecording, naive_recording
from tests.bench.narrow_line import VARIANTS, NarrowLine, narrow_line
from tests.bench.recording import Recording, recording
from tests.bench.room import Room, room
from tests.bench.servers import PYTHON_ONLY, TONGKE, Kind
from tests.bench.simulcast import Simulcast, simulcast
from tests.bench.starvation import Starvation, starvation
from tests.bench.upstream import BROWSERS, Upstream, upstream
from tests.bench.watching import Watching, watching
from tests.bench.weak_line import LOSSES, WeakLine, weak_line
from tests.bench.workers import Workers, workers

Row = (
    Forwarding
    | Inbound
    | Simulcast
    | Recording
    | NaiveRecording
    | Export
    | Watching
    | Naive
    | WeakLine
    | NarrowLine
    | Workers
    | Upstream
    | Starvation
    | Room
    | FirstLoad
)

SECTIONS = ("comparison", "latency", "viewers", "lessons", "workers", "inbound", "simulcast", "recording",
            "naive_recording", "export", "watching", "naive",
            "weak_line", "narrow_line", "upstream", "starvation", "room", "first_load")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    rounds: int = 3  # of comparison and latency; all else is measured once
    seconds: float = 10.0  # each row
    viewers: int = 200  # of the comparison
    latency_viewers: int = 100
    scale: tuple[int, ...] = (10, 50, 100, 200, 400)
    spread: tuple[tuple[int, int], ...] = ((1, 200), (20, 200), (100, 200))  # lessons, viewers of all together
    two_workers: tuple[int, ...] = (200, 400)  # viewers of one lesson, on one worker and on two
    publishers: int = 40  # of lessons that nobody watches
    recorded: int = 200  # lessons, by one process
    watched: float = 600.0  # seconds over a weak line
    talked: float = 600.0  # seconds in a room full of messages and signals
    minutes: float = 90.0  # of a lesson that is watched afterwards
    exported: tuple[tuple[str, int], ...] = (("camera", 600), ("audio", 600), ("movie", 120))  # kind, lesson seconds


QUICK = Plan(
    rounds=1,
    seconds=3.0,
    viewers=50,
    latency_viewers=20,
    scale=(10, 50),
    spread=((5, 10),),
    two_workers=(50,),
    publishers=10,
    recorded=10,
    watched=60.0,
    talked=15.0,
    minutes=10.0,
    exported=(("camera", 120), ("audio", 120), ("movie", 20)),
)


@dataclass(frozen=True, slots=True)
class Task:
    """One row to be measured."""

    section: str
    round: int
    what: str
    run: Callable[[], Awaitable[Row]]


def tasks(
    plan: Plan, sections: Sequence[str], peers: Sequence[Kind], variants: Sequence[Kind] = (PYTHON_ONLY,)
) -> Iterator[Task]:
    """All rows in order. Peers, and variants of ourselves, that are not here take no part."""
    servers = [TONGKE, *(peer for peer in peers if peer.missing is None)]
    with_variants = [servers[0], *(each for each in variants if each.missing is None), *servers[1:]]
    for section, viewers in (("comparison", plan.viewers), ("latency", plan.latency_viewers)):
        if section in sections:
            taking_part = with_variants if section == "comparison" else servers
            for number in range(plan.rounds):
                yield from _each(section, number, taking_part, 1, viewers, plan.seconds)
    if "viewers" in sections:
        for viewers in plan.scale:
            yield from _each("viewers", 0, servers, 1, viewers, plan.seconds)
    if "lessons" in sections:
        for lessons, viewers in plan.spread:
            yield from _each("lessons", 0, servers, lessons, viewers, plan.seconds)
    if "workers" in sections:
        for viewers in plan.two_workers:
            what = f"one worker and two, {viewers} viewers"
            yield Task("workers", 0, what, partial(workers, viewers, plan.seconds, plan.rounds))
    if "inbound" in sections:
        for kind in with_variants:
            what = f"{kind.name}, {plan.publishers} publishers"
            yield Task("inbound", 0, what, partial(inbound, plan.publishers, plan.seconds, kind))
    if "simulcast" in sections:
        what = f"three layers, {plan.viewers} viewers"
        yield Task("simulcast", 0, what, partial(simulcast, plan.viewers, plan.seconds))
    if "recording" in sections:
        what = f"{plan.recorded} lessons"
        yield Task("recording", 0, what, partial(recording, plan.recorded, plan.seconds))
    if "naive_recording" in sections:
        yield Task("naive_recording", 0, "aiortc MediaRecorder, 1 lesson", partial(naive_recording, plan.seconds))
    if "export" in sections:
        for number in range(plan.rounds):
            for name, lesson_s in plan.exported:
                yield Task("export", number, f"{name} of {lesson_s} s", partial(export, name, lesson_s))
    if "watching" in sections:
        what = f"a lesson of {plan.minutes:g} minutes"
        yield Task("watching", 0, what, partial(watching, plan.minutes, plan.rounds))
    if "naive" in sections:
        yield Task("naive", 0, "aiortc MediaRelay, 1 viewer", partial(naive, 1, plan.seconds))
        yield from _each("naive", 0, [TONGKE], 1, 1, plan.seconds)
    if "weak_line" in sections:
        for losses in LOSSES:
            yield Task("weak_line", 0, f"losses {losses}", partial(weak_line, losses, plan.watched))
    if "narrow_line" in sections:
        for browser, codec in VARIANTS:
            yield Task("narrow_line", 0, f"{browser}, {codec}", partial(narrow_line, browser, codec))
    if "upstream" in sections:
        for number in range(plan.rounds):
            for publisher in BROWSERS:
                yield Task("upstream", number, publisher, partial(upstream, publisher))
    if "starvation" in sections:
        for number in range(plan.rounds):
            what = f"{plan.latency_viewers} viewers"
            yield Task("starvation", number, what, partial(starvation, plan.latency_viewers))
    if "room" in sections:
        yield Task("room", 0, f"sixty clients for {plan.talked:g} s", partial(room, plan.talked))
    if "first_load" in sections:
        yield Task("first_load", 0, "a class on a county line", partial(first_load, 3 * plan.rounds))


def _each(
    section: str, number: int, servers: Sequence[Kind], lessons: int, viewers: int, seconds: float
) -> Iterator[Task]:
    for kind in servers:
        what = f"{kind.name}, {lessons} × {viewers // lessons} viewers"
        yield Task(section, number, what, partial(forwarding, viewers, seconds, lessons=lessons, kind=kind))
