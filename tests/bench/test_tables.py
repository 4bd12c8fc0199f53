import dataclasses
from typing import Any

from tests.bench import tables
from tests.bench.__main__ import record, report
from tests.bench.export import Export
from tests.bench.forwarding import Forwarding
from tests.bench.plan import Plan, tasks
from tests.bench.room import Room
from tests.bench.servers import Kind
from tests.bench.workers import Workers

ROW = Forwarding(
    server="Tongke",
    lessons=1,
    viewers=200,
    seconds=10.0,
    packets_in=2400,
    packets_out=480_000,
    dropped=0,
    cpu_share=0.34,
    us_per_packet_out=5.0,
    us_per_packet_in=1000.0,
    latency_p50_ms=2.0,
    latency_p99_ms=5.0,
    join_all_s=0.8,
    join_cpu_ms=2.5,
    memory_kb_per_viewer=120.0,
    load_share=0.2,
    others=0.01,
)


def made(*rows: dict[str, Any]) -> dict[str, Any]:
    return report(list(rows))


def round_of(number: int, ours: float, theirs: float, section: str = "comparison") -> list[dict[str, Any]]:
    mine = dataclasses.replace(ROW, us_per_packet_out=ours)
    peer = dataclasses.replace(ROW, server="mediasoup", us_per_packet_out=theirs)
    return [record(section, number, mine), record(section, number, peer)]


def table(report: dict[str, Any], name: str) -> str:
    return next(each for each in tables.tables(report) if each.name == name).text()


def test_a_ratio_is_taken_within_a_round_and_then_their_median() -> None:
    # the machine slowed down meanwhile: all medians are 6 and 12, but no round had 0.5 by chance
    shown = table(made(*round_of(0, 4.0, 8.0), *round_of(1, 6.0, 12.0), *round_of(2, 9.0, 18.0)), "comparison")
    assert "6.00 (4.00–9.00)" in shown
    assert "12.00 (8.00–18.00)" in shown
    assert "0.50" in shown


def test_the_table_says_so_when_latency_could_not_be_measured() -> None:
    busy = dataclasses.replace(ROW, latency_p50_ms=None, latency_p99_ms=None, others=0.4)
    assert "not measured" in table(made(record("latency", 0, busy)), "latency")
    assert "2.00" in table(made(record("latency", 0, ROW)), "latency")


def test_the_budgets_are_held_against_the_row_of_two_hundred_viewers() -> None:
    assert any(each.startswith("kept") for each in tables.verdicts(made(record("comparison", 0, ROW))))
    dear = dataclasses.replace(ROW, us_per_packet_out=9.0)
    assert any(each.startswith("MISSED") for each in tables.verdicts(made(record("comparison", 0, dear))))


def test_two_workers_are_held_against_one() -> None:
    row = Workers(400, 10.0, 4.0, 4.6, 1.15, 1.12, 1.2, 0.05, 0, 0, 0.01)
    report = made(record("workers", 0, row))
    assert "1.15 (1.12–1.20)" in table(report, "workers")
    assert tables.verdicts(report) == ["MISSED  CPU of two workers, of one's, 400 viewers: 1.15 ×, budget 1.1 ×"]


def test_a_busy_machine_is_told_beside_the_verdicts() -> None:
    busy = dataclasses.replace(ROW, others=0.4)
    assert "repeat alone" in tables.verdicts(made(record("comparison", 0, busy)))[-1]
    assert "repeat alone" not in tables.verdicts(made(record("comparison", 0, ROW)))[-1]


def test_exports_are_held_against_the_time_a_lesson_took() -> None:
    film = Export("movie", 60.0, 20.0, 15.0, 4.0, 150.0, 9.0, 0.0)
    rows = [record("export", number, film) for number in range(2)]
    rows.append(record("export", 0, dataclasses.replace(film, kind="camera", times_real_time=80.0)))
    said = tables.verdicts(made(*rows))
    assert next(line for line in said if "as movie" in line).startswith("kept")
    assert next(line for line in said if "as camera" in line).startswith("MISSED")
    assert "movie of 60 s" in table(made(*rows), "export")


def test_the_report_names_each_row_and_the_machine() -> None:
    written = made(record("viewers", 0, ROW))
    assert written["rows"][0]["section"] == "viewers"
    assert written["rows"][0]["us_per_packet_out"] == 5.0
    assert written["machine"]["cores"] >= 1


def test_a_page_gets_the_tables_it_marks_and_keeps_all_else() -> None:
    latency = "<!-- bench:latency -->\nold\n<!-- /bench -->\n"
    page = f"before\n<!-- bench:comparison -->\nold\n<!-- /bench -->\nbetween\n{latency}"
    updated = tables.update(page, tables.tables(made(*round_of(0, 4.0, 8.0))))
    assert updated.startswith("before\n<!-- bench:comparison -->\n| server |")
    assert updated.endswith(f"<!-- /bench -->\nbetween\n{latency}")


def test_servers_have_their_turn_in_every_round_and_missing_ones_have_none() -> None:
    here, gone = Kind("mediasoup", "1", _never), Kind("Janus", "", _never, "not installed")
    ours, none = Kind("Tongke in Python", "", _never), Kind("Tongke in Rust", "", _never, "not written")
    work = list(tasks(Plan(rounds=2, viewers=4), ["comparison", "latency"], [here, gone], [ours, none]))
    turns = ["Tongke", "Tongke in Python", "mediasoup"] * 2 + ["Tongke", "mediasoup"] * 2
    assert [task.what.partition(",")[0] for task in work] == turns
    assert [task.round for task in work] == [0, 0, 0, 1, 1, 1, 0, 0, 1, 1]


def _never() -> Any:
    raise AssertionError("nothing is started to make a plan")


def test_events_of_a_full_room_are_held_against_their_budget_and_none_may_be_missing() -> None:
    row = Room(60, 600.0, 3000, 6000, 191_999, 1, 2.5, 8.6, 410.0, 0.017, 0.015, 0.01)
    report = made(record("room", 0, row))
    assert "8.6" in table(report, "room")
    assert [each.split()[0] for each in tables.verdicts(report)] == ["kept", "MISSED"]
