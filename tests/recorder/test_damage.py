"""Files of a lesson that are damaged or gone: it is made whole again, or says what is missing; it is never lost."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.describe import NoRecordingError, describe
from recorder.manifest import read_manifest
from recorder.messages import Appended, AppendEvents, Closed
from recorder.parts import read_parts
from recorder.rebuild import rebuild
from recorder.recorder import BOOT
from tests.recorder.rules import master_faults, media_faults
from tests.recorder.source import later, picture, publication, sound, together
from tests.recorder.virtual import VirtualRecorder

BEGIN = 1_700_000_000_000_000
SECONDS = 16
CAMERA, MICROPHONE, SCREEN = "tracks/s-1-0", "tracks/s-1-1", "tracks/s-1-2"
TEACHER = {"participant_id": "t-1", "role": "lead_teacher", "name": "", "headcount": None}
PUBLISHED = (("s-1-0", "video", "camera"), ("s-1-1", "audio", "microphone"), ("s-1-2", "video", "screen"))


def events() -> tuple[str, ...]:
    happened: list[tuple[str, object]] = [("joined", TEACHER)]
    for name, kind, source in PUBLISHED:
        payload = {"publication_id": name, "participant_id": "t-1", "kind": kind, "source": source}
        happened.append(("published", payload))
    return tuple(
        json.dumps({"seq": seq, "at_ms": 0, "actor": "t-1", "kind": kind, "payload": payload})
        for seq, (kind, payload) in enumerate(happened, 1)
    )


@pytest.fixture(scope="module")
def open_lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive whose recorder was killed in mid-lesson."""
    archive = tmp_path_factory.mktemp("open")
    camera = publication("lesson", "s-1-0", "H264", BEGIN, handle=1)
    microphone = publication("lesson", "s-1-1", "opus", BEGIN, "microphone", handle=2)
    screen = publication("lesson", "s-1-2", "VP8", BEGIN, "screen", handle=3)
    half = SECONDS // 2
    moving = [*picture("H264", half), *later(picture("H264", half, 160, 90), half * 1_000_000)]
    recorder = VirtualRecorder(archive, BEGIN)
    recorder.open("lesson")
    recorder.recorder.handle(AppendEvents("lesson", events()))
    recorder.send(camera.announce(), microphone.announce(), screen.announce())
    recorder.play(
        BEGIN,
        together(
            camera.stream(moving, BEGIN),
            microphone.stream(sound(SECONDS), BEGIN),
            screen.stream(picture("VP8", SECONDS), BEGIN),
        ),
    )
    return archive


def write(path: str, data: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / path).write_bytes(data)

    return damage


def gone(*paths: str) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        for path in paths:
            (folder / path).unlink()

    return remove


def cut(path: str, share: float) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / path, int((folder / path).stat().st_size * share))


