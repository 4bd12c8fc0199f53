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
