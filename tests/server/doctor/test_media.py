import pytest

from server.doctor import media
from server.doctor.media import codecs, loopback, only
from server.listeners import local_addresses


def test_an_answer_can_be_cut_down_to_one_address() -> None:
    answer = (
        "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.2 7000 typ host\r\n"
        "a=candidate:2 1 udp 2130706175 2001:db8::1 7000 typ host\r\n"
        "a=end-of-candidates\r\n"
    )
    assert only(answer, "2001:DB8::1") == (
        "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\n"
        "a=candidate:2 1 udp 2130706175 2001:db8::1 7000 typ host\r\n"
        "a=end-of-candidates\r\n"
    )


def test_media_flow_through_a_real_worker_by_every_address() -> None:
    findings = list(loopback())
    assert [finding.check for finding in findings] == [f"media {ip}" for ip in local_addresses()]
    assert {finding.status for finding in findings} == {"ok"}, findings
    assert all("TCP answers too" in finding.says for finding in findings)


def test_an_address_that_answers_by_udp_alone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "TCP_TIME", 0.0)
    findings = list(loopback())
    assert {finding.status for finding in findings} == {"warn"}, findings
    assert all("pass TCP" in finding.do for finding in findings)


def test_an_address_through_which_nothing_comes_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "FLOW_TIME", 0.5)
    monkeypatch.setattr(media, "only", lambda sdp, ip: only(sdp, "198.51.100.1"))
    assert {finding.status for finding in loopback()} == {"bad"}


def test_a_worker_that_does_not_start_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.doctor.media.sys.executable", "/bin/false")
    (finding,) = loopback()
    assert (finding.check, finding.status) == ("media", "bad")


def test_the_codecs_of_this_machine_are_looked_at() -> None:
    (finding,) = codecs()
    assert ("Missing" in finding.says) == (finding.status == "warn")
