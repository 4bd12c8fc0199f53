import json
import typing
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from signaling import commands, events, messages

SAMPLES = Path(__file__).parent / "samples"
CLIENT = sorted((SAMPLES / "client").glob("*.json"))
SERVER = sorted((SAMPLES / "server").glob("*.json"))


def _server_message(value: dict[str, Any]) -> messages.ServerMessage:
    if value["type"] == "event":
        return messages.EventMessage(events.Event.from_wire(value), value.get("prev"))
    if value["type"] == "answer":
        cls: type = messages.AnswerSend if value["direction"] == "send" else messages.AnswerReceive
    else:
        other = {"media_lost": messages.MediaLost, "slot_quality": messages.SlotQualities}
        cls = other.get(value["type"]) or getattr(messages, value["type"].title())
    return typing.cast(messages.ServerMessage, TypeAdapter(cls).validate_python(value))


@pytest.mark.parametrize("path", SERVER, ids=lambda path: path.stem)
def test_a_sample_to_the_browser_is_what_we_would_say(path: Path) -> None:
    value = json.loads(path.read_text())
    assert json.loads(messages.to_json(_server_message(value))) == value


def test_every_message_and_every_kind_of_event_has_a_sample() -> None:
    client = {json.loads(path.read_text())["type"] for path in CLIENT}
    assert client == {cls.__dataclass_fields__["type"].default for cls in typing.get_args(commands.ClientMessage)}
    server = [json.loads(path.read_text()) for path in SERVER]
    assert {value["type"] for value in server} == {
        *(cls.__dataclass_fields__["type"].default for cls in typing.get_args(messages.ServerMessage)[:-1]),
        "event",
    }
    kinds = {value["kind"] for value in server if value["type"] == "event"}
    assert kinds == {events.kind_of(cls) for cls in typing.get_args(events.Payload)}
