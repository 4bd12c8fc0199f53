from pathlib import Path

from recorder.messages import CloseLesson, OpenLesson, RecordingChanged
from recorder.recorder import RETRY_US, Recorder
from tests.recorder.source import publication, sound


def test_recording_stops_before_the_disk_is_full_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    told: list[object] = []
    recorder = Recorder(tmp_path, told.append)
    recorder.handle(OpenLesson("lesson", 0, "数学"))
    feed = recorder.feed(publication("lesson", "m-1", "opus", 0, "microphone").track, lambda: None)

    def speak(first: int, count: int) -> None:
        for number in range(first, first + count):
            feed.packet(number * 20_000, number & 0xFFFF, number * 960, 7, True, sound(2)[number % 100].data, 127)

    speak(0, 500)
    recorder.room(enough=True, plenty=False, now_us=10_000_000)
    assert told == [RecordingChanged("lesson", "on", "")]
    recorder.room(enough=False, plenty=False, now_us=10_000_000)
    speak(500, 500)
    assert told[1:] == [RecordingChanged("lesson", "stopped", "disk_full")]
    assert recorder.states() == told[1:]
    recorder.room(enough=True, plenty=True, now_us=10_000_000 + RETRY_US // 2)
    assert len(told) == 2
    recorder.room(enough=True, plenty=True, now_us=10_000_000 + RETRY_US)
    assert told[2:] == [RecordingChanged("lesson", "on", "")]
    speak(1000, 500)
    closed = recorder.handle(CloseLesson("lesson"))
    assert closed.duration_ms == 30_000  # type: ignore[union-attr]
