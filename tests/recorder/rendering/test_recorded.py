"""What a real recorder has written, rendered: flash and beep stay together through all that lines and people do."""

import asyncio
import itertools
from pathlib import Path

import av
import pytest

from recorder.messages import CloseLesson
from recorder.rendering import audio, camera
from recorder.rendering.progress import ignored
from tests.recorder.process import recorder_process
from tests.recorder.source import later, picture, publication, sound, together
from tests.recorder.test_recorder import now_us, record_quickly
from tests.recorder.watch import decode_file, risings


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(recorded(tmp_path_factory.mktemp("archive")))


async def recorded(archive: Path) -> Path:
    """A camera that loses packets, is switched off, comes back smaller; a browser that dies and publishes anew."""
    begin = now_us() - 60_000_000
    first = publication("lesson", "c-1", "H264", begin, handle=1)
    microphone = publication("lesson", "m-1", "opus", begin, "microphone", handle=2)
    again = publication("lesson", "c-2", "H264", begin, handle=3)
    speaking = publication("lesson", "m-2", "opus", begin, "microphone", handle=4)
    seen = list(first.stream(picture("H264", 8), begin, delay_us=60_000))
    seen = [packet for number, packet in enumerate(seen) if number % 90 != 45]  # for good, and a key frame every 2 s
    smaller = first.stream(later(picture("H264", 6, 160, 90), 14_000_000), begin, delay_us=60_000)
    heard = microphone.stream(sound(20), begin, delay_us=20_000)
    async with recorder_process(archive) as recorder:
        await recorder.send(first.announce(), microphone.announce())
        await recorder.send(*(timed.data for timed in together(seen, smaller, heard)))
        await recorder.send(again.announce(), speaking.announce())
        come_back = together(
            again.stream(picture("H264", 6), begin + 30_000_000, delay_us=60_000),
            speaking.stream(sound(6), begin + 30_000_000, delay_us=20_000),
        )
        await recorder.send(*(timed.data for timed in come_back))
        await recorder.client.request(CloseLesson("lesson"))
    return archive / "lesson"


def test_flash_and_beep_are_one_after_every_accident(lesson: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    camera.render(lesson, out, ignored)
    bright, loud = risings(decode_file(out, 0), 130), risings(decode_file(out, 1), 0.01)
    # Where a picture was missing, and where one comes back in its bright half, no flash tells anything.
    told = [
        (flash, min(loud, key=lambda beep: abs(beep - flash))) for flash in bright if abs(flash - round(flash)) < 0.2
    ]
    apart = [abs(flash - beep) for flash, beep in told if abs(flash - beep) < 0.5]
    assert len(apart) >= 12
    assert max(apart) < 0.1, told  # the first seconds stand where arrivals put them, 40 ms apart
    assert len([beep for beep in loud if beep < 21]) == 19
    assert [round(beep) for beep in loud if beep > 21] == [30, 31, 32, 33, 34, 35]


def test_the_sound_has_no_hole(lesson: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.m4a"
    audio.render(lesson, out, ignored)
    frames = decode_file(out, 0)
    assert frames[-1].at_s == pytest.approx(36, abs=0.1)
    assert max(b.at_s - a.at_s for a, b in itertools.pairwise(frames)) < 0.03


async def test_a_camera_in_av1_becomes_h264(tmp_path: Path) -> None:
    folder = await record_quickly(tmp_path, ("AV1", "opus"), 6)
    out = tmp_path / "out.mp4"
    camera.render(folder, out, ignored)
    with av.open(str(out)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
    bright, loud = risings(decode_file(out, 0), 130), risings(decode_file(out, 1), 0.01)
    assert len(bright) == len(loud) == 5
    assert bright == pytest.approx(loud, abs=0.06)
