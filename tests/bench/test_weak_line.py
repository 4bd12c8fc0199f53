from tests.bench.weak_line import WeakLine, concealed, judge, on_one_clock
from tests.support.browser import Received
from tests.support.frames import Frame


def film(*, without: tuple[int, int] = (0, 0), origin: float = 0.0, count: int = 100) -> list[Frame]:
    """Pictures every 40 ms, but for those between two moments."""
    moments = [40 * n for n in range(count) if not without[0] < 40 * n < without[1]]
    return on_one_clock([Frame(at, number, 1280, 720, 90 * at, float(at)) for number, at in enumerate(moments)], origin)


def row(weak: list[Frame], clean: list[Frame], sound: float = 0.001) -> WeakLine:
    return judge("random", 4.0, (1000, 50), [weak, clean], [sound, 0.0])


def test_a_whole_picture_and_sound_keep_the_budget() -> None:
    whole = row(film(), film())
    assert (whole.freezes, whole.longest_ms, whole.frozen, whole.height, whole.lost) == (0, 40, 0, 720, 0.05)
    assert whole.kept


def test_a_freeze_of_the_line_breaks_the_budget_and_a_short_one_does_not() -> None:
    broken = row(film(without=(1000, 1400)), film())
    assert (broken.freezes, broken.longest_ms, broken.frozen) == (1, 400, 0.1)
    assert not broken.kept
    assert row(film(without=(1000, 1200)), film()).kept


def test_a_freeze_that_a_clean_line_has_at_the_same_moment_is_told_apart() -> None:
    both = row(film(without=(1000, 1400), origin=500.0), film(without=(1000, 1400), origin=600.0))
    assert (both.freezes, both.shared_freezes, both.longest_ms) == (0, 1, 40)
    assert both.kept
    elsewhere = row(film(without=(500, 900)), film(without=(3000, 3400)))
    assert (elsewhere.freezes, elsewhere.shared_freezes) == (1, 0)


def test_sound_that_is_made_up_breaks_the_budget() -> None:
    assert not row(film(), film(), sound=0.006).kept


def test_concealed_sound_is_counted_over_all_voices_that_sounded() -> None:
    def voice(ssrc: int, packets: int, samples: int, made_up: int) -> Received:
        return Received("0", "audio", ssrc, 0.0, packets, 0, 0, 0, 0, 0, 0.0, 0.0, samples, made_up)

    before = [voice(1, 10, 1000, 500), voice(2, 10, 1000, 0), voice(3, 5, 100, 100)]
    after = [voice(1, 20, 2000, 510), voice(2, 20, 2000, 0), voice(3, 5, 1100, 1100)]
    assert concealed(before, after) == 0.005
    assert concealed(before, before) == 1.0  # nothing came at all
