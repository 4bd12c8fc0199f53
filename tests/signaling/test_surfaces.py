"""What may be shown and drawn, and how much of it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from signaling import surfaces
from signaling.events import Event, PageTurned, SlidesAdded, SlidesRemoved, Stroke, StrokesRemoved, SurfaceCleared
from signaling.live import LiveRoom
from signaling.pages import PIECE
from signaling.room import Room, RoomError
from signaling.snapshot import StrokeRun, StrokeState
from signaling.surfaces import (
    MAX_BOARD_PAGES,
    MAX_SLIDE_PAGES,
    MAX_SLIDES,
    STROKE_NUMBERS,
    SURFACE_STROKES,
)
from signaling.visibility import alone
from tests.signaling.house import House

T, K, C, R, P, OBSERVER = "t-1", "k-1", "c-1", "r-1", "l-1", "o-1"
SLIDES = SlidesAdded("k3v9x2m1pq", "草原", 24, 1920, 1080)
SLIDE = "k3v9x2m1pq/7"


@pytest.fixture
def room() -> Room:
    room = Room()
    room.join(0, T, "lead_teacher", "主讲教师甲", None)
    room.join(0, K, "co_teacher", "辅助", None)
    room.join(0, C, "receiving_class", "六(1)班", 40)
    room.join(0, R, "remote_control", "主讲教师甲", None, class_id=T)
    room.join(0, P, "local_teacher", "", None, class_id=C)
    room.join(0, OBSERVER, "observer", "", None)
    room.add_slides(1, SLIDES)
    return room


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as house:
        yield house


def piece(surface: str = "board/1", stroke_id: str = "s", points: tuple[int, ...] = (1, 2, 3, 4)) -> Stroke:
    return Stroke(surface, stroke_id, "pen", "red", 25, points)


def code(command: Callable[[], object]) -> str:
    with pytest.raises(RoomError) as caught:
        command()
    return caught.value.code


def test_a_page_is_turned_to_by_teachers_and_a_remote_control_and_by_nobody_else(room: Room) -> None:
    for at, actor in enumerate((T, K, R), start=1):
        (turned,) = room.turn_page(10, actor, f"k3v9x2m1pq/{at}")
        assert turned.payload == PageTurned(f"k3v9x2m1pq/{at}")
    for actor in (C, P, OBSERVER):
        assert code(lambda actor=actor: room.turn_page(10, actor, SLIDE)) == "not_allowed"  # type: ignore[misc]
    assert room.state.pages.slide_page == "k3v9x2m1pq/3"


def test_only_teachers_draw_rub_out_and_clear(room: Room) -> None:
    for actor in (T, K):
        assert room.draw(10, actor, piece())
    for actor in (C, R, P, OBSERVER):
        for ask in (
            lambda actor: room.draw(10, actor, piece()),
            lambda actor: room.erase(10, actor, "board/1", ("s",)),
            lambda actor: room.clear_surface(10, actor, "board/1"),
        ):
            assert code(lambda ask=ask, actor=actor: ask(actor)) == "not_allowed"  # type: ignore[misc]
    assert room.state.pages.strokes_there == 2


def test_a_slide_and_a_page_of_the_board_are_turned_to_apart_and_each_is_told_once(room: Room) -> None:
    assert room.turn_page(10, T, SLIDE)
    assert room.turn_page(10, T, "board/2")
    assert room.turn_page(10, T, SLIDE) == room.turn_page(10, T, "board/2") == []
    snapshot = room.state.snapshot()
    assert (snapshot.slide_page, snapshot.board_page) == (SLIDE, "board/2")


@pytest.mark.parametrize(
    "surface", ["k3v9x2m1pq/25", "unknown0000/1", f"board/{MAX_BOARD_PAGES + 1}", "board/0", "k3v9x2m1pq/0"]
)
def test_a_page_that_there_is_not_is_neither_shown_nor_drawn_on(room: Room, surface: str) -> None:
    for ask in (
        lambda: room.turn_page(10, T, surface),
        lambda: room.draw(10, T, piece(surface)),
        lambda: room.erase(10, T, surface, ("s",)),
        lambda: room.clear_surface(10, T, surface),
    ):
        assert code(ask) == "unknown_surface"


def test_a_stroke_goes_on_piece_by_piece_and_keeps_the_tool_it_was_begun_with(room: Room) -> None:
    room.draw(10, T, piece(points=(1, 2)))
    room.draw(20, K, piece(points=(9, 9)))  # the same id of another teacher is another stroke
    room.draw(30, T, Stroke("board/1", "s", "marker", "blue", 150, (3, 4, 5, 6)))
    room.draw(40, T, piece("board/2", points=(7, 8)))  # and on another page, too
    assert room.state.pages.strokes == (
        StrokeState("board/1", "s", T, "pen", "red", 25, (1, 2, 3, 4, 5, 6)),
        StrokeState("board/1", "s", K, "pen", "red", 25, (9, 9)),
        StrokeState("board/2", "s", T, "pen", "red", 25, (7, 8)),
    )


def test_a_snapshot_has_strokes_in_runs_of_one_hand_and_tool_and_in_their_order(room: Room) -> None:
    room.draw(10, T, piece(stroke_id="a", points=(100, 200, 110, 190, 110, 195)))
    room.draw(11, T, piece(stroke_id="b", points=(5, 5)))
    room.draw(12, K, piece(stroke_id="c", points=(9_999, 0)))
    room.draw(13, T, piece(stroke_id="d", points=(0, 9_999)))
    assert room.state.snapshot().strokes == (
        StrokeRun("board/1", T, "pen", "red", 25, (("a", (100, 200, 10, -10, 0, 5)), ("b", (5, 5)))),
        StrokeRun("board/1", K, "pen", "red", 25, (("c", (9_999, 0)),)),
        StrokeRun("board/1", T, "pen", "red", 25, (("d", (0, 9_999)),)),
    )


def test_either_teacher_rubs_out_what_either_drew_and_what_is_gone_is_passed_over(room: Room) -> None:
    room.draw(10, T, piece(stroke_id="a"))
    room.draw(10, T, piece(stroke_id="b"))
    (gone,) = room.erase(20, K, "board/1", ("a", "never", "a"))
    assert gone.payload == StrokesRemoved("board/1", ("a",))
    assert room.erase(30, T, "board/1", ("a",)) == []
    assert [stroke.stroke_id for stroke in room.state.pages.strokes] == ["b"]


def test_a_page_is_cleared_alone_and_an_empty_one_says_nothing(room: Room) -> None:
    room.draw(10, T, piece())
    room.draw(10, T, piece(SLIDE))
    (cleared,) = room.clear_surface(20, T, "board/1")
    assert cleared.payload == SurfaceCleared("board/1")
    assert room.clear_surface(30, T, "board/1") == []
    assert [stroke.surface for stroke in room.state.pages.strokes] == [SLIDE]


def test_slides_that_go_take_their_strokes_and_their_place_along(room: Room) -> None:
    room.turn_page(10, T, SLIDE)
    room.turn_page(10, T, "board/1")
    room.draw(10, T, piece(SLIDE))
    room.draw(10, T, piece("board/1"))
    (gone,) = room.remove_slides(20, SLIDES.slides_id)
    assert gone.payload == SlidesRemoved(SLIDES.slides_id)
    assert room.remove_slides(30, SLIDES.slides_id) == []
    snapshot = room.state.snapshot()
    assert (snapshot.slides, snapshot.slide_page, snapshot.board_page) == ((), None, "board/1")
    assert [stroke.surface for stroke in snapshot.strokes] == ["board/1"]
    assert code(lambda: room.turn_page(40, T, SLIDE)) == "unknown_surface"


def test_slides_are_told_once_and_there_are_twenty_sets_of_two_hundred_pages(room: Room) -> None:
    assert room.add_slides(10, SLIDES) == []
    for number in range(MAX_SLIDES - 1):
        assert room.add_slides(10, SlidesAdded(f"slides{number:04}", "", MAX_SLIDE_PAGES, 4, 3))
    assert code(lambda: room.add_slides(20, SlidesAdded("onetoomany", "", 1, 4, 3))) == "too_many_slides"
    room.remove_slides(30, SLIDES.slides_id)
    longer = SlidesAdded("onetoomany", "", MAX_SLIDE_PAGES + 1, 4, 3)
    assert code(lambda: room.add_slides(40, longer)) == "too_many_slides"


@pytest.mark.parametrize("points", [(), (1,), (1, 2, 3)])
def test_points_are_pairs(room: Room, points: tuple[int, ...]) -> None:
    assert code(lambda: room.draw(10, T, piece(points=points))) == "message_malformed"


def test_a_stroke_without_end_is_refused_and_another_may_begin(room: Room) -> None:
    for _ in range(STROKE_NUMBERS // 400):
        room.draw(10, T, piece(points=(5,) * 400))
    assert code(lambda: room.draw(10, T, piece(points=(1, 2)))) == "message_malformed"
    assert room.draw(10, T, piece(stroke_id="next"))


def test_a_full_page_takes_no_stroke_until_it_is_cleared_and_what_is_begun_goes_on(room: Room) -> None:
    for number in range(SURFACE_STROKES):
        room.draw(10, T, piece(stroke_id=str(number), points=(1, 2)))
    assert code(lambda: room.draw(10, T, piece(stroke_id="more"))) == "board_full"
    assert room.draw(10, T, piece(stroke_id="0"))
    assert room.draw(10, T, piece("board/2", stroke_id="more"))
    room.clear_surface(10, T, "board/1")
    assert room.draw(10, T, piece(stroke_id="more"))


@pytest.mark.parametrize(("bound", "value"), [("LESSON_STROKES", 4), ("LESSON_NUMBERS", 8)])
def test_a_lesson_full_of_drawings_has_room_again_when_some_is_rubbed_out(
    room: Room, bound: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surfaces, bound, value)
    for number in range(4):
        room.draw(10, T, piece(f"board/{number + 1}", points=(1, 2)))
    assert code(lambda: room.draw(10, T, piece("board/9", points=(1, 2)))) == "board_full"
    room.erase(20, T, "board/1", ("s",))
    assert room.draw(30, T, piece("board/9", points=(1, 2)))
    room.clear_surface(40, T, "board/2")
    assert room.draw(50, T, piece("board/1", points=(1, 2)))


def test_a_lessons_log_is_bounded_however_much_is_rubbed_out(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surfaces, "LESSON_DRAWN", 3 * (PIECE + 4))
    for _ in range(3):
        room.draw(10, T, piece())
        room.clear_surface(10, T, "board/1")
    assert code(lambda: room.draw(10, T, piece())) == "too_many_messages"


def test_the_same_events_give_the_same_pages() -> None:
    room = Room()
    log = room.join(0, T, "lead_teacher", "", None) + room.join(0, K, "co_teacher", "", None)
    log += room.add_slides(1, SLIDES) + room.turn_page(2, T, SLIDE) + room.turn_page(2, T, "board/3")
    log += room.draw(3, T, piece(SLIDE)) + room.draw(3, T, piece(SLIDE)) + room.draw(3, K, piece(SLIDE))
    log += room.draw(4, T, piece("board/3")) + room.erase(5, K, "board/3", ("s",)) + room.draw(6, T, piece("board/1"))
    again = Room([Event.from_wire(event.to_wire()) for event in log])
    assert again.state.snapshot() == room.state.snapshot()
    pages, before = again.state.pages, room.state.pages
    counted = (pages.strokes_there, pages.numbers_there, pages.drawn)
    assert counted == (before.strokes_there, before.numbers_there, before.drawn) == (3, 16, 5 * (PIECE + 4))


async def test_a_class_sees_pages_and_strokes_and_a_late_one_all_that_is_there(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class", "六(1)班")
    _live(house).add_slides(SLIDES)
    await teacher.ask("page_turned", surface=SLIDE)
    for x in (1, 3):
        await teacher.ask("stroke", **_draw(SLIDE, [x, x + 1]))
    await pupils.event("page_turned", surface=SLIDE)
    await pupils.event("stroke", points=[3, 4])
    late = (await house.enter("receiving_class", "六(2)班")).welcome["snapshot"]
    assert (late["slides"][0]["title"], late["slide_page"], late["board_page"]) == ("草原", SLIDE, None)
    assert [(one["participant_id"], one["strokes"]) for one in late["strokes"]] == [(teacher.id, [["s", [1, 2, 2, 2]]])]


async def test_what_is_drawn_outlives_the_server_process(house: House) -> None:
    house.shelf = [SLIDES]
    teacher = await house.enter("lead_teacher")
    _live(house).add_slides(SLIDES)
    await teacher.ask("stroke", **_draw(SLIDE, [1, 2]))
    await teacher.ask("stroke", **_draw("board/1", [5, 6]))
    await teacher.ask("strokes_removed", surface="board/1", stroke_ids=["s"])
    await house.crash()
    snapshot = (await house.enter("lead_teacher")).welcome["snapshot"]
    assert [one["slides_id"] for one in snapshot["slides"]] == [SLIDES.slides_id]
    assert [one["surface"] for one in snapshot["strokes"]] == [SLIDE]


async def test_slides_ready_before_the_room_opens_are_there_for_whoever_comes_first(house: House) -> None:
    house.shelf = [SLIDES]
    await house.crash()
    first = await house.enter("receiving_class", lesson_id="l-2")
    assert [one["slides_id"] for one in first.welcome["snapshot"]["slides"]] == [SLIDES.slides_id]
    _live(house, "l-2").add_slides(SLIDES)  # made ready at the same moment: told once
    await first.quiet()
    assert not [one for one in first.heard if one["type"] == "event" and one["kind"] == "slides_added"]


async def test_slides_deleted_while_the_room_was_not_open_are_gone_when_it_is(house: House) -> None:
    await house.enter("lead_teacher")
    _live(house).add_slides(SLIDES)
    await house.crash()  # and then there are none on the shelf
    snapshot = (await house.enter("lead_teacher")).welcome["snapshot"]
    assert snapshot["slides"] == []


async def test_slides_that_cannot_be_read_keep_nobody_out(house: House) -> None:
    house.shelf = [SlidesAdded("toolong0", "", 500, 4, 3), SLIDES]
    await house.crash()
    first = await house.enter("lead_teacher", lesson_id="l-2")
    assert [one["slides_id"] for one in first.welcome["snapshot"]["slides"]] == [SLIDES.slides_id]


def test_a_class_at_the_door_is_told_no_page_and_no_stroke() -> None:
    room = Room()
    room.join(0, T, "lead_teacher", "", None)
    room.add_slides(1, SLIDES)
    room.draw(2, T, piece(SLIDE))
    room.join(3, C, "receiving_class", "六(1)班", 40, waits=True)
    seen = alone(room.state.participants[C], room.state.started_ms)
    assert (seen.slides, seen.slide_page, seen.board_page, seen.strokes) == ((), None, None, ())


async def test_a_remote_control_is_sent_pages_and_no_strokes(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    phone = await house.enter("remote_control")
    _live(house).add_slides(SLIDES)
    await teacher.ask("stroke", **_draw(SLIDE, [1, 2]))
    await teacher.ask("strokes_removed", surface=SLIDE, stroke_ids=["s"])
    await teacher.ask("stroke", **_draw(SLIDE, [1, 2]))
    assert (await phone.ask("page_turned", surface=SLIDE))["type"] == "done"
    assert "prev" in await phone.event("page_turned", surface=SLIDE)
    assert not [one for one in phone.heard if one["type"] == "event" and "stroke" in one["kind"]]
    again = (await house.enter("remote_control")).welcome["snapshot"]
    assert (again["slide_page"], again["strokes"]) == (SLIDE, [])


async def test_who_draws_twenty_pieces_a_second_is_not_told_to_slow_down(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    for x in range(120):  # more than anybody else may say in five seconds
        await teacher.say("stroke", **_draw("board/1", [x, x]))
    await teacher.quiet()
    assert not [one for one in teacher.heard if one["type"] == "error"]


async def test_a_lesson_drawn_full_lets_a_latecomer_in(house: House) -> None:
    await house.enter("lead_teacher", "主讲教师甲")
    live = _live(house)
    actor = next(iter(live.room.state.participants))
    for number in range(surfaces.LESSON_STROKES):
        surface = f"board/{1 + number // SURFACE_STROKES}"
        live.commit(live.room.draw(1, actor, piece(surface, f"{number:036}", (9_999,) * 20)))
    assert code(lambda: live.room.draw(1, actor, piece("board/9"))) == "board_full"
    late = await house.enter("receiving_class", "六(1)班")
    assert sum(len(run["strokes"]) for run in late.welcome["snapshot"]["strokes"]) == surfaces.LESSON_STROKES


def _live(house: House, lesson_id: str = "l-1") -> LiveRoom:
    room = house.rooms.find(lesson_id)
    assert room is not None
    return room


def _draw(surface: str, points: list[int]) -> dict[str, object]:
    return {"surface": surface, "stroke_id": "s", "tool": "pen", "colour": "ink", "width": 25, "points": points}
