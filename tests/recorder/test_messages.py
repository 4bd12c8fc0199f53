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
