"""Every playlist a lesson produces keeps the rules of RFC 8216bis, at every second of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.recorder.rules import master_faults, media_faults, parse, reload_faults
from tests.recorder.source import Publication, Sample, Timed, later, picture, publication, sound, together
from tests.recorder.virtual import VirtualRecorder

BEGIN = 1_790_000_000_000_000
EPOCH = BEGIN - 600_000_000  # the lesson clock has run for ten minutes
S = 1_000_000


class Inspector:
    """Looks at all playlists of a lesson every second, and remembers what they were."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before: dict[Path, str] = {}
        self.faults: list[str] = []
        self.seconds = 0

    def __call__(self) -> None:
        self.seconds += 1
        for path in sorted(self._folder.rglob("*.m3u8")):
            text = path.read_text()
            name = f"second {self.seconds}, {path.relative_to(self._folder)}: "
            if "EXT-X-STREAM-INF" in text:
                faults = master_faults(text, path.parent)
            elif text == self._before.get(path):
                continue
            else:
                faults = media_faults(text, path.parent)
                faults += reload_faults(self._before[path], text) if path in self._before else []
                self._before[path] = text
            self.faults += [name + fault for fault in faults]


class Lesson:
    """A lesson in virtual time, inspected every second."""

    def __init__(self, archive: Path) -> None:
        self.folder = archive / "lesson"
        self.inspect = Inspector(self.folder)
        self.recorder = VirtualRecorder(archive, BEGIN, self.inspect)

    def play(self, *streams: Iterator[Timed], at_s: float = 0) -> None:
        self.recorder.play(BEGIN + int(at_s * S), together(*streams))

    def end(self) -> None:
        self.recorder.end("lesson")
        self.inspect()

    def list(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    return Lesson(tmp_path)


def teacher(name: str, handle: int, codec: str = "H264") -> tuple[Publication, Publication]:
    """Camera and microphone."""
    camera = publication("lesson", f"{name}-camera", codec, EPOCH, handle=handle)
    return camera, publication("lesson", f"{name}-microphone", "opus", EPOCH, "microphone", handle=handle + 1)


def on_air(lesson: Lesson, both: tuple[Publication, Publication], at_s: float, samples: list[Sample]) -> None:
    """Both are announced and sent from `at_s` on."""
    camera, microphone = both
    begin = BEGIN + int(at_s * S)
    lesson.recorder.until(begin)
    lesson.recorder.send(camera.announce(), microphone.announce())
    seconds = 1 + samples[-1].at_us // S
    lesson.play(camera.stream(samples, begin), microphone.stream(sound(seconds), begin), at_s=at_s)


def without(samples: list[Sample], from_s: float, to_s: float) -> list[Sample]:
    """A camera that was switched off for a while; back, it begins with a key frame."""
    kept = [sample for sample in samples if not from_s * S <= sample.at_us < to_s * S]
    first = next((sample for sample in kept if sample.at_us >= to_s * S and sample.key), None)
    return [sample for sample in kept if sample.at_us < from_s * S or (first and sample.at_us >= first.at_us)]


def rarely(samples: list[Sample], every: int) -> list[Sample]:
    """The same pictures at a lower, uneven rate."""
    times, made = 0, []
    for number, sample in enumerate(samples):
        made.append(Sample(times, sample.data, sample.key))
        times += every * 50_000 + (number % 3 - 1) * 20_000
    return made


@pytest.mark.parametrize("watched", [False, True])
def test_lists_of_an_ordinary_lesson_keep_the_rules(lesson: Lesson, watched: bool) -> None:
    both = teacher("a", 1)
    lesson.recorder.open("lesson")
    if watched:
        lesson.recorder.watch("lesson")
    on_air(lesson, both, 0, picture("H264", 50))
    live = lesson.list("live-camera.m3u8")
    lesson.end()
    assert lesson.inspect.faults == []
    assert ("EXT-X-PART:" in live) == watched
    assert "EXT-X-ENDLIST" in lesson.list("live-camera.m3u8")


@pytest.mark.parametrize("late_s", [0.21, 0.8, 1.4])
def test_lists_of_a_camera_that_begins_after_its_sound_say_how_long_its_pictures_are(
    lesson: Lesson, late_s: float
) -> None:
    camera, microphone = teacher("a", 1)
    lesson.recorder.open("lesson")
    lesson.recorder.send(camera.announce(), microphone.announce())
    pictures = later(picture("H264", 14), int(late_s * S))
    lesson.play(camera.stream(pictures, BEGIN), microphone.stream(sound(15), BEGIN))
    lesson.recorder.crash()
    lesson.recorder.until(BEGIN + 17 * S)
    lesson.end()
    assert lesson.inspect.faults == []


def test_lists_keep_the_rules_while_viewers_come_and_go(lesson: Lesson) -> None:
    camera, microphone = teacher("a", 1)
    lesson.recorder.open("lesson")
    lesson.recorder.send(camera.announce(), microphone.announce())
    pictures, sounds = picture("H264", 50), sound(50)
    for number in range(5):
        lesson.recorder.watch("lesson", number % 2 == 1)
        begin = BEGIN + number * 10 * S
        some = [part for part in pictures if number * 10 * S <= part.at_us < (number + 1) * 10 * S]
        heard = [part for part in sounds if number * 10 * S <= part.at_us < (number + 1) * 10 * S]
        lesson.play(
            camera.stream(later(some, -number * 10 * S), begin),
            microphone.stream(later(heard, -number * 10 * S), begin),
            at_s=number * 10,
        )
    lesson.end()
    assert lesson.inspect.faults == []


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("codec", ["H264", "VP9"])
def test_lists_keep_the_rules_over_a_reconnect_and_another_codec(lesson: Lesson, watched: bool, codec: str) -> None:
    first, again = teacher("a", 1), teacher("b", 3, codec)
    lesson.recorder.open("lesson")
    if watched:
        lesson.recorder.watch("lesson")
    on_air(lesson, first, 0, picture("H264", 12))
    lesson.recorder.send(first[0].end(), first[1].end())
    on_air(lesson, again, 20, picture(codec, 40))
    lesson.end()
    assert lesson.inspect.faults == []
    whole = lesson.list("lead-camera.m3u8")
    assert "#EXT-X-GAP" in whole
    assert ("#EXT-X-DISCONTINUITY" in whole) == (codec != "H264")
    assert ("vp09" in lesson.list("master.m3u8")) == (codec == "VP9")
    assert "avc3" in lesson.list("master.m3u8")


@pytest.mark.parametrize("watched", [False, True])
def test_lists_keep_the_rules_with_a_camera_that_is_off_for_a_while(lesson: Lesson, watched: bool) -> None:
    lesson.recorder.open("lesson")
    if watched:
        lesson.recorder.watch("lesson")
    on_air(lesson, teacher("a", 1), 0, without(picture("H264", 50), 9.3, 31))
    lesson.end()
    assert lesson.inspect.faults == []


@pytest.mark.parametrize("every", [3, 7, 29])
def test_lists_keep_the_rules_with_few_and_uneven_pictures(lesson: Lesson, every: int) -> None:
    lesson.recorder.open("lesson")
    lesson.recorder.watch("lesson")
    pictures = rarely(picture("H264", 20), every)
    on_air(lesson, teacher("a", 1), 0, [sample for sample in pictures if sample.at_us < 50 * S])
    lesson.end()
    assert lesson.inspect.faults == []


@pytest.mark.parametrize("watched", [False, True])
def test_lists_keep_the_rules_over_a_crash(lesson: Lesson, watched: bool) -> None:
    first = teacher("a", 1)
    lesson.recorder.open("lesson")
    if watched:
        lesson.recorder.watch("lesson")
    on_air(lesson, first, 0, picture("H264", 17))
    lesson.recorder.crash()
    lesson.recorder.open("lesson")
    if watched:
        lesson.recorder.watch("lesson")
    on_air(lesson, first, 19, picture("H264", 20))
    lesson.end()
    assert lesson.inspect.faults == []


def test_lists_keep_the_rules_when_the_microphone_is_never_there(lesson: Lesson) -> None:
    camera, _ = teacher("a", 1)
    lesson.recorder.open("lesson")
    lesson.recorder.watch("lesson")
    lesson.recorder.send(camera.announce())
    lesson.play(camera.stream(picture("H264", 20), BEGIN))
    live = parse(lesson.list("live-microphone.m3u8"))
    lesson.end()
    assert lesson.inspect.faults == []
    assert sum(segment.duration_s for segment in live.finished) > 16  # silence keeps up, so that the picture plays


def test_lists_keep_the_rules_over_a_crash_after_silence_was_put_in(lesson: Lesson) -> None:
    camera, microphone = teacher("a", 1)
    lesson.recorder.open("lesson")
    lesson.recorder.watch("lesson")
    lesson.recorder.send(camera.announce())
    lesson.play(camera.stream(picture("H264", 12), BEGIN))
    on_air(lesson, (camera, microphone), 12, picture("H264", 12))
    lesson.recorder.crash()
    lesson.recorder.open("lesson")
    on_air(lesson, (camera, microphone), 26, picture("H264", 12))
    lesson.end()
    assert lesson.inspect.faults == []


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda text: text.replace("#EXTINF:2", "#EXTINF:9", 1), "the target is"),
        (lambda text: text.replace("#EXT-X-MAP", "#EXT-X-NAP"), "no EXT-X-MAP"),
        (lambda text: text.replace("VERSION:8", "VERSION:5"), "is needed"),
        (lambda text: text.replace("#EXT-X-PART-INF", "#EXT-X-PORT-INF"), "no EXT-X-PART-INF"),
        (lambda text: text.replace("@0", "@1"), "leave something out"),
        (lambda text: text.replace("DATE-TIME:2026", "DATE-TIME:20260"), "is no date"),
        (lambda text: text.replace("seg-00003.m4s", "seg-00099.m4s"), "is not there"),
    ],
)
def test_a_broken_list_is_noticed(lesson: Lesson, broken: Callable[[str], str], says: str) -> None:
    lesson.recorder.open("lesson")
    lesson.recorder.watch("lesson")
    on_air(lesson, teacher("a", 1), 0, picture("H264", 12))
    text = broken(lesson.list("live-camera.m3u8"))
    assert any(says in fault for fault in media_faults(text, lesson.folder))
