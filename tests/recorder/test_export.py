from pathlib import Path

import av
import pytest

from recorder.export import ExportError, export
from recorder.manifest import Manifest, write_manifest
from recorder.messages import CloseLesson
from tests.recorder.process import recorder_process
from tests.recorder.source import picture, publication, sound, together
from tests.recorder.test_recorder import now_us, record_quickly
from tests.recorder.watch import decode_file, risings


@pytest.mark.parametrize("codec", ["H264", "VP8", "VP9"])
async def test_an_export_is_one_ordinary_mp4_with_picture_and_sound_in_step(tmp_path: Path, codec: str) -> None:
    folder = await record_quickly(tmp_path, (codec, "opus"), 10)
    out = tmp_path / "lesson.mp4"
    export(folder, out)
    with av.open(str(out)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(10, abs=0.15)
    bright, loud = risings(decode_file(out, 0), 130), risings(decode_file(out, 1), 0.01)
    assert len(bright) == len(loud) == 9
    assert bright == pytest.approx(loud, abs=0.06)
    assert not list(tmp_path.glob("*.part"))


async def test_an_export_goes_through_a_reconnect_with_another_picture_size(tmp_path: Path) -> None:
    begin = now_us() - 60_000_000
    async with recorder_process(tmp_path) as recorder:
        for handle, (at, width) in enumerate(((0, 320), (10_000_000, 160)), 1):
            camera = publication("lesson", f"c-{handle}", "H264", begin, handle=handle)
            microphone = publication("lesson", f"m-{handle}", "opus", begin, "microphone", handle=handle + 10)
            frames = picture("H264", 6, width, width * 9 // 16)
            media = together(camera.stream(frames, begin + at), microphone.stream(sound(6), begin + at))
            await recorder.send(camera.announce(), microphone.announce(), *(timed.data for timed in media))
        await recorder.client.request(CloseLesson("lesson"))
    out = tmp_path / "lesson.mp4"
    export(tmp_path / "lesson", out)
    bright, loud = risings(decode_file(out, 0), 130), risings(decode_file(out, 1), 0.01)
    assert [round(at) for at in bright] == [1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]
    assert bright == pytest.approx(loud, abs=0.06)


def test_a_lesson_without_the_lead_teacher_cannot_be_exported(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest("lesson", 0, ""))
    with pytest.raises(ExportError):
        export(tmp_path, tmp_path / "out.mp4")
