import re
from pathlib import Path

import pytest

from recorder import messages
from recorder.messages import (
    AppendEvents,
    Closed,
    Message,
    Open,
    OpenLesson,
    OpenRecording,
    RecordingChanged,
    Refused,
    WireError,
)


@pytest.mark.parametrize(
    "message",
    [
        OpenLesson("lesson", 1, "分数"),
        AppendEvents("lesson", ('{"seq":1}',)),
        Open((OpenRecording("lesson", 7),)),
        Closed(1200),
        RecordingChanged("lesson", "stopped", "disk_full"),
    ],
)
def test_every_message_survives_the_wire(message: Message) -> None:
    assert messages.from_wire(messages.to_wire(message)) == message


@pytest.mark.parametrize("value", [{}, {"type": "Nothing"}, {"type": "Closed"}, {"type": "Closed", "duration_ms": "1"}])
def test_what_is_no_message_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(WireError):
        messages.from_wire(value)


def test_the_codes_that_are_documented_are_those_that_are_sent() -> None:
    sources = [path.read_text("utf-8") for path in Path(messages.__file__).parent.glob("*.py")]
    refusals = re.findall(r"return Refused\(([^,]+),", "\n".join(sources))
    sent = set(re.findall(r'"(\w+)"', " ".join(refusals)))
    documented = re.findall(r"\w+", re.sub(r"\([^)]*\)", "", str(Refused.__doc__).partition("Codes:")[2]))
    assert sent == set(documented)
