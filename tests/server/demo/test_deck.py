import json
from pathlib import Path
from typing import Any

import pytest

from server.demo import deck
from server.demo.lecturer import script
from server.slides.drawing import draw
from server.slides.slide_set import SOURCE
from signaling.commands import parse


@pytest.mark.parametrize("made", [deck.grassland, deck.circle])
def test_the_slides_of_the_demonstration_can_be_drawn(tmp_path: Path, made: Any) -> None:
    (tmp_path / SOURCE).write_bytes(made())
    said: list[dict[str, object]] = []
    draw(tmp_path, "pdf", said.append)
    assert said[0] == {"pages": 4, "width": 1920, "height": 1080}
    assert min(path.stat().st_size for path in tmp_path.glob("?.webp")) > 2000  # none of them is empty


def test_the_lecturer_says_what_a_room_understands_and_stays_on_its_four_pages() -> None:
    said = [moment.message for moment in script("0123456789abcdef")]
    for message in said:
        parse(json.dumps(message))
    pages = {one["surface"] for one in said if one["type"] == "page_turned"}
    assert pages == {f"0123456789abcdef/{page}" for page in range(1, 5)} | {"board/1"}
    assert 60 < sum(moment.after for moment in script("0123456789abcdef")) < 120  # a round within the sample recording
