"""`python -m tests.bench`: measure, print tables, write bench.json.

    python -m tests.bench [--quick] [--alone] [--only comparison latency …] [--rounds N] [--seconds S] [--talked S]
        [--out FILE]

`--quick` takes seconds instead of minutes and is for seeing that nothing has become ten times dearer; `--alone` leaves
the peers out. How to get them is in peers/README.md; those that are not here are named and left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import uvloop

from tests.bench import machine, plan, stream, tables
from tests.bench.peers import janus, mediasoup
from tests.bench.plan import QUICK, SECTIONS, Plan, Row, Task
from tests.bench.servers import Kind


async def measure(work: Iterable[Task], keep: Callable[[list[dict[str, Any]]], None]) -> list[dict[str, Any]]:
    """All rows, one after the other: they share the machine. A row that fails is told and left out.

    `keep` gets what there is after each row, so that a run that is broken off was not in vain.
    """
    for encoding in (stream.SINGLE, *stream.SIMULCAST):
        stream.video_frames(encoding)  # made before anything is measured
    stream.audio_packets()
    rows: list[dict[str, Any]] = []
    for task in work:
        print(f"measuring {task.section}, {task.what} …", file=sys.stderr, flush=True)
        try:
            rows.append(record(task.section, task.round, await task.run()))
            keep(rows)
        except Exception as error:  # the other rows are still worth having
            print(f"  not measured: {type(error).__name__}: {error}", file=sys.stderr)
    return rows


def record(section: str, number: int, row: Row) -> dict[str, Any]:
    """A row for machines."""
    return {"section": section, "round": number, **dataclasses.asdict(row)}


def report(rows: list[dict[str, Any]], peers: Sequence[Kind] = ()) -> dict[str, Any]:
    """All that was measured, for machines."""
    return {
        "version": 2,
        "machine": machine.describe(),
        "peers": {peer.name: peer.missing or peer.version for peer in peers},
        "rows": rows,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure, print tables, write JSON.")
    parser.add_argument("--quick", action="store_true", help="shorter and smaller")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--viewers", type=int, help="how many viewers in the comparison")
    parser.add_argument("--rounds", type=int, help="how often the servers have their turn")
    parser.add_argument("--seconds", type=float, help="how long each row is measured")
    parser.add_argument("--talked", type=float, help="how long sixty clients talk, seconds")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="which sections")
    parser.add_argument("--out", type=Path, default=Path("bench.json"), help="where the JSON goes")
    given = parser.parse_args(arguments)
    chosen: Plan = QUICK if given.quick else Plan()
    changed = {
        name: getattr(given, name) for name in ("viewers", "rounds", "seconds", "talked") if getattr(given, name)
    }
    chosen = dataclasses.replace(chosen, **changed)
    peers: tuple[Kind, ...] = () if given.alone else (mediasoup.kind(), *janus.kinds())
    for peer in peers:
        if peer.missing is not None:
            print(f"{peer.name} is left out: {peer.missing}", file=sys.stderr)

    def keep(rows: list[dict[str, Any]]) -> None:
        given.out.write_text(json.dumps(report(rows, peers), indent=1) + "\n", "utf-8")

    rows = uvloop.run(measure(plan.tasks(chosen, given.only, peers), keep))
    made = report(rows, peers)
    print("\n\n".join(table.text() for table in tables.tables(made)))
    print("", *tables.verdicts(made), sep="\n")
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())
