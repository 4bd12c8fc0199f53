import json
from pathlib import Path

import pytest

from server.demo import deck
from server.demo.lecturer import script
from server.slides.drawing import draw
from server.slides.slide_set import SOURCE
from signaling.commands import parse

DECKS = pytest.mark.parametrize("made", [deck.GRASSLAND, deck.CIRCLE], ids=lambda one: one.title)


@DECKS
def test_the_slides_of_the_demonstration_can_be_drawn(tmp_path: Path, made: deck.Deck) -> None:
    (tmp_path / SOURCE).write_bytes(made.pdf())
    said: list[dict[str, object]] = []
    draw(tmp_path, "pdf", said.append)
    assert said[0] == {"pages": 4, "width": 1920, "height": 1080}
    assert min(path.stat().st_size for path in tmp_path.glob("?.webp")) > 2000  # none of them is empty


@DECKS
def test_the_lecturer_says_what_a_room_understands_and_stays_on_its_four_pages(made: deck.Deck) -> None:
    said = [moment.message for moment in script("0123456789abcdef", made)]
    for message in said:
        parse(json.dumps(message))
    pages = {one["surface"] for one in said if one["type"] == "page_turned"}
    assert pages == {f"0123456789abcdef/{page}" for page in range(1, 5)} | {"board/1"}
    assert (
        60 < sum(moment.after for moment in script("0123456789abcdef", made)) < 110
    )  # a round within the sample recording
