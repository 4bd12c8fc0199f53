from media.candidates import candidates, hosts


def test_announced_addresses_come_first_and_loopback_last() -> None:
    assert hosts(["203.0.113.9"], ["127.0.0.1", "10.0.0.5"]) == ["203.0.113.9", "10.0.0.5", "127.0.0.1"]
    assert hosts([], ["::1", "10.0.0.5", "fd00::5"]) == ["10.0.0.5", "fd00::5", "::1"]


def test_several_announced_addresses_keep_their_order() -> None:
    announced = ["203.0.113.9", "2001:db8::9", "198.51.100.1"]
    assert hosts(announced, ["10.0.0.5"]) == [*announced, "10.0.0.5"]


def test_a_wildcard_address_is_no_candidate_and_none_comes_twice() -> None:
    assert hosts(["10.0.0.5"], ["0.0.0.0", "::"]) == ["10.0.0.5"]
    assert hosts(["10.0.0.5"], ["10.0.0.5"]) == ["10.0.0.5"]


def test_every_udp_candidate_is_preferred_to_every_tcp_candidate() -> None:
    listed = [it.split() for it in candidates(["10.0.0.5", "fd00::5"], ["10.0.0.5", "fd00::5"], 7000)]
    assert [it[2] for it in listed] == ["udp", "udp", "tcp", "tcp"]
    priorities = [int(it[3]) for it in listed]
    assert priorities == sorted(priorities, reverse=True)
    assert len(set(priorities)) == len({it[0] for it in listed}) == 4


def test_a_tcp_candidate_waits_to_be_connected_to() -> None:
    (only,) = candidates([], ["10.0.0.5"], 7001)
    assert only.split()[4:] == ["10.0.0.5", "7001", "typ", "host", "tcptype", "passive"]


def test_where_connections_are_handed_over_comes_after_the_workers_own_port() -> None:
    listed = [
        it.split() for it in candidates(["10.0.0.5"], ["10.0.0.5"], 7000, [("10.0.0.5", 8443), ("fd00::5", 8443)])
    ]
    assert [(it[2], it[4], it[5]) for it in listed[2:]] == [("tcp", "10.0.0.5", "8443"), ("tcp", "fd00::5", "8443")]
    priorities = [int(it[3]) for it in listed]
    assert priorities == sorted(priorities, reverse=True)
    assert len(set(priorities)) == len({it[0] for it in listed}) == 4


def test_no_candidate_is_on_443_with_an_address_that_is_not_public() -> None:
    handed = [(host, 443) for host in ("10.0.0.5", "127.0.0.1", "100.64.0.1", "fd00::5", "203.0.113.9", "8.8.4.4")]
    assert [it.split()[4] for it in candidates([], [], 7000, handed)] == ["8.8.4.4"]
    assert candidates([], [], 7000, [("8.8.4.4", 444)]) == []
    assert len(candidates([], [], 7000, [("8.8.4.4", 80)])) == 1
