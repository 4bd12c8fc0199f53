import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import commands

CLIENT = sorted((Path(__file__).parent / "samples" / "client").glob("*.json"))


def _without_defaults(value: dict[str, Any]) -> dict[str, Any]:
    empty = {"id": None, "name": None, "headcount": None, "resume": None, "device": None, "tracks": (), "to": None}
    return {key: item for key, item in value.items() if key not in empty or item != empty[key]}


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: path.stem)
def test_a_sample_from_the_browser_is_understood_whole(path: Path) -> None:
    text = path.read_text()
    parsed = json.loads(json.dumps(_without_defaults(asdict(commands.parse(text)))))
    assert parsed == json.loads(text)


@pytest.mark.parametrize(
    ("text", "code", "id"),
    [
        ("", "message_malformed", None),
        ("[]", "message_malformed", None),
        ("17", "message_malformed", None),
        ('{"id": 4}', "message_malformed", 4),
        ('{"type": 4, "id": 4}', "unknown_message", 4),
        ('{"type": "poll", "id": 4}', "unknown_message", 4),
        ('{"type": "hand", "id": 4}', "message_malformed", 4),
        ('{"type": "hand", "id": 4, "raised": 1}', "message_malformed", 4),
        ('{"type": "hand", "id": "4", "raised": true}', "message_malformed", None),
        ('{"type": "hand", "id": true, "raised": true}', "message_malformed", None),
        ('{"type": "chat", "text": ""}', "message_malformed", None),
        ('{"type": "chat", "text": "' + "长" * 501 + '"}', "message_malformed", None),
        ('{"type": "mark", "label": "' + "长" * 101 + '"}', "message_malformed", None),
        ('{"type": "offer", "direction": "both", "sdp": "", "generation": 1}', "message_malformed", None),
        ('{"type": "offer", "direction": "send", "sdp": "", "generation": -1}', "message_malformed", None),
        ("[" * 60_000, "message_malformed", None),
        ('{"type": "hand", "id": ' + "9" * 5000 + ', "raised": true}', "message_malformed", None),
        ('{"type": "chat", "text": "\\ud800"}', "message_malformed", None),
    ],
)
def test_text_that_is_no_message_has_a_code_and_keeps_its_number(text: str, code: str, id: int | None) -> None:
    with pytest.raises(commands.MessageError) as caught:
        commands.parse(text)
    assert (caught.value.code, caught.value.id) == (code, id)


def test_fields_nobody_knows_are_ignored() -> None:
    assert commands.parse('{"type": "hand", "raised": true, "colour": "red"}') == commands.RaiseHand(raised=True)


def test_an_error_never_repeats_what_was_said() -> None:
    with pytest.raises(commands.MessageError) as caught:
        commands.parse('{"type": "hello", "token": 12345678901234}')
    assert "1234" not in str(caught.value)


@given(st.text())
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    with pytest.raises(commands.MessageError):
        commands.parse(text)


DRAWN = '"tool": "pen", "colour": "red", "width": 25, "points": [1, 2]'


@pytest.mark.parametrize(
    "text",
    [
        *(
            f'{{"type": "page_turned", "surface": "{surface}"}}'
            for surface in (
                "board/0",
                "board/01",
                "board/1000",
                "board",
                "../../etc/1",
                "k3v9x2m1pq/7\\n",
                "ABCDEFGH/1",
                "/1",
            )
        ),
        '{"type": "page_turned", "surface": null}',
        f'{{"type": "stroke", "surface": "board/1", "stroke_id": "", {DRAWN}}}',
        f'{{"type": "stroke", "surface": "board/1", "stroke_id": "{"x" * 37}", {DRAWN}}}',
        f'{{"type": "stroke", "surface": "board/1", "stroke_id": "<b>", {DRAWN}}}',
        *(
            f'{{"type": "stroke", "surface": "board/1", "stroke_id": "s", {DRAWN.replace(good, bad)}}}'
            for good, bad in (
                ('"pen"', '"brush"'),
                ('"red"', '"#f00"'),
                ("25", "0"),
                ("25", "301"),
                ("25", "2.5"),
                ("[1, 2]", "[1]"),
                ("[1, 2]", "[1, -2]"),
                ("[1, 2]", "[1, 10001]"),
                ("[1, 2]", "[1, 2.5]"),
                ("[1, 2]", '[1, "2"]'),
                ("[1, 2]", str([1] * 402)),
            )
        ),
        '{"type": "strokes_removed", "surface": "board/1", "stroke_ids": []}',
        f'{{"type": "strokes_removed", "surface": "board/1", "stroke_ids": {json.dumps(["s"] * 201)}}}',
        '{"type": "surface_cleared"}',
    ],
)
def test_no_page_and_no_stroke_of_another_form_comes_in(text: str) -> None:
    with pytest.raises(commands.MessageError) as caught:
        commands.parse(text)
    assert caught.value.code == "message_malformed"
