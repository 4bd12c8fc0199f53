"""The attachment between rooms and recorder, against a recorder's control socket of our own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from media import framing
from media import messages as media
from recorder import messages as recorder
from server import recording
from server.recording import RecorderAttachment
from signaling.events import (
    SERVER,
    Chat,
    Consent,
    Ended,
    Event,
    Joined,
    PageTurned,
    Payload,
    Planned,
    Recording,
    RecordingPolicy,
    RecordingState,
    Started,
)
from signaling.grants import Role
from signaling.observers import LivePublication


class Recorder:
    """Keeps event logs as the recorder does; can be stopped and started again with what it has on its disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs: dict[str, list[dict[str, Any]]] = {}
        self.closed: list[str] = []
        self.watched: list[tuple[str, bool]] = []
        self.refuse: str | None = None
        self.refuse_end: str | None = None
        self.refused = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def connected(self) -> bool:
        return bool(self._writers)

    async def start(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()
        self.path.unlink(missing_ok=True)

    def tell(self, event: recorder.Event) -> None:
        for writer in self._writers:
            writer.write(framing.pack(recorder.to_wire(event)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(ConnectionError):
            while (value := await framing.read(reader)) is not None:
                number = value.pop("id")
                reply = self._handle(recorder.from_wire(value))
                writer.write(framing.pack({"re": number, **recorder.to_wire(reply)}))

    def _handle(self, message: recorder.Message) -> recorder.Reply:
        if self.refuse is not None and not isinstance(message, recorder.ListOpen):
            return recorder.Refused(self.refuse, "")
        match message:
            case recorder.OpenLesson(lesson_id):
                return recorder.Opened(self._last(lesson_id))
            case recorder.AppendEvents(lesson_id, lines):
                log = self.logs[lesson_id]
                log += [event for event in map(json.loads, lines) if event["seq"] > self._last(lesson_id)]
                return recorder.Appended(self._last(lesson_id))
            case recorder.WatchLesson(lesson_id, watched):
                assert lesson_id in self.logs
                self.watched.append((lesson_id, watched))
                return recorder.Done()
            case recorder.CloseLesson() if self.refuse_end is not None:
                self.refused += 1
                return recorder.Refused(self.refuse_end, "")
            case recorder.CloseLesson(lesson_id):
                self.closed.append(lesson_id)
                return recorder.Closed(1000)
            case recorder.ListOpen():
                left = set(self.logs) - set(self.closed)
                return recorder.Open(tuple(recorder.OpenRecording(one, len(self.logs[one])) for one in sorted(left)))
        raise AssertionError(message)

    def _last(self, lesson_id: str) -> int:
        log = self.logs.setdefault(lesson_id, [])
        return int(str(log[-1]["seq"])) if log else 0


class Pages:
    """Keeps pictures of slides as the archive does, on a disk that may be full."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.fault: OSError | None = None
        self.tried = 0

    def keep(self, lesson_id: str, pages: Sequence[str]) -> None:
        self.tried += 1
        if self.fault is not None:
            raise self.fault
        self.kept += [page for page in pages if page not in self.kept]


class Rooms:
    """The logs of rooms, as signaling keeps them."""

    def __init__(self, attachment: RecorderAttachment) -> None:
        self._attachment = attachment
        self.logs: dict[str, list[Event]] = {}
        self.recordings: list[tuple[str, RecordingState, str | None]] = []
        attachment.attach(self)

    def open(self, lesson_id: str, policy: RecordingPolicy = "all") -> None:
        self.logs.setdefault(lesson_id, [])
        self._attachment.room_opened(lesson_id, 1_700_000_000_000_000, "草原", policy)

    def happen(self, lesson_id: str, payload: Payload, actor: str = SERVER) -> None:
        log = self.logs[lesson_id]
        log.append(Event(len(log) + 1, 10 * len(log), actor, payload))
        self._attachment.event_stored(lesson_id, log[-1])

    def join(self, lesson_id: str, participant_id: str, role: Role) -> None:
        self.happen(lesson_id, Joined(participant_id, role, f"name of {participant_id}", 43), participant_id)

    def publish(self, lesson_id: str, participant_id: str, worker: Worker) -> None:
        publication = LivePublication(f"{participant_id}-0", participant_id, "video", "camera", lead=False)
        self._attachment.publication_added(lesson_id, publication, worker)

    async def end(self, lesson_id: str) -> None:
        self.happen(lesson_id, Ended())
        await self._attachment.room_ended(lesson_id)
        del self.logs[lesson_id]

    async def events(self, lesson_id: str, after: int = 0) -> list[Event]:
        return self.logs.get(lesson_id, [])[after:]

    def set_recording(self, lesson_id: str, state: RecordingState, reason: str | None = None) -> None:
        self.recordings.append((lesson_id, state, reason))
        # As the room does: while it is paused, that is the truth.
        recording = [event.payload for event in self.logs.get(lesson_id, []) if isinstance(event.payload, Recording)]
        before = recording[-1].state if recording else "off"
        if lesson_id in self.logs and before not in ("paused", state):
            self.happen(lesson_id, Recording(state, reason))


class Worker:
    def __init__(self) -> None:
        self.asked: list[media.Request] = []
        self.deaf = False

    async def request(self, message: media.Request) -> media.Reply:
        self.asked.append(message)
        if self.deaf:
            raise TimeoutError
        return media.Done()

    @property
    def told(self) -> list[tuple[str, str]]:
        """What it was asked, in short."""
        return [
            (type(one).__name__, one.publication_id)
            for one in self.asked
            if isinstance(one, media.Record | media.StopRecording)
        ]


@contextlib.asynccontextmanager
async def attached(
    folder: Path,
    over: frozenset[str] = frozenset(),
    there: Recorder | None = None,
    complete: list[str] | None = None,
    pages: Pages | None = None,
) -> AsyncIterator[tuple[Rooms, RecorderAttachment, Recorder]]:
    async def is_over(lesson_id: str) -> bool:
        return lesson_id in over

    async def closed(lesson_id: str) -> None:
        if complete is not None:
            complete.append(lesson_id)

    there = there or Recorder(folder / "recorder.sock")
    await there.start()
    attachment = RecorderAttachment(there.path, is_over, closed, pages)
    task = asyncio.create_task(attachment.run())
    try:
        await attachment.reached()
        await until(lambda: there.connected)
        yield Rooms(attachment), attachment, there
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await there.stop()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


def kinds(there: Recorder, lesson_id: str) -> list[object]:
    return [event["kind"] for event in there.logs.get(lesson_id, [])]


async def test_nothing_is_recorded_before_the_lesson_has_started(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, there):
        rooms.open("l1")
        rooms.happen("l1", Chat("早"))
        rooms.open("l2")
        rooms.happen("l2", Started())
        await until(lambda: kinds(there, "l2") == ["started"])
        assert "l1" not in there.logs
        await rooms.end("l1")
        assert there.closed == []


async def test_the_whole_log_reaches_the_recorder_in_order(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, there):
        rooms.open("l1")
        rooms.happen("l1", Chat("早"))
        rooms.happen("l1", Started())
        for number in range(1200):
            rooms.happen("l1", Chat(str(number)))
        await until(lambda: len(there.logs.get("l1", [])) == 1202)
        assert [event["seq"] for event in there.logs["l1"]] == list(range(1, 1203))
        assert there.logs["l1"][0]["payload"]["text"] == "早"


async def test_the_recording_is_closed_after_the_last_event(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, there):
        rooms.open("l1")
        rooms.happen("l1", Started())
        await rooms.end("l1")
        assert kinds(there, "l1") == ["started", "ended"]
        assert there.closed == ["l1"]


async def test_a_recorder_that_returns_gets_what_it_has_not(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, there):
        rooms.open("l1")
        rooms.happen("l1", Started())
        await until(lambda: kinds(there, "l1") == ["started"])
        await there.stop()
        there.logs["l1"].clear()  # the disk had not got it yet
        rooms.happen("l1", Chat("在吗"))
        await there.start()
        await until(lambda: kinds(there, "l1") == ["started", "chat"])


async def test_a_lesson_that_ends_without_a_recorder_is_closed_when_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "CLOSE_TIME", 0.05)
    async with attached(tmp_path) as (rooms, _, there):
        rooms.open("l1")
        rooms.happen("l1", Started())
        await until(lambda: kinds(there, "l1") == ["started"])
        await there.stop()
        await rooms.end("l1")
        await there.start()
        await until(lambda: there.closed == ["l1"])
        assert kinds(there, "l1") == ["started", "ended"]


async def test_a_full_disk_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "REFUSED_AGAIN", 0.01)
    async with attached(tmp_path) as (rooms, _, there):
        there.refuse = "disk_full"
        rooms.open("l1")
        rooms.happen("l1", Started())
        await asyncio.sleep(0.05)
        there.refuse = None
        await until(lambda: kinds(there, "l1") == ["started"])


async def test_the_room_is_told_what_the_recorder_says(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, there):
        rooms.open("l1")
        there.tell(recorder.RecordingChanged("l1", "on", ""))
        there.tell(recorder.RecordingChanged("l1", "stopped", "disk_full"))
        there.tell(recorder.RecordingChanged("unknown", "on", ""))
        await until(lambda: len(rooms.recordings) == 2)
        assert rooms.recordings == [("l1", "on", None), ("l1", "stopped", "disk_full")]


async def test_a_recorder_that_stays_away_is_said_to_be_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "LOST_AFTER", 0.05)
    async with attached(tmp_path) as (rooms, _, there):
        rooms.open("l1")
        there.tell(recorder.RecordingChanged("l1", "on", ""))
        await until(lambda: len(rooms.recordings) == 1)
        await there.stop()
        await until(lambda: rooms.recordings[-1] == ("l1", "stopped", "recorder_lost"))


async def test_the_recorder_is_told_while_someone_watches_by_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "WATCHED_FOR", 0.3)
    async with attached(tmp_path) as (rooms, attachment, there):
        attachment.fetched("l1")  # no such room: nothing is kept of it
        rooms.open("l1")
        rooms.open("l2")
        rooms.happen("l1", Started())
        for _ in range(10):
            attachment.fetched("l1")
            await asyncio.sleep(0.05)
        assert there.watched == [("l1", True)]
        await until(lambda: there.watched == [("l1", True), ("l1", False)])
        attachment.fetched("l1")
        await until(lambda: there.watched == [("l1", True), ("l1", False), ("l1", True)])
        await rooms.end("l1")
        assert there.closed == ["l1"]


async def test_a_recorder_that_returns_is_told_who_is_watched(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, attachment, there):
        rooms.open("l1")
        attachment.fetched("l1")  # before it has started
        rooms.happen("l1", Started())
        await until(lambda: there.watched == [("l1", True)])
        await there.stop()
        await there.start()
        await until(lambda: there.watched == [("l1", True), ("l1", True)])


async def test_the_worker_is_told_what_to_record_and_when_to_stop(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, attachment, _):
        worker = Worker()
        rooms.open("l1")
        rooms.join("l1", "t-1", "lead_teacher")
        publication = LivePublication("t-1-0", "t-1", "video", "camera", lead=True)
        attachment.publication_added("l1", publication, worker)
        await until(lambda: len(worker.asked) == 1)
        attachment.publication_removed("l1", "t-1-0", worker)
        await until(lambda: len(worker.asked) == 2)
        assert worker.asked == [
            media.Record("t-1-0", "l1", "t-1", "camera", True, 1_700_000_000_000_000),
            media.StopRecording("t-1-0"),
        ]


async def test_what_a_dead_server_process_left_open_is_closed(tmp_path: Path) -> None:
    there = Recorder(tmp_path / "recorder.sock")
    there.logs = {"over": [], "going": []}
    async with attached(tmp_path, frozenset({"over"}), there):
        await until(lambda: there.closed == ["over"])


async def test_after_a_restart_of_the_server_process_the_log_goes_on(tmp_path: Path) -> None:
    there = Recorder(tmp_path / "recorder.sock")
    async with attached(tmp_path, there=there) as (rooms, _, _):
        rooms.open("l1")
        rooms.happen("l1", Started())
        await until(lambda: kinds(there, "l1") == ["started"])
    async with attached(tmp_path, there=there) as (again, _, _):
        again.logs = rooms.logs
        again.open("l1")
        again.happen("l1", Chat("回来了"))
        await until(lambda: kinds(there, "l1") == ["started", "chat"])
        await again.end("l1")
        assert there.closed == ["l1"]


async def test_a_refused_end_is_tried_again_whatever_ails_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "REFUSED_AGAIN", 0.01)
    for fault in ("disk_full", "disk_error"):
        async with attached(tmp_path) as (rooms, _, there):
            rooms.open("l1")
            rooms.happen("l1", Started())
            await until(lambda there=there: kinds(there, "l1") == ["started"])  # type: ignore[misc]
            there.refuse_end = fault
            ending = asyncio.create_task(rooms.end("l1"))
            await until(lambda there=there: there.refused >= 2)  # type: ignore[misc]
            there.refuse_end = None
            await ending
            assert there.closed == ["l1"]


async def test_of_a_lesson_that_is_not_recorded_the_recorder_hears_nothing(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, there):
        worker = Worker()
        rooms.open("l1", "nothing")
        rooms.join("l1", "t", "lead_teacher")
        rooms.happen("l1", Started())
        rooms.publish("l1", "t", worker)
        rooms.open("l2")
        rooms.happen("l2", Started())
        await until(lambda: kinds(there, "l2") == ["started"])
        await rooms.end("l1")
        assert list(there.logs) == ["l2"]
        assert worker.told == []


@pytest.mark.parametrize(
    ("policy", "recorded"),
    [("teacher_only", {"t-0", "k-0"}), ("consented", {"t-0", "k-0", "a-0"}), ("all", {"t-0", "k-0", "a-0", "b-0"})],
)
async def test_the_policy_decides_for_each_publication(
    tmp_path: Path, policy: RecordingPolicy, recorded: set[str]
) -> None:
    async with attached(tmp_path) as (rooms, _, _):
        worker = Worker()
        rooms.open("l1", policy)
        roles: dict[str, Role] = {
            "t": "lead_teacher",
            "k": "co_teacher",
            "a": "receiving_class",
            "b": "receiving_class",
        }
        for participant_id, role in roles.items():
            rooms.join("l1", participant_id, role)
        rooms.happen("l1", Consent("a", True, "甲", 43), "a")
        rooms.happen("l1", Started())
        for participant_id in roles:
            rooms.publish("l1", participant_id, worker)
        await until(lambda: len(worker.told) == 4)
        assert {id for asked, id in worker.told if asked == "Record"} == recorded
        assert {id for asked, id in worker.told if asked == "StopRecording"} == {"t-0", "k-0", "a-0", "b-0"} - recorded


async def test_a_class_is_recorded_from_its_consent_until_it_withdraws_that(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, _):
        worker = Worker()
        rooms.open("l1", "consented")
        rooms.join("l1", "a", "receiving_class")
        rooms.publish("l1", "a", worker)
        rooms.happen("l1", Consent("a", True, "甲", 43), "a")
        await until(lambda: worker.told[-1:] == [("Record", "a-0")])
        rooms.happen("l1", Consent("a", False, "甲", 43), "a")
        await until(lambda: worker.told[-1:] == [("StopRecording", "a-0")])


async def test_while_paused_nothing_is_recorded_and_then_the_truth_is_told_again(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, there):
        worker = Worker()
        rooms.open("l1")
        rooms.join("l1", "t", "lead_teacher")
        rooms.happen("l1", Started())
        rooms.publish("l1", "t", worker)
        there.tell(recorder.RecordingChanged("l1", "on", ""))
        await until(lambda: rooms.recordings == [("l1", "on", None)])
        rooms.happen("l1", Recording("paused", None), "t")
        await until(lambda: worker.told == [("Record", "t-0"), ("StopRecording", "t-0")])
        rooms.publish("l1", "t", worker)  # made anew meanwhile, perhaps at a worker that has just come back
        await until(lambda: worker.told[2:] == [("StopRecording", "t-0")])
        rooms.happen("l1", Recording("off", None), "t")
        await until(lambda: worker.told[3:] == [("Record", "t-0")])
        await until(lambda: rooms.recordings == [("l1", "on", None)] * 2)
        assert [event.payload.state for event in rooms.logs["l1"] if isinstance(event.payload, Recording)] == [
            "on",
            "paused",
            "off",
            "on",
        ]


async def test_a_worker_that_does_not_answer_is_told_again_what_not_to_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "ASK_AGAIN", 0.01)
    async with attached(tmp_path) as (rooms, attachment, _):
        worker = Worker()
        rooms.open("l1")
        rooms.join("l1", "a", "receiving_class")
        rooms.publish("l1", "a", worker)
        await until(lambda: worker.told == [("Record", "a-0")])
        worker.deaf = True
        attachment.publication_removed("l1", "a-0", worker)
        await until(lambda: worker.told.count(("StopRecording", "a-0")) >= 3)
        worker.deaf = False
        await asyncio.sleep(0.05)
        count = len(worker.told)
        await asyncio.sleep(0.05)
        assert len(worker.told) == count


async def test_a_worker_that_does_not_answer_is_asked_again_to_record_while_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "ASK_AGAIN", 0.01)
    async with attached(tmp_path) as (rooms, attachment, _):
        deaf, other = Worker(), Worker()
        deaf.deaf = True
        rooms.open("l1")
        rooms.join("l1", "a", "receiving_class")
        rooms.publish("l1", "a", deaf)
        await until(lambda: deaf.told.count(("Record", "a-0")) >= 3)
        attachment.publication_removed("l1", "a-0", deaf)
        rooms.publish("l1", "a", other)  # it had died, and the class has come to another
        await until(lambda: other.told == [("Record", "a-0")])
        await asyncio.sleep(0.05)
        count = deaf.told.count(("Record", "a-0"))
        await asyncio.sleep(0.05)
        assert deaf.told.count(("Record", "a-0")) == count


async def test_a_new_server_process_decides_by_the_whole_log(tmp_path: Path) -> None:
    there = Recorder(tmp_path / "recorder.sock")
    async with attached(tmp_path, there=there) as (rooms, _, _):
        rooms.open("l1", "consented")
        for participant_id in ("a", "b"):
            rooms.join("l1", participant_id, "receiving_class")
            rooms.happen("l1", Consent(participant_id, True, "甲", 43), participant_id)
        rooms.happen("l1", Started())
        rooms.happen("l1", Consent("b", False, "乙", 41), "b")
        await until(lambda: len(kinds(there, "l1")) == 6)
    async with attached(tmp_path, there=there) as (again, _, _):
        worker = Worker()
        again.logs = rooms.logs
        again.open("l1", "consented")
        again.publish("l1", "a", worker)
        again.publish("l1", "b", worker)  # which the worker records, if the last process was killed before it told
        await until(lambda: sorted(worker.told) == [("Record", "a-0"), ("StopRecording", "b-0")])


async def test_the_archive_gets_no_name_and_no_word_of_a_class_that_is_not_recorded(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, there):
        rooms.open("l1", "consented")
        rooms.join("l1", "t", "lead_teacher")
        rooms.join("l1", "a", "receiving_class")
        rooms.happen("l1", Started())
        rooms.happen("l1", Chat("听不清"), "a")
        rooms.happen("l1", Chat("好的"), "t")
        await until(lambda: kinds(there, "l1") == ["joined", "joined", "started", "chat"])
        assert "name of a" not in json.dumps(there.logs["l1"])
        assert "name of t" in json.dumps(there.logs["l1"])
        assert [event["seq"] for event in there.logs["l1"]] == [1, 2, 3, 5]
        await there.stop()
        rooms.happen("l1", Consent("a", True, "name of a", 43), "a")
        rooms.happen("l1", Chat("听清了"), "a")
        rooms.happen("l1", Recording("paused", None), "t")
        rooms.happen("l1", Chat("不录这句"), "t")
        rooms.happen("l1", Recording("off", None), "t")
        rooms.happen("l1", Consent("a", False, "name of a", 43), "a")
        rooms.happen("l1", Chat("也不录这句"), "a")
        await there.start()
        await rooms.end("l1")
        log = there.logs["l1"]
        assert [event["seq"] for event in log] == [1, 2, 3, 5, 6, 7, 8, 10, 11, 13]
        assert log[4]["payload"] == {"participant_id": "a", "given": True, "name": "name of a", "headcount": 43}
        assert log[8]["payload"] == {"participant_id": "a", "given": False, "name": "", "headcount": None}
        assert there.closed == ["l1"]


async def test_whoever_works_on_finished_recordings_is_told_of_each(tmp_path: Path) -> None:
    there = Recorder(tmp_path / "recorder.sock")
    there.logs = {"over": []}
    complete: list[str] = []
    async with attached(tmp_path, frozenset({"over"}), there, complete) as (rooms, _, _):
        await until(lambda: complete == ["over"])  # left open by a server process that died
        rooms.open("l1")
        rooms.happen("l1", Started())
        await rooms.end("l1")
        await until(lambda: complete == ["over", "l1"])


async def test_no_event_names_a_page_that_the_archive_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "REFUSED_AGAIN", 0.01)
    pages = Pages()
    async with attached(tmp_path, pages=pages) as (rooms, _, there):
        rooms.open("l1")
        rooms.happen("l1", PageTurned("aaaaaaaa/1"), "t")
        rooms.happen("l1", Started())
        await until(lambda: kinds(there, "l1") == ["page_turned", "started"])
        assert pages.kept == ["aaaaaaaa/1"]
        pages.fault = OSError(errno.ENOSPC, "full")
        before = pages.tried
        rooms.happen("l1", PageTurned("aaaaaaaa/2"), "t")
        await until(lambda: pages.tried > before + 2)
        assert len(kinds(there, "l1")) == 2
        pages.fault = None
        await until(lambda: len(kinds(there, "l1")) == 3)
        assert pages.kept == ["aaaaaaaa/1", "aaaaaaaa/2"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
async def test_a_lesson_that_is_over_is_closed_without_the_pages_that_its_disk_did_not_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(recording, "REFUSED_AGAIN", 0.01)
    pages = Pages()
    pages.fault = OSError(code, "refused")
    async with attached(tmp_path, pages=pages) as (rooms, _, there):
        rooms.open("l1")
        rooms.happen("l1", Started())
        rooms.happen("l1", PageTurned("aaaaaaaa/1"), "t")
        await rooms.end("l1")
        assert kinds(there, "l1") == ["started", "page_turned", "ended"]
        assert there.closed == ["l1"]


async def test_a_lesson_that_is_planned_anew_before_it_begins_is_recorded_as_was_decided_last(tmp_path: Path) -> None:
    async with attached(tmp_path) as (rooms, _, there):
        workers = {"l1": Worker(), "l2": Worker()}
        plans: tuple[tuple[str, RecordingPolicy, RecordingPolicy], ...] = (
            ("l1", "all", "nothing"),
            ("l2", "nothing", "all"),
        )
        for lesson_id, first, last in plans:
            rooms.open(lesson_id, first)
            rooms.join(lesson_id, "t", "lead_teacher")
            rooms.happen(lesson_id, Planned("草原(第2课时)", last))
            rooms.happen(lesson_id, Started())
            rooms.publish(lesson_id, "t", workers[lesson_id])
        await until(lambda: "started" in kinds(there, "l2"))
        await until(lambda: ("Record", "t-0") in workers["l2"].told)
        await rooms.end("l1")
        assert list(there.logs) == ["l2"]
        assert "Record" not in [name for name, _ in workers["l1"].told]
