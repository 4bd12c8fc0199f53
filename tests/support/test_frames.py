from tests.support.frames import Frame, Gap, gaps, longest


def film(*moments: float, first: int = 1, received: float = 100.0) -> list[Frame]:
    """Frames taken every 40 ms, shown at these moments, complete `received` ms after they were taken."""
    return [
        Frame(shown, first + number, 640, 360, 90_000 + number * 3600, number * 40 + received)
        for number, shown in enumerate(moments)
    ]


def test_pictures_in_step_leave_no_gap() -> None:
    frames = film(0, 40, 80, 120, 160)
    assert gaps(frames) == []
    assert longest(frames) == 40


def test_a_picture_that_stands_is_a_gap_and_says_whether_the_network_was_late() -> None:
    frames = film(0, 40, 80, 400, 440)
    assert gaps(frames) == [Gap(80, 320, waited=0.0, skipped=40.0)]
    late = [*frames[:3], Frame(400, 4, 640, 360, 90_000 + 3 * 3600, 3 * 40 + 380.0), frames[4]]
    assert [gap.waited for gap in gaps(late)] == [280.0]


def test_a_gap_tells_how_much_of_the_film_is_missing() -> None:
    frames = film(*(40 * number for number in range(12)))
    renumbered = [*frames[:3], Frame(360, 4, 640, 360, frames[9].rtp, frames[9].received)]
    assert gaps(renumbered) == [Gap(80, 280, waited=0.0, skipped=280.0)]


def test_pictures_that_a_busy_page_was_not_told_of_were_shown_all_the_same() -> None:
    before, after = Frame(0, 10, 640, 360, None, None), Frame(400, 20, 640, 360, None, None)
    assert gaps([before, after]) == []
    assert longest([before, after]) == 40
    assert [gap.waited for gap in gaps([before, after], 30)] == [None]


def test_nothing_shown_has_no_longest_gap() -> None:
    assert longest([]) == longest(film(0)) == 0.0
