import aioice.stun
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import stun
from media.ice import CONSENT, MAX_PATHS, TARGET_SILENCE, UDP_FIRST, Checked, IceLite, Path
from tests.support.captured import CONNECTIONS, captured

TCP = Path(2, ("192.0.2.1", 40001, 1), "tcp")
HOME, PHONE = Path(0, ("192.0.2.1", 40000)), Path(0, ("198.51.100.2", 50000))


def check(ice: IceLite, path: Path, now: float, *, nominate: bool = False, pwd: str | None = None) -> Checked:
    data = stun.request(f"{ice.ufrag}:peer", (pwd or ice.pwd).encode(), bytes(12), priority=1, use_candidate=nominate)
    return ice.check(data, path, now)


def error_code(checked: Checked) -> int | None:
    assert checked.reply is not None
    return aioice.stun.parse_message(checked.reply).error_code


@pytest.mark.parametrize(("browser", "direction"), [*CONNECTIONS, ("ffmpeg", "send")])
def test_the_checks_of_real_browsers_are_accepted_and_nominate(browser: str, direction: str) -> None:
    capture = captured(browser, direction)
    ice = IceLite(now=0.0)
    ice.ufrag, ice._key = capture.ufrag, capture.pwd.encode()
    for data in capture.checks:
        assert ice.check(data, HOME, now=0.1).accepted
    assert ice.target == HOME


def test_credentials_are_fresh_and_long_enough() -> None:
    one, other = IceLite(0.0), IceLite(0.0)
    assert one.ufrag != other.ufrag
    assert len(one.ufrag) >= 4
    assert len(one.pwd) >= 22


def test_the_first_valid_check_makes_a_target_and_is_answered() -> None:
    ice = IceLite(0.0)
    checked = check(ice, HOME, 1.0)
    assert checked.accepted
    assert ice.target == HOME
    assert checked.reply is not None
    reply = aioice.stun.parse_message(checked.reply)
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == HOME.address
    assert reply.check_message_integrity(ice.pwd.encode())


def test_a_plain_check_from_elsewhere_is_accepted_but_does_not_move_the_target() -> None:
    ice = IceLite(0.0)
    check(ice, HOME, 1.0, nominate=True)
    assert check(ice, PHONE, 1.5).accepted
    assert ice.target == HOME
    assert set(ice.paths) == {HOME, PHONE}


def test_a_nomination_moves_the_target_at_once() -> None:
    ice = IceLite(0.0)
    check(ice, HOME, 1.0, nominate=True)
    check(ice, PHONE, 1.1, nominate=True)
    assert ice.target == PHONE


def test_a_target_that_fell_silent_gives_way_to_a_plain_check() -> None:
    ice = IceLite(0.0)
    check(ice, HOME, 0.0, nominate=True)
    check(ice, PHONE, TARGET_SILENCE)
    assert ice.target == HOME
    check(ice, PHONE, TARGET_SILENCE + 0.1)
    assert ice.target == PHONE


def test_a_browser_is_lost_thirty_seconds_after_its_last_check() -> None:
    ice = IceLite(0.0)
    assert not ice.lost(CONSENT - 0.1)
    check(ice, HOME, 12.0)
    assert not ice.lost(41.9)
    assert ice.lost(42.0)


def test_any_path_keeps_the_consent_alive() -> None:
    ice = IceLite(0.0)
    check(ice, HOME, 0.0, nominate=True)
    check(ice, PHONE, 20.0)
    assert not ice.lost(45.0)


def test_of_too_many_paths_the_one_longest_unchecked_goes_but_never_the_target() -> None:
    ice = IceLite(0.0)
    paths = [Path(0, ("192.0.2.1", port)) for port in range(MAX_PATHS + 1)]
    for at, path in enumerate(paths[:MAX_PATHS]):
        assert check(ice, path, float(at), nominate=at == 0).evicted is None
    check(ice, paths[0], 3.0)
    checked = check(ice, paths[MAX_PATHS], 4.0)
    assert checked.evicted == paths[1]
    assert len(ice.paths) == MAX_PATHS
    assert ice.target == paths[0]


