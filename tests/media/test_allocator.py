"""media/allocator.py: a table of viewers, and what each of their slots gets."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.allocator import ROOM, TOLERANCE, Demand, allocate, usable
from media.layers import Choice, Option

SMALL, MEDIUM, LARGE = Choice(0), Choice(1), Choice(2)
CAMERA = (
    Option(SMALL, 120e3, 180, flowing=True),
    Option(MEDIUM, 500e3, 360, flowing=True),
    Option(LARGE, 1500e3, 720, flowing=True),
)
SCREEN = (Option(SMALL, 200e3, 1080, flowing=True), Option(MEDIUM, 600e3, 1080, flowing=True))
PLAIN = (Option(SMALL, 1500e3, 720, flowing=True),)  # a camera without simulcast
SOUND = (Option(SMALL, 40e3, 0, flowing=True),)


def camera(rank: int = 1, chosen: Choice | None = None, shown: int | None = None) -> Demand:
    return Demand("video", rank, CAMERA, shown, chosen)


def screen(chosen: Choice | None = None) -> Demand:
    return Demand("video", 0, SCREEN, None, chosen)


def plain(chosen: Choice | None = None, rank: int = 1) -> Demand:
    return Demand("video", rank, PLAIN, None, chosen)


def sound(chosen: Choice | None = SMALL) -> Demand:
    return Demand("audio", 1, SOUND, None, chosen)


@pytest.mark.parametrize(
    ("kbps", "demands", "expected"),
    [
        pytest.param(10_000, [sound(), camera()], [SMALL, LARGE], id="there is plenty"),
        pytest.param(1_000, [sound(), camera()], [SMALL, MEDIUM], id="a viewer starts with 360p"),
        pytest.param(300, [sound(), camera()], [SMALL, SMALL], id="the smallest fits"),
        pytest.param(100, [sound(), camera()], [SMALL, None], id="sound only"),
        pytest.param(10, [sound(), camera()], [SMALL, None], id="sound is never paused"),
        pytest.param(500, [camera(), camera()], [SMALL, SMALL], id="all are seen before one is sharp"),
        pytest.param(900, [camera(2), camera(1)], [SMALL, MEDIUM], id="the first in rank is raised first"),
        pytest.param(200, [camera(2), camera(1)], [None, SMALL], id="the last in rank gives up its picture first"),
        pytest.param(900, [camera(), screen()], [SMALL, MEDIUM], id="the screen comes before the teacher"),
        pytest.param(400, [camera(), screen()], [SMALL, SMALL], id="a teacher beside the screen stays in the picture"),
        pytest.param(600, [plain(), screen()], [None, SMALL], id="what does not fit leaves room for what does"),
        pytest.param(1_600, [plain()], [None], id="one without layers is resumed only with room to spare"),
        pytest.param(1_600, [plain(SMALL)], [SMALL], id="one without layers stays while it fits"),
        pytest.param(1_400, [plain(SMALL)], [SMALL], id="one without layers stays while it nearly fits"),
        pytest.param(1_300, [plain(SMALL)], [None], id="one without layers is paused when it does not fit"),
        pytest.param(1_600, [camera(chosen=MEDIUM)], [MEDIUM], id="raised only with room to spare"),
        pytest.param(1_600, [camera(chosen=LARGE)], [LARGE], id="kept without room to spare"),
        pytest.param(1_300, [camera(chosen=LARGE)], [MEDIUM], id="lowered when it does not fit"),
        pytest.param(10_000, [camera(shown=150)], [SMALL], id="a small tile gets a small picture"),
        pytest.param(10_000, [camera(shown=230)], [SMALL], id="a slightly larger tile stretches it"),
        pytest.param(10_000, [camera(shown=300)], [MEDIUM], id="a larger tile gets the next"),
        pytest.param(10_000, [camera(shown=2000)], [LARGE], id="nothing is taller than the tallest"),
        pytest.param(10_000, [camera(shown=0)], [None], id="what is not shown is not sent"),
        pytest.param(700, [camera(1, shown=0), camera(2)], [None, MEDIUM], id="and leaves its share to others"),
        pytest.param(10_000, [Demand("video", 0, SCREEN, 400)], [MEDIUM], id="a small screen is smooth all the same"),
        pytest.param(10_000, [Demand("video", 0, ())], [None], id="a publication nobody knows anything of"),
        pytest.param(10_000, [], [], id="an empty page"),
    ],
)
def test_who_gets_what(kbps: float, demands: list[Demand], expected: list[Choice | None]) -> None:
    assert list(allocate(demands, kbps * 1000, pause=True).choices) == expected


def test_before_the_path_has_said_anything_every_picture_is_shown() -> None:
    allocation = allocate([sound(), plain(), camera(2)], 300e3, pause=False)
    assert allocation.choices == (SMALL, SMALL, SMALL)
    assert allocation.paused == (False, False, False)


@pytest.mark.parametrize(
    ("demands", "expected"),
    [
        pytest.param([sound(), camera()], [SMALL, SMALL], id="the only small picture"),
        pytest.param([camera(2), camera(1)], [None, SMALL], id="the first of two"),
        pytest.param([sound(), plain()], [SMALL, None], id="but not a large one"),
    ],
)
def test_a_path_that_is_not_starved_keeps_its_first_small_picture(
    demands: list[Demand], expected: list[Choice | None]
) -> None:
    assert list(allocate(demands, 60e3, pause=True, starved=False).choices) == expected
    assert allocate(demands, 60e3, pause=True, starved=True).choices[-1] is None


def test_paused_is_what_bandwidth_took_away_not_what_the_page_hides() -> None:
    allocation = allocate([sound(), camera(1, shown=0), plain()], 500e3, pause=True)
    assert allocation.choices == (SMALL, None, None)
    assert allocation.paused == (False, False, True)


def test_what_is_wanted_is_enough_for_the_next_step() -> None:
    demands = [sound(), screen(MEDIUM), camera(1, SMALL), camera(2, SMALL)]
    seen = []
    bitrate = 1_000e3
    while (allocation := allocate(demands, bitrate, pause=True)).wanted is not None:
        assert allocation.wanted > bitrate
        bitrate = allocation.wanted
        seen.append(allocation.choices)
        assert len(seen) < 10
    assert allocation.choices == (SMALL, MEDIUM, LARGE, LARGE)


def test_a_rate_that_wavers_does_not_make_the_picture_waver() -> None:
    chosen: Choice | None = None
    seen = []
    for kbps in [1_800, 1_500, 1_700, 1_400, 1_600, 1_450, 1_800]:
        (chosen,) = allocate([camera(chosen=chosen)], kbps * 1000, pause=True).choices
        seen.append(chosen)
    assert seen == [LARGE] * 7


def test_usable_counts_options_of_one_height_together() -> None:
    assert usable(Demand("video", 0, SCREEN, 100)) == 2
    assert usable(camera(shown=100)) == 1


picture = st.builds(
    Demand,
    kind=st.just("video"),
    rank=st.integers(0, 9),
    options=st.sampled_from([CAMERA, SCREEN, PLAIN, ()]),
    shown=st.sampled_from([None, 0, 90, 360, 1080]),
    chosen=st.sampled_from([None, SMALL, MEDIUM]),
)
anything = st.lists(st.one_of(picture, st.just(sound())), max_size=8)


@given(anything, st.floats(0, 20e6))
def test_no_more_is_given_than_there_is(demands: list[Demand], bitrate: float) -> None:
    allocation = allocate(demands, bitrate, pause=True)
    given = sum(
        next(it.bitrate for it in demand.options if it.choice == choice) * TOLERANCE
        for demand, choice in zip(demands, allocation.choices, strict=True)
        if choice is not None and demand.kind == "video"
    )
    assert given <= max(0.0, bitrate)


@given(anything, st.floats(0, 20e6), st.booleans())
def test_sound_is_never_paused(demands: list[Demand], bitrate: float, pause: bool) -> None:
    allocation = allocate(demands, bitrate, pause=pause)
    for demand, choice in zip(demands, allocation.choices, strict=True):
        assert demand.kind == "video" or choice == SMALL


@given(anything, st.floats(0, 20e6))
def test_the_same_again_changes_nothing(demands: list[Demand], bitrate: float) -> None:
    first = allocate(demands, bitrate, pause=True)
    again = [
        Demand(it.kind, it.rank, it.options, it.shown, choice)
        for it, choice in zip(demands, first.choices, strict=True)
    ]
    second = allocate(again, bitrate, pause=True)
    third = allocate(
        [
            Demand(it.kind, it.rank, it.options, it.shown, choice)
            for it, choice in zip(demands, second.choices, strict=True)
        ],
        bitrate,
        pause=True,
    )
    assert second.choices == third.choices or first.choices == second.choices


def test_ranks_decide_in_whatever_order_slots_come() -> None:
    demands = [camera(rank) for rank in range(3)]
    for some in itertools.permutations(demands):
        given = dict(zip([it.rank for it in some], allocate(some, 1_000e3, pause=True).choices, strict=True))
        assert given == {0: MEDIUM, 1: SMALL, 2: SMALL}
    assert ROOM > 1 > TOLERANCE
