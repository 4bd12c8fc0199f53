"""The rows for reading: tables of medians, ranges and ratios, on the terminal and in docs/performance.md.

    python -m tests.bench.tables bench.json [docs/performance.md]

Made from bench.json alone, so a page can be brought up to date long after the measurement. In the page, a table stands
between `<!-- bench:name -->` and `<!-- /bench -->`.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.machine import QUIET

OURS = "Tongke"
Record = dict[str, Any]  # one row of bench.json


@dataclass(frozen=True, slots=True)
class Table:
    name: str  # as the page marks it
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """In columns."""
        wide = [max(len(row[at]) for row in (self.head, *self.rows)) for at in range(len(self.head))]
        lines = [
            "  ".join(cell.ljust(wide[at]) if at == 0 else cell.rjust(wide[at]) for at, cell in enumerate(row)).rstrip()
            for row in (self.head, *self.rows)
        ]
        return "\n".join((self.title, *(f"  {line}" for line in lines)))

    def markdown(self) -> str:
        rule = ("---", *("---:" for _ in self.head[1:]))
        return "\n".join("| " + " | ".join(row) + " |" for row in (self.head, rule, *self.rows))


def tables(report: Record) -> list[Table]:
    """Every table for which the report has rows."""
    made = (
        _comparison(_of(report, "comparison")),
        _latency(_of(report, "latency")),
        _scale("viewers", "CPU µs per forwarded packet, by viewers of one lesson", _of(report, "viewers"), _viewers),
        _scale("lessons", "CPU µs per forwarded packet, by lessons × viewers", _of(report, "lessons"), _lessons),
        _workers(_of(report, "workers")),
        _inbound(_of(report, "inbound")),
        _single(report),
        _weak_line(_of(report, "weak_line")),
        _narrow_line(_of(report, "narrow_line")),
        _upstream(_of(report, "upstream")),
        _starvation(_of(report, "starvation")),
        _export(_of(report, "export")),
        _room(_of(report, "room")),
    )
    return [table for table in made if table is not None and table.rows]


def verdicts(report: Record) -> list[str]:
    """The budgets of the design against what was measured."""
    said = []
    comparison = [row for row in _of(report, "comparison") if row["viewers"] >= 200]
    ours = [row for row in comparison if row["server"] == OURS]
    if ours:
        said.append(_verdict("CPU per forwarded packet, 200 viewers", _median(ours, "us_per_packet_out"), 8.0, "µs"))
        said.append(_verdict("memory per viewer", _median(ours, "memory_kb_per_viewer"), 150.0, "kB"))
        said.append(_verdict("CPU for each join", _median(ours, "join_cpu_ms"), 3.0, "ms"))
        said.append(_verdict("200 at once, all with a key frame", _median(ours, "join_all_s"), 1.0, "s"))
    for peer, most in (("mediasoup", 0.5), ("Janus, 2 event loops", 0.4), ("Janus", 0.2)):
        ratio = _ratio(comparison, peer, "us_per_packet_out")
        if ratio is not None:
            said.append(_verdict(f"CPU per forwarded packet, of {peer}'s", ratio, most, "×"))
    latency = _of(report, "latency")
    for field, name in (("latency_p50_ms", "p50"), ("latency_p99_ms", "p99")):
        ratio = _ratio(latency, "mediasoup", field)
        if ratio is not None:
            said.append(_verdict(f"added latency {name}, of mediasoup's", ratio, 0.75, "×"))
    for row in _of(report, "workers"):
        said.append(_verdict(f"CPU of two workers, of one's, {row['viewers']} viewers", row["ratio"], 1.1, "×"))
    for row in _of(report, "inbound"):
        if row["server"] == OURS:
            said.append(_verdict("CPU per inbound packet", row["us_per_packet_in"], 20.0, "µs"))
    for row in _of(report, "recording"):
        said.append(_verdict("of a core per recorded lesson", 100 * row["share_of_core_per_lesson"], 0.3, "%"))
        if row["lessons"] >= 200:
            said.append(_verdict("lost of all that was recorded", row["lost"], 0, "samples"))
            said.append(_verdict("memory per recorded lesson", row["memory_mb_per_lesson"], 3.0, "MB"))
    exports = _of(report, "export")
    for kind, least in (("movie", 2.0), ("camera", 100.0)):
        own = [row for row in exports if row["kind"] == kind]
        if own:
            share = 1 / _median(own, "times_real_time")
            said.append(_verdict(f"of a lesson's time on one core, export as {kind}", share, 1 / least, "×"))
    for row in _of(report, "watching"):
        said.append(_verdict(f"to open a lesson of {row['minutes']:g} minutes", row["open_ms"], 500, "ms"))
        said.append(_verdict("to seek in it", row["seek_ms"], 300, "ms"))
    for row in _of(report, "weak_line"):
        if row["losses"] == "bursts":
            said.append(_verdict("of the time frozen, losses in bursts", 100 * row["frozen"], 1.0, "%"))
        else:
            said.append(_verdict("freezes over 200 ms, 5 % lost at random", row["freezes"], 0, "times"))
            said.append(_verdict("of sound concealed, 5 % lost at random", 100 * row["concealed"], 0.5, "%"))
    for row in _of(report, "narrow_line"):
        what = f"longest picture while a line narrows and widens, {row['browser']} {row['codec']}"
        said.append(_verdict(what, row["longest_ms"], 500, "ms"))
    for row in _of(report, "starvation"):
        said.append(_verdict("oldest forwarded after a pause of 2 s", row["oldest_ms"], 500, "ms"))
    for row in _of(report, "room"):
        said.append(_verdict(f"95 in 100 events of a room with {row['clients']} clients", row["p95_ms"], 200, "ms"))
        said.append(_verdict("of them that did not come", row["missing"], 0, "events"))
    for row in _of(report, "first_load"):
        said.append(_verdict("until a class can press the button, first visit", row["median_s"], 2.0, "s"))
    upstream = [row for row in _of(report, "upstream") if row["browser"] == "chromium"]
    for field, name, most in (
        ("estimated_after", "Chromium's way up to 2.5 Mb/s", 3.0),
        ("fell_after", "Chromium's way back by half", 1.0),
    ):
        if upstream:
            times = [float("inf") if row[field] is None else row[field] for row in upstream]
            said.append(_verdict(name, statistics.median(times), most, "s"))
    busiest = max((row.get("others", 0.0) for row in report["rows"]), default=0.0)
    if said and busiest >= QUIET:
        said.append(f"others used up to {busiest:.0%} of the machine: repeat alone before believing any of it")
    return said


def update(page: str, made: Iterable[Table]) -> str:
    """The page with its tables made anew; what it does not mark, or the report does not have, stays."""
    for table in made:
        page = re.sub(
            rf"(<!-- bench:{table.name} -->\n).*?(<!-- /bench -->)",
            lambda found, table=table: f"{found[1]}{table.markdown()}\n{found[2]}",  # type: ignore[misc]
            page,
            flags=re.S,
        )
    return page


def _comparison(rows: Sequence[Record]) -> Table | None:
    if not rows:
        return None
    made = []
    for server in _servers(rows):
        own = [row for row in rows if row["server"] == server]
        ratio = _ratio(rows, server, "us_per_packet_out")
        made.append((
            server,
            _range(own, "us_per_packet_out", "{:.2f}"),
            "" if server == OURS or ratio is None else f"{ratio:.2f}",
            _range(own, "join_all_s", "{:.2f}"),
            _range(own, "join_cpu_ms", "{:.1f}"),
            _range(own, "memory_kb_per_viewer", "{:.0f}"),
            f"{max(row['dropped'] / (row['packets_out'] + row['dropped']) for row in own):.2%}",
            f"{max(row['load_share'] for row in own):.0%}",
            f"{max(row['others'] for row in own):.0%}",
        ))  # fmt: skip
    viewers = rows[0]["viewers"]
    head = ("server", "µs/packet", "Tongke ÷ it", f"{viewers} joined, s", "join CPU, ms", "kB/viewer", "lost", "load",
            "others")  # fmt: skip
    return Table("comparison", f"One lesson of 720p, {viewers} viewers; median (range)", head, tuple(made))


def _latency(rows: Sequence[Record]) -> Table | None:
    if not rows:
        return None
    made = []
    for server in _servers(rows):
        own = [row for row in rows if row["server"] == server]
        ratios = [_ratio(rows, server, field) for field in ("latency_p50_ms", "latency_p99_ms")]
        made.append((
            server,
            _range(own, "latency_p50_ms", "{:.2f}"),
            _range(own, "latency_p99_ms", "{:.2f}"),
            " / ".join("–" if ratio is None else f"{ratio:.2f}" for ratio in ratios) if server != OURS else "",
            f"{max(row['others'] for row in own):.0%}",
        ))  # fmt: skip
    title = f"Added latency, one lesson of 720p, {rows[0]['viewers']} viewers; median (range)"
    return Table("latency", title, ("server", "p50, ms", "p99, ms", "Tongke ÷ it", "others"), tuple(made))


def _scale(name: str, title: str, rows: Sequence[Record], label: Callable[[Record], str]) -> Table | None:
    if not rows:
        return None
    servers = _servers(rows)
    made = []
    for key in dict.fromkeys(map(label, rows)):
        cells = []
        for server in servers:
            own = [row for row in rows if row["server"] == server and label(row) == key]
            lost = max((row["dropped"] / (row["packets_out"] + row["dropped"]) for row in own), default=0.0)
            cells.append(_range(own, "us_per_packet_out", "{:.2f}") + (f", {lost:.0%} lost" if lost >= 0.01 else ""))
        made.append((key, *cells))
    return Table(name, title, (name, *servers), tuple(made))


def _viewers(row: Record) -> str:
    return str(row["viewers"])


def _lessons(row: Record) -> str:
    return f"{row['lessons']} × {row['viewers'] // row['lessons']}"


def _workers(rows: Sequence[Record]) -> Table | None:
    """The range of the ratio is that of the rounds, in which one and two had their turn."""
    made = tuple(
        (
            str(row["viewers"]),
            f"{row['one_us_per_packet_out']:.2f}",
            f"{row['two_us_per_packet_out']:.2f}",
            f"{row['ratio']:.2f} ({row['ratio_least']:.2f}–{row['ratio_most']:.2f})",
            f"{row['more_of_core']:.1%}",
            str(row["one_dropped"] + row["two_dropped"]),
            f"{row['others']:.0%}",
        )
        for row in rows
    )
    head = ("viewers", "one, µs/packet", "two, µs/packet", "two ÷ one", "more, of a core", "lost", "others")
    return Table("workers", "One lesson on one worker and on two", head, made)


def _inbound(rows: Sequence[Record]) -> Table | None:
    made = tuple(
        (row["server"], f"{row['us_per_packet_in']:.1f}", f"{row['load_share']:.0%}", f"{row['others']:.0%}")
        for row in rows
    )
    title = f"CPU µs per packet taken in, {rows[0]['lessons']} lessons that nobody watches" if rows else ""
    return Table("inbound", title, ("server", "µs/packet", "load", "others"), made)


def _single(report: Record) -> Table | None:
    made: list[tuple[str, ...]] = []
    for row in _of(report, "simulcast"):
        heights = ", ".join(f"{count} at {height}p" for height, count in row["heights"].items())
        made.append((f"simulcast, three layers: {heights}", f"{row['us_per_packet_out']:.2f} µs/packet out"))
    for row in _of(report, "recording"):
        cost = f"{row['cpu_ms_per_lesson_second']:.2f} ms CPU per lesson second ({row['share_of_core_per_lesson']:.2%})"
        kept = f"{row['memory_mb_per_lesson']:.1f} MB each, {row['lost']} samples lost"
        made.append((f"recording, {row['lessons']} lessons", f"{cost}, {kept}, closed in {row['close_ms']:.0f} ms"))
    for row in _of(report, "naive_recording"):
        cost = (
            f"{row['cpu_ms_per_lesson_second']:,.0f} ms CPU per lesson second ({row['share_of_core_per_lesson']:.0%})"
        )
        made.append(("one lesson by aiortc's MediaRecorder", cost))
    for row in _of(report, "watching"):
        opened = f"opens in {row['open_ms']:.0f} ms (at worst {row['open_worst_ms']:.0f})"
        sought = f"seeks in {row['seek_ms']:.0f} ms (at worst {row['seek_worst_ms']:.0f} of {row['seeks']})"
        made.append((f"watching a lesson of {row['minutes']:g} minutes", f"{opened}, {sought}"))
    for row in _of(report, "first_load"):
        took = f"ready after {row['median_s']:.2f} s (at worst {row['worst_s']:.2f} of {row['visits']} visits)"
        what = "class page, first visit at 2 Mb/s, 80 ms, 0.5 % lost"
        made.append((what, f"{took}, {row['kilobytes']:.0f} kB; others {row['others']:.0%}"))
    for row in _of(report, "naive"):
        name = row.get("server", "aiortc MediaRelay")
        made.append((f"one viewer through {name}", f"{row['us_per_packet_out']:,.0f} µs/packet out"))
    return Table("single", "Measured once", ("what", "cost"), tuple(made))


def _weak_line(rows: Sequence[Record]) -> Table | None:
    """A class at 80 ms round trip; what one on a clean line suffered beside it comes from the machine."""
    made: list[tuple[str, ...]] = []
    for row in rows:
        own = str(row["freezes"]), f"{row['longest_ms']:.0f} ms", f"{row['frozen']:.2%}", f"{row['concealed']:.3%}"
        beside = f"{row['clean_longest_ms']:.0f} ms", f"{row['clean_concealed']:.3%}"
        made.append((f"{row['lost']:.1%} {row['losses']}, {row['seconds']:.0f} s", *own, *beside))
    head = ("lost", "freezes > 200 ms", "longest", "frozen", "concealed", "clean line: longest", "concealed")
    return Table("weak_line", "A class over a weak line, 80 ms round trip", head, tuple(made))


def _narrow_line(rows: Sequence[Record]) -> Table | None:
    """A class whose line shrinks from 1.5 Mb/s to 400 kb/s and recovers."""
    made = [
        (
            f"{row['browser']}, {row['codec']}",
            f"{row['smaller_after']:.1f} s",
            f"{row['larger_after']:.1f} s",
            f"{row['longest_ms']:.0f} ms",
            f"{row['made_up']:.2%}",
        )
        for row in rows
    ]
    head = ("viewer", "180p after it narrows", "360p after it widens", "longest picture", "sound made up")
    return Table("narrow_line", "A line of 1.5 Mb/s that becomes 400 kb/s and recovers", head, tuple(made))


def _upstream(rows: Sequence[Record]) -> Table | None:
    """A page that publishes over a line that shrinks."""
    made = []
    for browser in dict.fromkeys(row["browser"] for row in rows):
        own = [row for row in rows if row["browser"] == browser]
        times = ("estimated_after", "sent_after")
        rate = [{"sent_at_3s": row["sent_at_3s"] / 1e6} for row in own]
        made.append((
            browser,
            *(_range(own, field, "{:.1f} s") for field in times),
            _range(rate, "sent_at_3s", "{:.1f} Mb/s"),
            *(_range(own, field, "{:.1f} s") for field in ("fell_after", "fits_after")),
            _range(own, "feedbacks_per_second", "{:.0f}"),
        ))  # fmt: skip
    head = ("publisher", "estimate 2.5 Mb/s", "sent 2.5 Mb/s", "sent at 3 s", "400 kb/s: half after", "fits after",
            "feedbacks/s")  # fmt: skip
    return Table("upstream", "A camera of 720p, up on a clean line, back on one of 400 kb/s", head, tuple(made))


def _starvation(rows: Sequence[Record]) -> Table | None:
    if not rows:
        return None
    made = (
        f"{rows[0]['viewers']} viewers, stopped for {rows[0]['pause']:.0f} s",
        *(_range(rows, field, "{:.0f}") for field in ("left_out", "oldest_ms", "picture_ms")),
    )
    head = ("what", "packets left out", "oldest forwarded, ms", "picture again after, ms")
    return Table("starvation", "A worker that does not run for a while", head, (made,))


def _export(rows: Sequence[Record]) -> Table | None:
    """Files made of a lesson with camera, screen, a class on the floor and two microphones."""
    made = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        made.append((
            f"{kind} of {own[0]['lesson_s']:.0f} s",
            _range(own, "times_real_time", "{:.1f}"),
            _range(own, "cpu_s", "{:.1f}"),
            _range(own, "memory_mb", "{:.0f}"),
            _range(own, "size_mb", "{:.1f}"),
            f"{max(row['others'] for row in own):.0%}",
        ))  # fmt: skip
    head = ("export", "× real time on one core", "CPU, s", "memory, MB", "file, MB", "others")
    return Table("export", "A lesson as one file", head, tuple(made))


def _room(rows: Sequence[Record]) -> Table | None:
    made = tuple(
        (
            f"{row['clients']} clients, {row['seconds']:.0f} s",
            f"{row['messages']} and {row['signals']}",
            *(f"{row[field]:.1f}" for field in ("p50_ms", "p95_ms", "worst_ms")),
            f"{row['missing']} of {row['heard'] + row['missing']}",
            *(f"{row[field]:.1%}" for field in ("cpu_share", "load_share")),
            f"{row['others']:.0%}",
        )
        for row in rows
    )
    head = ("room", "messages and signals", "p50, ms", "p95, ms", "worst, ms", "missing", "server, of a core", "load",
            "others")  # fmt: skip
    return Table("room", "A room full of messages and signals", head, made)


def _of(report: Record, section: str) -> list[Record]:
    return [row for row in report["rows"] if row["section"] == section]


def _servers(rows: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(row["server"] for row in rows))


def _values(rows: Iterable[Record], field: str) -> list[float]:
    return [row[field] for row in rows if row[field] is not None]


def _median(rows: Iterable[Record], field: str) -> float:
    return statistics.median(_values(rows, field))


def _range(rows: Iterable[Record], field: str, form: str) -> str:
    """Median and, of several, the smallest and largest."""
    values = _values(rows, field)
    if not values:
        return "not measured"
    middle, least, most = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least}–{most})"


def _ratio(rows: Sequence[Record], server: str, field: str) -> float | None:
    """Ours divided by theirs of the same round, the median of all rounds that have both."""
    ours = {row["round"]: row[field] for row in rows if row["server"] == OURS}
    pairs = [(ours.get(row["round"]), row[field]) for row in rows if row["server"] == server]
    ratios = [mine / theirs for mine, theirs in pairs if mine is not None and theirs]
    return statistics.median(ratios) if ratios else None


def _verdict(what: str, value: float, most: float, unit: str) -> str:
    return f"{'kept  ' if value <= most else 'MISSED'}  {what}: {value:.3g} {unit}, budget {most:g} {unit}"


def main(arguments: Sequence[str]) -> int:
    """Print a report's tables, or put them into a page."""
    report = json.loads(Path(arguments[0]).read_text("utf-8"))
    made = tables(report)
    if len(arguments) > 1:
        page = Path(arguments[1])
        page.write_text(update(page.read_text("utf-8"), made), "utf-8")
    else:
        print("\n\n".join(table.text() for table in made))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
