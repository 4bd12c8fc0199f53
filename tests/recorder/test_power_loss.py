"""A loss of power, simulated: what was not synced may lack its end, hold zeros, be as it was before or be gone."""

import hashlib
import itertools
import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from recorder.describe import describe
from recorder.manifest import TrackEntry, read_manifest
from recorder.messages import Appended, AppendEvents, Closed, Opened
from recorder.parts import read_parts
from recorder.recorder import BOOT
from tests.recorder.rules import master_faults, media_faults
from tests.recorder.source import Timed, later, picture, publication, sound, together
from tests.recorder.virtual import VirtualRecorder
from tests.recorder.watch import decode, decode_bytes

BEGIN = 1_700_000_000_000_000
SECONDS = 16
ENDING, GOING_ON = 40, 4  # losses of power after which the lesson ends, or goes on
# What was written in the second before the last sync, and what had not made a fragment yet.
LOST_S = 2.2


class Disk:
    """Knows what was durable at the last sync, and what may be left when the power goes."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._synced: dict[str, bytes] = {}

    def sync(self) -> None:
        self._synced = self._now()

    def lose_power(self, to: Path, dice: random.Random) -> None:
        """Make the folder `to` what the next start finds."""
        now = self._now()
        for name in sorted(now.keys() | self._synced.keys()):
            old, new = self._synced.get(name), now.get(name)
            data = _survivor(old, new, dice)
            if data is not None:
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                (to / name).write_bytes(data)

    def _now(self) -> dict[str, bytes]:
        return {
            path.relative_to(self._archive).as_posix(): path.read_bytes()
            for path in self._archive.rglob("*")
            if path.is_file() and path.name != ".reserve"
        }


def _survivor(old: bytes | None, new: bytes | None, dice: random.Random) -> bytes | None:
    if old == new:
        return new
    if new is None:
        return old if dice.random() < 0.5 else None
    kept = len(old) if old is not None and new.startswith(old) else 0
    cut = dice.randint(kept, len(new))
    torn = (new, new[:cut], new[:cut] + bytes(len(new) - cut), new[:kept])
    # Replaced or new: the old one, nothing, or an empty file of the right name, as file systems leave it.
    others = (old, b"" if not kept else old)
    return dice.choice((*torn, *others, *[new] * len(torn)))


def lesson() -> tuple[list[bytes], list[Timed]]:
    camera = publication("lesson", "t-1-c", "H264", BEGIN, handle=1)
    microphone = publication("lesson", "t-1-m", "opus", BEGIN, "microphone", handle=2)
    screen = publication("lesson", "t-1-s", "VP8", BEGIN, "screen", handle=3)
    half = SECONDS // 2
    # It changes its resolution in the middle, so that initialisation segments are at stake as well.
    moving = [*picture("H264", half), *later(picture("H264", half, 160, 90), half * 1_000_000)]
    timed = together(
        camera.stream(moving, BEGIN),
        microphone.stream(sound(SECONDS), BEGIN),
        screen.stream(picture("VP8", SECONDS), BEGIN),
    )
    return [camera.announce(), microphone.announce(), screen.announce()], timed


@dataclass(frozen=True)
class Loss:
    at_s: float
    archive: Path  # as it is found afterwards
    events: int  # handed to the recorder before


@pytest.fixture(scope="module")
def losses(tmp_path_factory: pytest.TempPathFactory) -> list[Loss]:
    """What is left of one lesson that loses its power at many instants; the last ones are in its first half."""
    archive = tmp_path_factory.mktemp("whole")
    disk, dice = Disk(archive), random.Random(4)
    recorder = VirtualRecorder(archive, BEGIN, disk.sync)
    recorder.open("lesson")
    recorder.watch("lesson")  # shorter segments: more of what can be lost
    announced, timed = lesson()
    recorder.send(*announced)
    instants = [dice.uniform(0.1, SECONDS) for _ in range(ENDING)]
    instants += [dice.uniform(3, SECONDS / 2) for _ in range(GOING_ON)]
    found: dict[float, Loss] = {}
    played = 0
    for number, instant in enumerate(sorted(instants), 1):
        while played < len(timed) and timed[played].at_us < instant * 1e6:
            recorder.until(BEGIN + timed[played].at_us)
            recorder.send(timed[played].data)
            played += 1
        event = json.dumps({"seq": number, "kind": "mark"})
        assert recorder.recorder.handle(AppendEvents("lesson", (event,))) == Appended(number)
        to = tmp_path_factory.mktemp("lost")
        disk.lose_power(to, dice)
        (to / BOOT).write_text("another start of the machine")
        found[instant] = Loss(instant, to, number)
    return [found[instant] for instant in instants]


def faults(folder: Path) -> list[str]:
    """What a closed lesson does wrong, its WebM files included."""
    found = []
    for file in read_manifest(folder).files:
        data = (folder / file.path).read_bytes()[file.offset :][: file.size]
        found += [] if hashlib.sha256(data).hexdigest() == file.sha256 else [f"{file.path} is not as it was written"]
    for path in folder.rglob("*.m3u8"):
        text = path.read_text()
        wrong = master_faults(text, path.parent) if "STREAM-INF" in text else media_faults(text, path.parent)
        found += [f"{path.relative_to(folder)}: {one}" for one in wrong]
    for path in folder.rglob("*.webm"):
        found += [] if decode_bytes(path.read_bytes()) else [f"{path} does not play"]
    return found


def held_s(folder: Path, entry: TrackEntry) -> float:
    """Seconds of media in a track."""
    return sum(part.duration for part in read_parts(folder / "tracks" / entry.folder) if part.media) / entry.timescale


@pytest.mark.parametrize("number", range(ENDING))
def test_after_a_loss_of_power_all_but_the_last_seconds_play(losses: list[Loss], number: int) -> None:
    loss = losses[number]
    folder = loss.archive / "lesson"
    recorder = VirtualRecorder(loss.archive, BEGIN + int((loss.at_s + 5) * 1e6))
    opened = recorder.open("lesson")
    assert isinstance(opened, Opened)
    assert opened.last_seq <= loss.events
    assert isinstance(recorder.end("lesson"), Closed)
    manifest = read_manifest(folder)
    assert manifest.status == "ready"
    assert faults(folder) == []
    for name in ("t-1-c", "t-1-m", "t-1-s"):
        held = sum(held_s(folder, entry) for entry in manifest.tracks if entry.publication_id == name)
        assert held > loss.at_s - LOST_S, name
    log = folder / "events.jsonl"
    seqs = [json.loads(line)["seq"] for line in log.read_text().splitlines()] if log.exists() else []
    assert seqs == list(range(1, opened.last_seq + 1))


@pytest.mark.parametrize("number", range(ENDING, ENDING + GOING_ON))
def test_a_lesson_goes_on_after_a_loss_of_power_and_says_what_is_missing(losses: list[Loss], number: int) -> None:
    loss = losses[number]
    announced, timed = lesson()
    back = loss.at_s + 3
    recorder = VirtualRecorder(loss.archive, BEGIN + int(back * 1e6))
    recorder.open("lesson")
    recorder.send(*announced)
    recorder.play(BEGIN, [piece for piece in timed if piece.at_us >= back * 1e6])
    assert isinstance(recorder.end("lesson"), Closed)
    folder = loss.archive / "lesson"
    assert faults(folder) == []
    tracks = {track["publication_id"]: track for track in describe(folder)["tracks"]}
    for name in ("t-1-c", "t-1-s"):
        (gap,) = tracks[name]["gaps"]
        assert loss.at_s - LOST_S < gap[0] / 1000 < loss.at_s + 0.1
        assert back - 0.1 < gap[1] / 1000 < back + 2.1  # the source's next key frame
    assert tracks["t-1-m"]["gaps"] == []
    heard = decode(folder / tracks["t-1-m"]["playlist"])
    assert max(b.at_s - a.at_s for a, b in itertools.pairwise(heard)) < 0.021
