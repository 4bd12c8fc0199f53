import asyncio

import pytest

from server.tries import TooManyTriesError, WrongTries


def test_an_address_may_be_wrong_ten_times_a_minute() -> None:
    tries = WrongTries("code")
    for _ in range(10):
        tries.check("192.0.2.1")
        tries.wrong("192.0.2.1")
    with pytest.raises(TooManyTriesError) as raised:
        tries.check("192.0.2.1")
    assert 1 <= raised.value.retry_after <= 60
    tries.check("192.0.2.2")


def test_right_tries_are_never_counted() -> None:
    tries = WrongTries("code")
    for _ in range(100):
        tries.check("192.0.2.1")


def test_a_machine_with_a_whole_ipv6_network_is_one_address() -> None:
    tries = WrongTries("code", per_minute=2)
    tries.wrong("2001:db8::1")
    tries.wrong("2001:db8::2")
    with pytest.raises(TooManyTriesError):
        tries.check("2001:db8::3")


def test_guessing_from_many_addresses_is_stopped_and_keeps_no_class_out() -> None:
    tries = WrongTries("code", altogether_per_minute=20)
    for number in range(20):
        tries.wrong(f"192.0.2.{number}")
    with pytest.raises(TooManyTriesError):
        tries.check("192.0.2.7")
    tries.check("198.51.100.1")


def test_what_a_wrong_address_or_a_time_of_guessing_has_right_is_doubtful() -> None:
    tries = WrongTries("code", altogether_per_minute=3)
    tries.wrong("192.0.2.1")
    assert tries.doubtful("192.0.2.1")
    assert not tries.doubtful("198.51.100.1")
    for number in range(2, 4):
        tries.wrong(f"192.0.2.{number}")
    assert tries.doubtful("198.51.100.1")


async def test_tries_sent_all_at_once_are_counted_one_by_one() -> None:
    tries = WrongTries("code", per_minute=3)
    let_in = 0

    async def guess() -> None:
        nonlocal let_in
        async with tries.turn("192.0.2.1"):
            let_in += 1
            await asyncio.sleep(0)  # as a database is asked
            tries.wrong("192.0.2.1")

    results = await asyncio.gather(*(guess() for _ in range(20)), return_exceptions=True)
    assert let_in == 3
    assert sum(isinstance(result, TooManyTriesError) for result in results) == 17