def test_a_wrong_password_is_refused_and_changes_nothing() -> None:
    ice = IceLite(0.0)
    checked = check(ice, HOME, 29.0, nominate=True, pwd="x" * 24)
    assert error_code(checked) == 401
    assert not checked.accepted
    assert ice.target is None
    assert ice.lost(30.0)


def test_a_check_without_credentials_is_a_bad_request() -> None:
    request = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
    request.add_fingerprint()
    assert error_code(IceLite(0.0).check(bytes(request), HOME, 1.0)) == 400


def test_a_browser_that_believes_it_is_controlled_is_told_otherwise() -> None:
    ice = IceLite(0.0)
    request = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
    request.attributes |= {"USERNAME": f"{ice.ufrag}:peer", "PRIORITY": 1, "ICE-CONTROLLED": 7}
    request.add_message_integrity(ice.pwd.encode())
    checked = ice.check(bytes(request), HOME, 1.0)
    assert error_code(checked) == 487
    assert not checked.accepted


def test_a_check_for_someone_else_and_a_response_are_ignored() -> None:
    ice = IceLite(0.0)
    other = stun.request("another:peer", b"x", bytes(12), priority=1, use_candidate=True)
    assert ice.check(other, HOME, 1.0) == Checked(None, False)
    assert ice.check(stun.response(bytes(12), "192.0.2.1", 1, b"x"), HOME, 1.0) == Checked(None, False)


def test_after_a_restart_the_old_credentials_serve_until_the_new_ones_are_used() -> None:
    ice = IceLite(0.0)
    former, former_pwd = ice.ufrag, ice.pwd
    check(ice, HOME, 1.0, nominate=True)
    ice.restart()
    assert list(ice.ufrags) == [ice.ufrag, former]
    old = stun.request(f"{former}:peer", former_pwd.encode(), bytes(12), priority=1, use_candidate=False)
    assert ice.check(old, HOME, 2.0).accepted
    checked = check(ice, PHONE, 3.0)
    assert checked.accepted
    assert checked.retired == former
    assert ice.target == PHONE
    assert list(ice.ufrags) == [ice.ufrag]
    assert not ice.check(old, HOME, 4.0).accepted


def test_a_second_restart_retires_the_credentials_before_the_last() -> None:
    ice = IceLite(0.0)
    first = ice.ufrag
    ice.restart()
    second = ice.ufrag
    ice.restart()
    assert first not in (ice.ufrag, second)
    assert ice.ufrags == (ice.ufrag, second)


def test_udp_is_preferred_to_tcp_whichever_is_nominated_first() -> None:
    ice = IceLite(0.0)
    check(ice, HOME, 1.0, nominate=True)
    check(ice, TCP, 1.1, nominate=True)
    assert ice.target == HOME
    ice = IceLite(0.0)
    check(ice, TCP, 1.0, nominate=True)
    check(ice, HOME, 1.1, nominate=True)
    assert ice.target == HOME


def test_a_browser_that_means_tcp_gets_it_though_its_udp_checks_still_come() -> None:
    ice = IceLite(0.0)
    check(ice, HOME, 1.0, nominate=True)
    for at in (2.0, 4.0, 6.0):
        check(ice, HOME, at)
        check(ice, TCP, at, nominate=True)
    assert ice.target == HOME
    check(ice, TCP, 1.0 + UDP_FIRST + 0.1, nominate=True)
    assert ice.target == TCP


def test_a_closed_connection_gives_way_to_the_path_checked_last() -> None:
    ice = IceLite(0.0)
    check(ice, PHONE, 1.0)
    check(ice, HOME, 2.0)
    check(ice, TCP, 3.0, nominate=True)
    check(ice, TCP, 9.0, nominate=True)
    assert ice.target == TCP
    ice.forget(TCP)
    assert ice.target == HOME
    ice.forget(HOME)
    ice.forget(PHONE)
    assert ice.target is None
    check(ice, PHONE, 10.0)
    assert ice.target == PHONE


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise_or_move_the_target(data: bytes) -> None:
    ice = IceLite(0.0)
    assert not ice.check(data, HOME, 1.0).accepted
    assert ice.target is None
