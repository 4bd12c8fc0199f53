"""`python -m tests.bench`: measure, print a table, write bench.json.

    python -m tests.bench [--quick] [--viewers N …] [--only forwarding recording naive] [--out bench.json]

`--quick` takes seconds instead of minutes and is for seeing that nothing has become ten times dearer.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import machine, stream
from tests.bench.forwarding import Forwarding, forwarding
from tests.bench.naive import Naive, naive
from tests.bench.recording import Recording, recording

Row = Forwarding | Recording | Naive

BUDGET_US = 8.0  # CPU for each packet forwarded to 200 viewers
BUDGET_SHARE = 0.003  # of a core for each lesson recorded


@dataclass(frozen=True, slots=True)
class Plan:
    viewers: tuple[int, ...] = (10, 50, 200)
    lessons: int = 20
    seconds: float = 10.0


QUICK = Plan(viewers=(10, 50), lessons=10, seconds=3.0)


async def measure(plan: Plan, only: list[str]) -> list[Row]:
    """All rows, one after the other: they share the machine. A row that fails is told and left out."""
    stream.video_frames(), stream.audio_packets()  # made before anything is measured
    work: list[tuple[str, str, Callable[[], Awaitable[Row]]]] = [
        ("forwarding", f"{count} viewers", lambda count=count: forwarding(count, plan.seconds))  # type: ignore[misc]
        for count in plan.viewers
    ]
    work.append(("recording", f"{plan.lessons} lessons", lambda: recording(plan.lessons, plan.seconds)))
    work.append(("naive", "aiortc MediaRelay", lambda: naive(1, plan.seconds)))
    rows: list[Row] = []
    for kind, what, run in work:
        if kind not in only:
            continue
        print(f"measuring {kind}, {what} …", file=sys.stderr, flush=True)
        try:
            rows.append(await run())
        except Exception as error:  # the other rows are still worth having
            print(f"  not measured: {type(error).__name__}: {error}", file=sys.stderr)
    return rows


def table(rows: list[Row]) -> str:
    """The rows for reading."""
    lines = []
    forwarded = [row for row in rows if isinstance(row, Forwarding)]
    if forwarded:
        lines.append(
            "viewers  packets/s  CPU    µs/packet out  µs/packet in  added p50/p99 ms  dropped   "
            "join all s  join CPU ms  kB/viewer  load  others"
        )
    for row in forwarded:
        added = (
            f"{row.latency_p50_ms:.2f} / {row.latency_p99_ms:.2f}"
            if row.latency_p50_ms is not None and row.latency_p99_ms is not None
            else "not measured"
        )
        lines.append(
            f"{row.viewers:7d}  {row.packets_out / row.seconds:9,.0f}  {row.cpu_share:4.0%}  "
            f"{row.us_per_packet_out:14.2f}  {row.us_per_packet_in:12.1f}  {added:>16}  "
            f"{row.dropped / (row.packets_out + row.dropped):7.3%}  {row.join_all_s:10.2f}  {row.join_cpu_ms:11.1f}  "
            f"{row.memory_kb_per_viewer:9.0f}  {row.load_share:4.0%}  {row.others:6.0%}"
        )
    for other in rows:
        if isinstance(other, Naive):
            lines.append(
                f"aiortc MediaRelay, {other.viewers} viewer: {other.us_per_packet_out:,.0f} µs/packet out, "
                f"{other.cpu_share:.0%} of a core"
            )
        elif isinstance(other, Recording):
            lines.append(
                f"recording, {other.lessons} lessons: {other.cpu_ms_per_lesson_second:.2f} ms CPU per lesson second "
                f"({other.share_of_core_per_lesson:.2%} of a core), closed in {other.close_ms:.0f} ms, "
                f"{other.memory_mb:.0f} MB, others {other.others:.0%}"
            )
    return "\n".join([*lines, *_verdicts(rows)])


def _verdicts(rows: list[Row]) -> list[str]:
    """The budgets of the design against what was measured."""
    verdicts = []
    for row in rows:
        if isinstance(row, Forwarding) and row.viewers >= 200:
            kept = "kept" if row.us_per_packet_out <= BUDGET_US else "MISSED"
            # A worker that waits for its turn finds more packets at once, and so does each of them for less.
            note = "" if row.others < machine.QUIET else " (but others used the machine, which flatters: repeat alone)"
            verdicts.append(f"budget {BUDGET_US:g} µs per forwarded packet at {row.viewers} viewers: {kept}{note}")
        elif isinstance(row, Recording):
            kept = "kept" if row.share_of_core_per_lesson <= BUDGET_SHARE else "MISSED"
            verdicts.append(f"budget {BUDGET_SHARE:.1%} of a core per recorded lesson: {kept}")
    return verdicts


def report(rows: list[Row]) -> dict[str, Any]:
    """The rows for machines."""
    return {
        "version": 1,
        "machine": machine.describe(),
        "rows": [{"row": type(row).__name__.lower(), **dataclasses.asdict(row)} for row in rows],
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure, print a table, write JSON.")
    parser.add_argument("--quick", action="store_true", help="shorter and smaller")
    parser.add_argument("--viewers", type=int, nargs="+", help="how many viewers in each forwarding row")
    parser.add_argument("--seconds", type=float, help="how long each row is measured")
    kinds = ("forwarding", "recording", "naive")
    parser.add_argument("--only", nargs="+", choices=kinds, default=list(kinds), help="which rows")
    parser.add_argument("--out", type=Path, default=Path("bench.json"), help="where the JSON goes")
    given = parser.parse_args(arguments)
    plan = QUICK if given.quick else Plan()
    if given.viewers:
        plan = dataclasses.replace(plan, viewers=tuple(given.viewers))
    if given.seconds:
        plan = dataclasses.replace(plan, seconds=given.seconds)
    rows = asyncio.run(measure(plan, given.only))
    print(table(rows))
    given.out.write_text(json.dumps(report(rows), indent=2) + "\n", "utf-8")
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())
