"""What goes to the store, when, and in which order; what survives its absence, a restart and a full disk."""

import json
from dataclasses import replace as changed
from pathlib import Path

import pytest

from recorder.files import replace
from recorder.manifest import FileEntry, read_manifest, update_manifest
from recorder.places.ledger import LEDGER, Confirmed, Ledger
from recorder.places.place import PlaceError
from recorder.places.store import Digest, Store
from recorder.places.stored import StorePlace
from recorder.places.uploader import Uploader, read_status
from tests.recorder.places.recorded import begin, end, record
from tests.support.s3 import S3Server

HOUR = 3600.0


def in_store(store: Store, lesson_id: str) -> set[str]:
    return {found.path.removeprefix(f"{lesson_id}/") for found in store.objects(f"{lesson_id}/")}


def named(folder: Path) -> set[str]:
    """The files a finished lesson's manifest names, its journals, and itself."""
    journals = {path.relative_to(folder).as_posix() for path in folder.glob("tracks/*/parts.jsonl")}
    return {entry.path for entry in read_manifest(folder).files} | journals | {"manifest.json"}


def look_at_all(uploader: Uploader) -> None:
    uploader._looked_at_all = -HOUR


def test_segments_go_while_the_lesson_is_on_and_the_rest_when_it_is_over(archive: Path, store: Store) -> None:
    recorder = begin(archive, "L1", webm=True)
    uploader = Uploader(archive, store, HOUR)
    assert not uploader.once().error
    during = in_store(store, "L1")
    assert {"tracks/p-0/init-1.mp4", "tracks/p-0/seg-00001.m4s", "tracks/p-1/seg-00001.m4s"} <= during
    assert "manifest.json" not in during
    assert not [path for path in during if path.endswith((".m3u8", ".webm"))]  # what may still grow stays here

    end(recorder, "L1")
    status = uploader.once()
    folder = archive / "L1"
    assert in_store(store, "L1") == named(folder)
    for entry in read_manifest(folder).files:
        assert store.sha256(f"L1/{entry.path}", entry.offset, entry.size) == entry.sha256
        assert (folder / entry.path).exists()
    assert status.waiting_files == 0
    assert read_status(archive) == status


def test_nothing_is_sent_twice(archive: Path, store: Store) -> None:
    record(archive, "L1", 7)
    first = Uploader(archive, store, HOUR).once()
    assert first.sent_files > 5
    again = Uploader(archive, store, HOUR).once()  # after a restart
    assert (again.sent_files, again.waiting_files) == (0, 0)


def test_what_waits_survives_a_store_that_is_away_and_a_restart(archive: Path, s3: S3Server) -> None:
    store = s3.store("outage")
    recorder = begin(archive, "L1")
    s3.kill()
    try:
        away = Uploader(archive, store, HOUR).once()
        assert away.error
        assert not away.reachable
        assert away.waiting_files >= 4
        assert away.waiting_bytes > 10_000
        end(recorder, "L1")  # the lesson does not notice
        assert read_manifest(archive / "L1").status == "ready"
        assert Uploader(archive, store, 0).once().waiting_files > away.waiting_files
    finally:
        s3.start()
    back = Uploader(archive, store, HOUR).once()
    assert back.reachable
    assert back.waiting_files == 0
    assert in_store(store, "L1") == named(archive / "L1")


def test_a_store_that_goes_in_the_middle_keeps_what_it_confirmed(archive: Path, store: Store) -> None:
    folder = record(archive, "L1", 7)
    Uploader(archive, store, HOUR).once()
    lines = (folder / LEDGER).read_text().splitlines(keepends=True)
    (folder / LEDGER).write_text("".join(lines[:3]) + lines[3][:20])  # killed in the middle of a line
    store.delete(f"L1/{json.loads(line)['path']}" for line in lines[3:])
    assert Uploader(archive, store, HOUR).once().sent_files == len(lines) - 3
    assert in_store(store, "L1") == named(folder)


def test_a_file_that_the_store_refuses_stops_no_other_lesson(archive: Path, s3: S3Server) -> None:
    class Picky(Store):
        def put(self, path: str, body: Path | bytes, digest: Digest, content_type: str = "") -> str:
            if path == "L1/tracks/p-0/seg-00001.m4s":
                raise PlaceError("not that one")
            return super().put(path, body, digest, content_type)

    record(archive, "L1", 7)
    record(archive, "L2", 7)
    store = s3.store("picky")
    status = Uploader(archive, Picky(store._objects, store.name), HOUR).once()
    assert status.error == "not that one"
    assert in_store(store, "L2") == named(archive / "L2")
    assert in_store(store, "L1") == named(archive / "L1") - {"tracks/p-0/seg-00001.m4s", "manifest.json"}


