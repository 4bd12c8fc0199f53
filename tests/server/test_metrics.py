from media.messages import SlotStatistics
from media.messages import TransportStatistics as Line
from server.metrics import HttpMeter, exposition, parse_name


def test_the_counters_of_all_workers_are_shown_with_their_number() -> None:
    measured = {
        "0": {"packets_in": 5.0, "dropped_stun_malformed": 2.0, "transports": 1.0},
        "1": {"packets_in": 7.0},
    }
    text = exposition(HttpMeter(), measured, {"recorder_connected": ("The recorder", 1.0)}).decode()
    assert 'tongke_media_packets_in_total{worker="0"} 5.0' in text
    assert 'tongke_media_packets_in_total{worker="1"} 7.0' in text
    assert 'tongke_media_dropped_total{reason="stun_malformed",worker="0"} 2.0' in text
    assert 'tongke_media_transports{worker="0"} 1.0' in text
    assert "# TYPE tongke_media_transports gauge" in text
    assert "# TYPE tongke_media_packets_in_total counter" in text
    assert "tongke_recorder_connected 1.0" in text


def test_what_was_dropped_is_one_metric_with_its_reasons() -> None:
    assert parse_name("dropped_stun_malformed") == ("dropped", {"reason": "stun_malformed"})
    assert parse_name("packets_in") == ("packets_in", {})


def _line(number: int, rtt_ms: float | None, loss: float, bitrate: float, height: int, paused: bool = False) -> Line:
    slot = SlotStatistics("3", "p", "m", height, paused, bitrate, loss, 1.0, 0, 0, 0)
    return Line(f"r-{number}", "receive", True, "udp", rtt_ms, None, bitrate, (), (slot,))


def test_the_lines_of_all_participants_are_shown_together() -> None:
    lines = [
        _line(1, 20.0, 0.0, 3e6, 720),
        _line(2, 80.0, 0.04, 1e6, 360),
        _line(3, None, 0.0, 0.0, 360, paused=True),
        Line("s-1", "send", True, "tcp", 40.0, None, 2e6, (), ()),
        Line("r-9", "receive", False, "udp", None, None, 0.0, (), ()),  # not connected yet
    ]
    text = exposition(HttpMeter(), {}, {}, lines).decode()
    assert 'tongke_lines{direction="receive",protocol="udp"} 3.0' in text
    assert 'tongke_lines{direction="send",protocol="tcp"} 1.0' in text
    assert 'tongke_line_bits_per_second{direction="receive",protocol="udp"} 4e+06' in text
    assert 'tongke_line_loss_ratio{direction="receive",protocol="udp"} 0.01' in text
    assert 'tongke_line_round_trip_seconds{direction="receive",protocol="udp",quantile="0.95"} 0.08' in text
    assert "tongke_slots_paused 1.0" in text
    assert 'tongke_slots_by_height{height="360"} 1.0' in text


def test_without_participants_there_is_nothing_to_say_of_lines() -> None:
    text = exposition(HttpMeter(), {}, {}).decode()
    assert "tongke_slots_paused 0.0" in text
    assert "tongke_lines{" not in text
