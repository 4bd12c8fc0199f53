import dataclasses

from tests.bench.__main__ import report, table
from tests.bench.forwarding import Forwarding, forwarding

ROW = Forwarding(
    viewers=200,
    seconds=10.0,
    packets_in=2400,
    packets_out=480_000,
    dropped=0,
    cpu_share=0.34,
    us_per_packet_out=7.0,
    us_per_packet_in=1400.0,
    latency_p50_ms=2.0,
    latency_p99_ms=5.0,
    join_all_s=0.8,
    join_cpu_ms=2.5,
    memory_kb_per_viewer=120.0,
    load_share=0.2,
    others=0.01,
)


async def test_what_one_publisher_sends_reaches_every_viewer_of_a_real_worker() -> None:
    row = await forwarding(viewers=3, seconds=1.0)
    assert row.dropped == 0
    assert row.packets_out == 3 * row.packets_in > 0


def test_the_table_says_so_when_latency_could_not_be_measured() -> None:
    busy = dataclasses.replace(ROW, latency_p50_ms=None, latency_p99_ms=None, others=0.4)
    assert "not measured" in table([busy])
    assert "2.00 / 5.00" in table([ROW])


def test_the_table_holds_the_budget_against_the_row_of_two_hundred_viewers() -> None:
    assert "kept" in table([ROW])
    assert "MISSED" in table([dataclasses.replace(ROW, us_per_packet_out=9.0)])


def test_the_report_names_each_row_and_the_machine() -> None:
    made = report([ROW])
    assert made["rows"][0]["row"] == "forwarding"
    assert made["rows"][0]["us_per_packet_out"] == 7.0
    assert set(made["machine"]) == {"processor", "cores", "system", "python"}
