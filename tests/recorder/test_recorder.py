import time
from pathlib import Path

from recorder.describe import describe
from recorder.messages import Closed, CloseLesson, Opened, OpenLesson
from tests.recorder.process import recorder_process
from tests.recorder.source import picture, publication, sound, together
from tests.recorder.watch import decode, risings


def now_us() -> int:
    return time.time_ns() // 1000


async def test_a_lesson_becomes_an_archive_in_which_camera_screen_and_microphone_are_in_step(tmp_path: Path) -> None:
    begin = now_us() - 30_000_000
    epoch = begin - 5_000_000
    camera = publication("lesson", "c-1", "H264", epoch, handle=1)
    microphone = publication("lesson", "m-1", "opus", epoch, "microphone", handle=2)
    screen = publication("lesson", "s-1", "H264", epoch, "screen", handle=3)
    async with recorder_process(tmp_path) as recorder:
        assert await recorder.client.request(OpenLesson("lesson", epoch, "分数的意义")) == Opened(0)
        await recorder.send(camera.announce(), microphone.announce(), screen.announce())
        await recorder.send(
            *(
                timed.data
                for timed in together(
                    camera.stream(picture("H264", 20), begin, delay_us=150_000),
                    microphone.stream(sound(20), begin, delay_us=20_000),
                    screen.stream(picture("H264", 20, 640, 360), begin, delay_us=80_000),
                )
            )
        )
        closed = await recorder.client.request(CloseLesson("lesson"))
    assert isinstance(closed, Closed)
    assert 19_900 <= closed.duration_ms <= 20_300
    folder = tmp_path / "lesson"
    body = describe(folder)
    assert body["status"] == "ready"
    assert [track["gaps"] for track in body["tracks"]] == [[], [], []]
    seen = {track["publication_id"]: decode(folder / track["playlist"]) for track in body["tracks"]}
    assert len(seen["c-1"]) == len(seen["s-1"]) == 400
    beats = {
        "camera": risings(seen["c-1"], 130),
        "screen": risings(seen["s-1"], 130),
        "microphone": risings(seen["m-1"], 0.01),
    }
    for name, times in beats.items():
        # The first seconds stand where arrivals put them; then sender reports have spoken. 20 ms were under way.
        late = [at - 5.02 - round(at - 5.02) for at in times if at > 12]
        assert len(late) >= 12, name
        assert all(abs(error) < 0.05 for error in late), (name, late)
