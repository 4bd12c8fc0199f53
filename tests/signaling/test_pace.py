from signaling.pace import (
    DRAWING,
    FORGIVEN,
    MAX_WAITING,
    MAX_WAITING_BYTES,
    MESSAGES,
    WINDOW,
    Outbox,
    Pace,
    Verdict,
)


def test_fifty_messages_in_any_five_seconds_are_fine() -> None:
    pace = Pace()
    every = WINDOW / MESSAGES * 1.001  # seconds; a hair more, for the rounding of floats
    assert {pace.received(index * every) for index in range(500)} == {Verdict.FINE}


def test_who_draws_says_more_and_is_bounded_all_the_same() -> None:
    pace = Pace(DRAWING)
    assert {pace.received(index / 25) for index in range(500)} == {Verdict.FINE}
    eager = Pace(DRAWING)
    verdicts = [eager.received(0.0) for _ in range(2 * DRAWING + 2)]
    assert verdicts.index(Verdict.WARN) == DRAWING
    assert verdicts[-1] is Verdict.CLOSE


def test_the_first_message_too_many_is_warned_of_and_the_second_ends_it() -> None:
    pace = Pace()
    verdicts = [pace.received(0.0) for _ in range(2 * MESSAGES + 2)]
    assert verdicts.index(Verdict.WARN) == MESSAGES
    assert verdicts.index(Verdict.CLOSE) == 2 * MESSAGES + 1
    assert verdicts.count(Verdict.FINE) == 2 * MESSAGES


def test_a_warning_is_forgotten() -> None:
    pace = Pace()
    for now in (0.0, FORGIVEN, 2 * FORGIVEN):
        verdicts = [pace.received(now) for _ in range(MESSAGES + 1)]
        assert verdicts[-1] is Verdict.WARN


def test_texts_leave_the_outbox_in_order() -> None:
    outbox = Outbox()
    for text in "一二三":
        assert outbox.put(text)
    assert [outbox.take() for _ in range(4)] == ["一", "二", "三", None]


def test_an_outbox_holds_a_thousand_messages() -> None:
    outbox = Outbox()
    assert all(outbox.put("x") for _ in range(MAX_WAITING))
    assert not outbox.put("x")


def test_an_outbox_holds_a_megabyte_counted_in_bytes_behind_what_is_under_way() -> None:
    outbox = Outbox()
    assert outbox.put("x")
    assert outbox.put("长" * (MAX_WAITING_BYTES // 3))
    assert not outbox.put("长")


def test_a_welcome_of_any_size_is_taken_when_nothing_waits() -> None:
    outbox = Outbox()
    welcome = "长" * MAX_WAITING_BYTES
    assert outbox.put(welcome)
    assert outbox.put("then")
    assert [outbox.take() for _ in range(3)] == [welcome, "then", None]


def test_an_outbox_that_was_emptied_has_room_again() -> None:
    outbox = Outbox()
    for _ in range(3):
        assert outbox.put("x")
        assert outbox.take() is not None
        assert outbox.put("y")
        assert outbox.put("长" * (MAX_WAITING_BYTES // 3))
        assert outbox.take() == "y"
        assert outbox.take() is not None


def test_an_outbox_that_overflowed_stays_shut_and_keeps_nothing() -> None:
    outbox = Outbox()
    outbox.put("before")
    assert not outbox.put("x" * (MAX_WAITING_BYTES + 1))
    assert outbox.take() is None
    assert not outbox.put("after")