def test_a_damaged_file_does_not_go_to_the_store_and_stops_no_other(archive: Path, store: Store) -> None:
    record(archive, "L2", 7)
    folder = record(archive, "L1", 7)
    torn = folder / "tracks/p-0/seg-00001.m4s"
    torn.write_bytes(torn.read_bytes()[:-1])
    assert not Uploader(archive, store, HOUR).once().error
    assert in_store(store, "L1") == named(folder) - {"tracks/p-0/seg-00001.m4s"}
    assert in_store(store, "L2") == named(archive / "L2")


def test_large_files_leave_only_when_the_store_has_them_and_time_has_passed(archive: Path, store: Store) -> None:
    folder = record(archive, "L1", 7)
    keeping = Uploader(archive, store, HOUR)
    assert keeping.once().freed_bytes == 0
    assert (folder / "tracks/p-0/seg-00001.m4s").exists()

    short = Uploader(archive, store, HOUR, low_space=lambda: True)
    assert short.once().freed_bytes > 10_000
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert not [path for path in left if "seg-" in path]
    assert {"manifest.json", "events.jsonl", "tracks/p-0/init-1.mp4", "tracks/p-0/index.m3u8"} <= left
    look_at_all(short)
    assert short.once().sent_files == 0  # and what has left is not missed


def test_a_full_disk_is_freed_even_when_the_store_takes_nothing_more(archive: Path, s3: S3Server) -> None:
    store = s3.store("full")
    record(archive, "L1", 7)
    uploader = Uploader(archive, store, HOUR, low_space=lambda: full)
    full = False
    assert uploader.once().freed_bytes == 0
    record(archive, "L2", 7)
    s3.kill()
    try:
        full = True
        look_at_all(uploader)
        status = uploader.once()
    finally:
        s3.start()
    assert status.error
    assert status.freed_bytes > 10_000
    assert not list((archive / "L1").rglob("seg-*"))
    assert list((archive / "L2").rglob("seg-*"))  # which nobody else has


def test_a_lesson_in_someones_hands_keeps_its_files(archive: Path, store: Store) -> None:
    folder = record(archive, "L1", 7)
    uploader = Uploader(archive, store, 0.0)
    with StorePlace(archive, store).local("L1"):
        assert uploader.once().freed_bytes == 0
        assert (folder / "tracks/p-0/seg-00001.m4s").exists()
    look_at_all(uploader)
    assert uploader.once().freed_bytes > 0


def test_a_lesson_that_was_freed_is_opened_again_and_goes_on(archive: Path, store: Store) -> None:
    record(archive, "L1", 7)
    Uploader(archive, store, 0.0).once()
    recorder = begin(archive, "L1", 7)
    end(recorder, "L1")
    assert read_manifest(archive / "L1").status == "ready"
    Uploader(archive, store, HOUR).once()
    assert in_store(store, "L1") == named(archive / "L1")


def test_what_is_made_of_a_lesson_later_follows_it(archive: Path, store: Store) -> None:
    folder = record(archive, "L1", 7)
    uploader = Uploader(archive, store, HOUR)
    uploader.once()
    replace(folder / "poster.jpg", "a picture")
    (folder / "stray.jpg").write_text("not in the manifest")
    digest = Digest.of(folder / "poster.jpg")

    poster = FileEntry("poster.jpg", digest.size, digest.sha256)
    update_manifest(folder, lambda known: changed(known, derived=[poster]))
    look_at_all(uploader)
    uploader.once()
    assert store.sha256("L1/poster.jpg") == digest.sha256
    assert store.head("L1/stray.jpg") is None

    update_manifest(folder, lambda known: changed(known, derived=[]))
    (folder / "poster.jpg").unlink()
    look_at_all(uploader)
    uploader.once()
    assert store.head("L1/poster.jpg") is None
    assert in_store(store, "L1") == named(folder)


def test_a_deletion_while_the_store_is_away_is_carried_out_when_it_is_back(archive: Path, s3: S3Server) -> None:
    store = s3.store("deletion")
    record(archive, "L1", 7)
    record(archive, "L2", 7)
    Uploader(archive, store, HOUR).once()
    s3.kill()
    try:
        place = StorePlace(archive, store)
        place.delete("L1")
        assert not (archive / "L1").exists()
        assert place.file("L1", "tracks/p-0/seg-00001.m4s") is None
    finally:
        s3.start()
    Uploader(archive, store, HOUR).once()
    assert in_store(store, "L1") == set()
    assert place.lessons() == ["L2"]
    assert not list((archive / ".forget").iterdir())


@pytest.mark.parametrize("line", ["", "{}", "null", "[1]", '{"path": "x"}', "\ufffd"])
def test_a_ledger_with_a_line_that_is_none_is_read(archive: Path, line: str) -> None:
    good = Confirmed("a", 1, "b", "c", 2)
    ledger = Ledger(archive)
    ledger.add(good)
    with (archive / LEDGER).open("a") as file:
        file.write(line)
    again = Ledger(archive)
    assert again.get("a") == good
    again.add(Confirmed("d", 1, "b", "c", 2))
    assert Ledger(archive).paths() == {"a", "d"}
