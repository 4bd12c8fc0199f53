from pathlib import Path

from tests.support.screenshots import keep, kept_in, name_of


async def _take(file: Path) -> None:
    file.write_bytes(b"picture")


async def _fail(_: Path) -> None:
    raise RuntimeError("the page is gone")


async def test_every_page_is_kept_by_the_name_of_its_route_and_none_over_another(tmp_path: Path) -> None:
    folder = tmp_path / "journey"
    with kept_in(folder):
        await keep([("http://h/teach/l-1/audience", _take), ("http://h/", _take)])
        await keep([("http://h/live/l-1", _take), ("about:blank", _take)])
    assert sorted(one.name for one in folder.iterdir()) == ["01-teach-audience.jpg", "02-home.jpg", "03-live.jpg"]


async def test_a_picture_that_cannot_be_taken_stops_nobody(tmp_path: Path) -> None:
    with kept_in(tmp_path):
        await keep([("http://h/live/l-1", _fail), ("http://h/phone/l-1", _take)])
    assert [one.name for one in tmp_path.iterdir()] == ["02-phone.jpg"]


async def test_nothing_is_kept_where_nobody_asked_for_it(tmp_path: Path) -> None:
    await keep([("http://h/live/l-1", _take)])
    assert list(tmp_path.iterdir()) == []


def test_no_id_and_no_secret_of_an_address_becomes_a_name() -> None:
    assert name_of("http://h/replay/l-12345678?t=7") == "replay"
    assert name_of("http://h/class#12345678") == "class"