def line(path: str, number: int) -> Callable[[Path], None]:
    """Damage a line of a file."""

    def damage(folder: Path) -> None:
        lines = (folder / path).read_bytes().splitlines(keepends=True)
        lines[number] = b"\0" * (len(lines[number]) // 2) + lines[number][len(lines[number]) // 2 :]
        (folder / path).write_bytes(b"".join(lines))

    return damage


def both(*damages: Callable[[Path], None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for one in damages:
            one(folder)

    return damage


# What is damaged, and how many seconds of camera and microphone that may cost.
DAMAGES = {
    "the manifest is empty": (write("manifest.json", b""), 0, 0),
    "the manifest is torn": (cut("manifest.json", 0.6), 0, 0),
    "the manifest is gone": (gone("manifest.json"), 0, 0),
    "the manifest and an owner are gone": (both(gone("manifest.json"), line(f"{CAMERA}/parts.jsonl", 0)), 0, 0),
    "an initialisation segment is gone": (gone(f"{CAMERA}/init-1.mp4"), 0, 0),
    "an initialisation segment is torn": (cut(f"{CAMERA}/init-2.mp4", 0.5), 0, 0),
    "the one of sound is empty": (write(f"{MICROPHONE}/init-1.mp4", b""), 0, 0),
    "a line of a journal is damaged": (line(f"{CAMERA}/parts.jsonl", 2), 0, 0),
    "the line of an initialisation segment is damaged": (line(f"{CAMERA}/parts.jsonl", 1), 0, 0),
    "a journal is gone": (gone(f"{MICROPHONE}/parts.jsonl"), 0, 0),
    "all journals and the manifest are gone": (
        gone("manifest.json", f"{CAMERA}/parts.jsonl", f"{MICROPHONE}/parts.jsonl", f"{SCREEN}/parts.jsonl"),
        0,
        0,
    ),
    "a segment is torn": (cut(f"{CAMERA}/seg-00001.m4s", 0.5), 4, 0),
    "a segment is gone": (gone(f"{CAMERA}/seg-00002.m4s"), 6.5, 0),
    "a segment of sound is torn": (cut(f"{MICROPHONE}/seg-00002.m4s", 0.5), 0, 0),
    "a segment of sound is gone": (gone(f"{MICROPHONE}/seg-00001.m4s"), 0, 0),
    "the film is cut short": (cut(f"{SCREEN}/video.webm", 0.9), 0, 0),
    "the film's head is zeros": (lambda folder: _overwrite(folder / SCREEN / "video.webm", bytes(100)), 0, 0),
    "the event log is torn": (cut("events.jsonl", 0.9), 0, 0),
    "the event log ends in zeros": (
        lambda folder: _append(folder / "events.jsonl", bytes(200) + b"\n" + bytes(5)),
        0,
        0,
    ),
    "the event log is no text": (write("events.jsonl", b"\xff\xfe\n" * 9), 0, 0),
    "playlists are gone": (gone("master.m3u8", "lead-camera.m3u8", f"{CAMERA}/index.m3u8"), 0, 0),
    "playlists are no text": (write(f"{CAMERA}/index.m3u8", b"\xff\xfe\0"), 0, 0),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_lesson_is_made_whole_when_the_recorder_starts(open_lesson: Path, tmp_path: Path, what: str) -> None:
    damage, camera_s, microphone_s = DAMAGES[what]
    archive = tmp_path / "archive"
    shutil.copytree(open_lesson, archive)
    folder = archive / "lesson"
    damage(folder)
    assert described(folder)["status"] in ("recording", "damaged")
    recorder = VirtualRecorder(archive, BEGIN + SECONDS * 1_000_000)
    recorder.open("lesson")
    assert isinstance(recorder.end("lesson"), Closed)
    manifest = read_manifest(folder)
    assert manifest.status == "ready"
    assert abs(manifest.epoch_us - BEGIN) < 1000
    assert faults(folder) == []
    tracks = {entry.publication_id: entry for entry in manifest.tracks}
    assert {(entry.publication_id, entry.source, entry.lead, entry.codec) for entry in manifest.tracks} == {
        ("s-1-0", "camera", True, "H264"),
        ("s-1-1", "microphone", True, "opus"),
        ("s-1-2", "screen", True, "VP8"),
    }
    for name, lost in (("s-1-0", camera_s), ("s-1-1", microphone_s), ("s-1-2", 3)):
        held = sum(part.duration for part in read_parts(folder / "tracks" / name) if part.media)
        assert held / tracks[name].timescale > SECONDS - 1.2 - lost, name
    if camera_s:
        ((begin, end),) = tracks["s-1-0"].gaps
        assert 1000 < end - begin <= camera_s * 1000


@pytest.mark.parametrize("seed", range(24))
def test_a_lesson_of_which_any_files_are_damaged_can_be_told_of_and_closed(
    open_lesson: Path, tmp_path: Path, seed: int
) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(open_lesson, archive)
    folder = archive / "lesson"
    dice = random.Random(seed)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if dice.random() < 0.3:
            _damage(path, dice)
    (archive / BOOT).write_text("another start of the machine")  # else nobody looks into segments of the right length
    assert described(folder)["status"] in ("recording", "damaged", "ready")
    recorder = VirtualRecorder(archive, BEGIN + SECONDS * 1_000_000)
    recorder.open("lesson")
    assert isinstance(recorder.end("lesson"), Closed)
    assert described(folder)["status"] == "ready"
    assert faults(folder) == []


@pytest.mark.parametrize("seed", range(8))
def test_a_finished_lesson_whose_manifest_is_lost_is_told_as_it_was(
    open_lesson: Path, tmp_path: Path, seed: int
) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(open_lesson, archive)
    folder = archive / "lesson"
    recorder = VirtualRecorder(archive, BEGIN + SECONDS * 1_000_000)
    recorder.open("lesson")
    recorder.end("lesson")
    told = described(folder)
    _damage(folder / "manifest.json", random.Random(seed))
    if described(folder) != told:
        assert rebuild(folder).tracks != []
        raise AssertionError(f"{described(folder)} is not {told}")


@pytest.mark.parametrize("end", [b'{"seq": 9', b'{"seq": 9}', b"\xff\xfe\n", b"[1]\n", b"[" * 100_000 + b"\n"])
def test_a_finished_lesson_whose_event_log_is_damaged_is_opened_again(
    open_lesson: Path, tmp_path: Path, end: bytes
) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(open_lesson, archive)
    log = archive / "lesson/events.jsonl"
    recorder = VirtualRecorder(archive, BEGIN + SECONDS * 1_000_000)
    recorder.open("lesson")
    recorder.end("lesson")
    whole = log.read_bytes()
    log.write_bytes(whole + end)
    recorder.open("lesson")
    more = '{"seq":30,"at_ms":0,"actor":"t-1","kind":"ended","payload":{}}'
    assert recorder.recorder.handle(AppendEvents("lesson", (more,))) == Appended(30)
    assert isinstance(recorder.end("lesson"), Closed)
    assert log.read_bytes() == whole + more.encode() + b"\n"


def test_a_folder_that_holds_nothing_of_a_lesson_is_none(tmp_path: Path) -> None:
    with pytest.raises(NoRecordingError):
        describe(tmp_path)
    recorder = VirtualRecorder(tmp_path, BEGIN)
    (tmp_path / "lesson").mkdir()
    (tmp_path / ".open/lesson").touch()
    recorder.crash()
    assert not (tmp_path / ".open/lesson").exists()
    recorder.open("lesson")
    assert isinstance(recorder.end("lesson"), Closed)


def described(folder: Path) -> dict[str, object]:
    """As the server tells it, which takes nothing but JSON."""
    return json.loads(json.dumps(describe(folder), default=sorted))  # type: ignore[no-any-return]


def faults(folder: Path) -> list[str]:
    found = []
    for path in folder.rglob("*.m3u8"):
        text = path.read_text()
        wrong = master_faults(text, path.parent) if "STREAM-INF" in text else media_faults(text, path.parent)
        found += [f"{path.relative_to(folder)}: {one}" for one in wrong]
    return found


def _damage(path: Path, dice: random.Random) -> None:
    data = path.read_bytes()
    match dice.randrange(4):
        case 0:
            path.unlink()
        case 1:
            path.write_bytes(data[: dice.randint(0, len(data))])
        case 2:
            path.write_bytes(bytes(len(data)))
        case _:
            path.write_bytes(dice.randbytes(len(data)))


def _overwrite(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
