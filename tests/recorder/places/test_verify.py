"""`verify` sees every byte that is not as the manifest says, `mend` makes it good or a gap, `move` takes all along."""

import contextlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder import derived, slides
from recorder.manifest import NAME, read_manifest
from recorder.places.local import LocalPlace
from recorder.places.mend import mend
from recorder.places.moving import move
from recorder.places.store import Digest, Store
from recorder.places.stored import StorePlace
from recorder.places.uploader import Uploader
from recorder.places.verify import Finding, LessonOpenError, matches, verify
from recorder.places.waiting import DamagedError
from tests.recorder.places.recorded import begin, end, record

HOUR = 3600.0
SEGMENT = "tracks/p-0/seg-00001.m4s"


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


@pytest.fixture
def stored(archive: Path, store: Store) -> StorePlace:
    """A lesson here and in the store."""
    record(archive, "L1", webm=True)
    assert Uploader(archive, store, HOUR).once().waiting_files == 0
    return StorePlace(archive, store)


def test_a_lesson_as_it_was_recorded_is_good(archive: Path) -> None:
    record(archive, "L1", webm=True)
    report = verify(LocalPlace(archive), "L1")
    assert report.findings == ()
    assert report.files == len({entry.path for entry in read_manifest(archive / "L1").files})
    assert report.bytes > 100_000


@pytest.mark.parametrize("step", [1, 7, 4096, 10**6])
def test_stretches_are_found_however_the_bytes_come(archive: Path, step: int) -> None:
    folder = record(archive, "L1", 7, webm=True)
    entries = [entry for entry in read_manifest(folder).files if entry.path.endswith(".webm")]
    assert len(entries) > 2
    data = (folder / entries[0].path).read_bytes()
    entries.sort(key=lambda entry: entry.offset)

    def pieces(data: bytes) -> list[bytes]:
        return [data[at : at + step] for at in range(0, len(data), step)]

    assert matches(pieces(data), entries)
    assert not matches(pieces(data[:-1]), entries)
    assert not matches(pieces(data[:-1] + b"\0"), entries)
    assert not matches([], entries)


def test_a_changed_a_missing_and_a_torn_file_are_found(archive: Path) -> None:
    folder = record(archive, "L1")
    spoil(folder / SEGMENT)
    (folder / "tracks/p-0/seg-00002.m4s").unlink()
    torn = folder / "tracks/p-1/seg-00001.m4s"
    torn.write_bytes(torn.read_bytes()[:-1])
    report = verify(LocalPlace(archive), "L1")
    assert {(finding.path, finding.here) for finding in report.problems} == {
        (SEGMENT, "damaged"),
        ("tracks/p-0/seg-00002.m4s", "missing"),
        ("tracks/p-1/seg-00001.m4s", "damaged"),
    }
    quick = verify(LocalPlace(archive), "L1", quick=True)
    assert SEGMENT not in {finding.path for finding in quick.problems}  # its size is right
    assert len(quick.problems) == 2


def test_an_unknown_lesson_and_an_open_one_are_told_apart(archive: Path) -> None:
    begin(archive, "L1", 7)
    with pytest.raises(LessonOpenError):
        verify(LocalPlace(archive), "L1")
    for name in ("L2", "../L1", ""):
        with pytest.raises(LookupError):
            verify(LocalPlace(archive), name)


def test_what_has_left_for_the_store_is_no_problem_and_what_is_bad_there_is(stored: StorePlace) -> None:
    folder = stored.folder / "L1"
    Uploader(stored.folder, stored.store, 0.0).once()
    assert not (folder / SEGMENT).exists()
    assert verify(stored, "L1").problems == []
    stored.store.delete([f"L1/{SEGMENT}"])
    report = verify(stored, "L1")
    assert report.problems == [Finding(SEGMENT, "missing", "missing")]
    assert report.problems[0].lost


def test_a_bad_copy_here_is_replaced_by_the_stores(stored: StorePlace) -> None:
    folder = stored.folder / "L1"
    good = (folder / SEGMENT).read_bytes()
    spoil(folder / SEGMENT)
    assert mend(stored, "L1").fetched == (SEGMENT,)
    assert (folder / SEGMENT).read_bytes() == good
    assert verify(stored, "L1").findings == ()


def test_a_bad_or_missing_copy_in_the_store_is_sent_again(stored: StorePlace, tmp_path: Path) -> None:
    from recorder.places.store import Digest

    stored.store.put(f"L1/{SEGMENT}", b"rotten", Digest.of(b"rotten"))
    stored.store.delete(["L1/events.jsonl"])
    assert set(mend(stored, "L1").sent) == {SEGMENT, "events.jsonl"}
    assert verify(stored, "L1").findings == ()


def test_a_lesson_whose_folder_is_lost_comes_back_from_the_store(stored: StorePlace) -> None:
    import shutil

    folder = stored.folder / "L1"
    known = read_manifest(folder)
    shutil.rmtree(folder)
    assert stored.lessons() == ["L1"]
    assert stored.file("L1", SEGMENT) is not None
    mend(stored, "L1")
    assert read_manifest(folder) == known
    assert verify(stored, "L1").findings == ()
    assert Uploader(stored.folder, stored.store, HOUR).once().sent_files == 0


def test_lessons_of_the_store_become_known_where_they_are_not(stored: StorePlace, tmp_path: Path) -> None:
    known = read_manifest(stored.folder / "L1")
    other = StorePlace(tmp_path / "other", stored.store)
    assert other.adopt() == ["L1"]
    assert other.adopt() == []
    folder = other.folder / "L1"
    assert read_manifest(folder) == known
    assert (folder / "tracks/p-0/index.m3u8").exists()
    assert not (folder / SEGMENT).exists()
    assert other.file("L1", SEGMENT) is not None
    assert verify(other, "L1").problems == []
    assert Uploader(other.folder, stored.store, HOUR).once().waiting_files == 0
    with other.local("L1"):
        assert (folder / SEGMENT).read_bytes() == (stored.folder / "L1" / SEGMENT).read_bytes()


class KilledError(Exception):
    """Where a process would have ended."""


def at_fetch(store: Store, monkeypatch: pytest.MonkeyPatch, number: int, happen: Callable[[], None]) -> None:
    """When so many files have been fetched, this happens in the midst of the next one."""
    fetch, count = store.fetch, itertools.count()

    def fetched(path: str, to: Path) -> str | None:
        if next(count) == number:
            happen()
        return fetch(path, to)

    monkeypatch.setattr(store, "fetch", fetched)


@pytest.mark.parametrize("files", [0, 3, 8, 12])
def test_a_lesson_whose_arrival_was_cut_short_arrives_the_next_time(
    stored: StorePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    def kill() -> None:
        raise KilledError

    other = StorePlace(tmp_path / "other", stored.store)
    with monkeypatch.context() as patched, contextlib.suppress(KilledError):
        at_fetch(stored.store, patched, files, kill)
        other.adopt()
    other.adopt()
    assert read_manifest(other.folder / "L1") == read_manifest(stored.folder / "L1")
    assert other.file("L1", SEGMENT) is not None
    assert verify(other, "L1").problems == []


@pytest.mark.parametrize("files", [0, 3, 15])
def test_a_lesson_that_is_deleted_while_it_arrives_does_not_come_back(
    stored: StorePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    other = StorePlace(tmp_path / "other", stored.store)

    def delete() -> None:
        other.delete("L1")
        Uploader(other.folder, other.store, HOUR).once()  # which takes its mark away

    with monkeypatch.context() as patched:
        at_fetch(stored.store, patched, files, delete)
        with pytest.raises((LookupError, FileNotFoundError)), other.local("L1"):
            pass
    assert not (other.folder / "L1").exists()
    assert other.lessons() == []


def test_a_damaged_manifest_in_the_store_keeps_no_other_lesson_away(stored: StorePlace, tmp_path: Path) -> None:
    stored.store.put("L0/manifest.json", b"{", Digest.of(b"{"))
    other = StorePlace(tmp_path / "other", stored.store)
    assert other.adopt() == ["L1"]
    assert not (other.folder / "L0" / NAME).exists()


@pytest.mark.parametrize(
    "lost", [SEGMENT, "tracks/p-0/seg-00002.m4s", "tracks/p-1/seg-00001.m4s", "tracks/p-0/index.m3u8"]
)
def test_what_is_lost_for_good_leaves_a_lesson_that_is_whole_again(archive: Path, lost: str) -> None:
    folder = record(archive, "L1")
    before = read_manifest(folder)
    (folder / "poster.jpg").write_bytes(b"a picture")
    derived.add(folder, ["poster.jpg"])
    (folder / lost).unlink()
    place = LocalPlace(archive)
    assert mend(place, "L1").lost == (lost,)
    assert verify(place, "L1").findings == ()
    after = read_manifest(folder)
    assert after.status == "ready"
    assert after.duration_ms == before.duration_ms
    assert [entry.path for entry in after.derived] == ["poster.jpg"]
    assert (folder / "poster.jpg").read_bytes() == b"a picture"
    if lost == "tracks/p-0/seg-00002.m4s":
        assert after.tracks[0].gaps
    assert not (archive / ".open" / "L1").exists()


def test_a_lesson_without_a_manifest_gets_one(archive: Path) -> None:
    folder = record(archive, "L1")
    before = read_manifest(folder)
    (folder / NAME).write_text("{")
    place = LocalPlace(archive)
    assert [finding.path for finding in verify(place, "L1").problems] == [NAME]
    mend(place, "L1")
    after = read_manifest(folder)
    assert (after.status, after.duration_ms, after.title) == (before.status, before.duration_ms, before.title)
    assert verify(place, "L1").findings == ()


def test_a_manifest_that_is_bad_here_is_fetched(stored: StorePlace) -> None:
    folder = stored.folder / "L1"
    known = read_manifest(folder)
    (folder / NAME).write_text("{")
    assert mend(stored, "L1").fetched == (NAME,)
    assert read_manifest(folder) == known


@pytest.mark.parametrize("freed", [False, True])
def test_a_lesson_moves_with_all_its_files(stored: StorePlace, tmp_path: Path, freed: bool) -> None:
    if freed:
        Uploader(stored.folder, stored.store, 0.0).once()
    (tmp_path / "other").mkdir()
    told: list[float] = []
    move(stored, "L1", Store.open(str(tmp_path / "other")), told.append)
    place = LocalPlace(tmp_path / "other")
    assert place.lessons() == ["L1"]
    assert verify(place, "L1").findings == ()
    assert stored.lessons() == []
    assert list(stored.store.objects("L1/")) == []
    assert told[-1] == 1.0
    back = Store.open(str(stored.folder / "copy"))
    assert move(place, "L1", back) > 100_000


def test_what_is_made_and_removed_while_a_lesson_moves_is_not_forgotten(archive: Path, tmp_path: Path) -> None:
    folder = record(archive, "L1")
    for name in ("poster.jpg", "speech.json"):
        (folder / name).write_bytes(b"old")
    derived.add(folder, ["poster.jpg", "speech.json"])
    told: list[float] = []

    def progress(fraction: float) -> None:
        told.append(fraction)
        if len(told) == 3:
            (folder / "storyboard.vtt").write_bytes(b"new")
            derived.add(folder, ["storyboard.vtt"])
            derived.remove(folder, ["speech.json"])

    move(LocalPlace(archive), "L1", Store.open(str(tmp_path / "other")), progress)
    assert not folder.exists()
    moved = LocalPlace(tmp_path / "other")
    assert {one.path for one in read_manifest(moved.folder / "L1").derived} == {"poster.jpg", "storyboard.vtt"}
    assert verify(moved, "L1").findings == ()


def test_a_damaged_lesson_does_not_move_and_stays(archive: Path, tmp_path: Path) -> None:
    folder = record(archive, "L1", 7)
    spoil(folder / SEGMENT)
    target = Store.open(str(tmp_path / "other"))
    with pytest.raises(DamagedError):
        move(LocalPlace(archive), "L1", target)
    assert (folder / NAME).exists()
    assert target.head(f"L1/{NAME}") is None


def test_a_lesson_goes_on_after_it_was_mended(archive: Path) -> None:
    folder = record(archive, "L1")
    (folder / "tracks/p-0/seg-00002.m4s").unlink()
    mend(LocalPlace(archive), "L1")
    end(begin(archive, "L1", 7), "L1")
    assert verify(LocalPlace(archive), "L1").findings == ()
    assert json.loads((folder / "events.jsonl").read_text().splitlines()[0])["seq"] == 1


def show_page(folder: Path) -> str:
    """A page of slides in a lesson that is on; gives its path."""
    path, _ = slides.page_files("aaaaaaaa/1")
    source = folder.parent.parent / "1.webp"
    source.write_bytes(b"RIFF" + (992).to_bytes(4, "little") + b"WEBP" + bytes(range(256)) * 3 + bytes(220))
    slides.put(folder, path, source)
    return path


def test_a_page_of_slides_goes_where_its_lesson_goes(archive: Path, store: Store, tmp_path: Path) -> None:
    recorder = begin(archive, "L1", 7)
    path = show_page(archive / "L1")
    end(recorder, "L1")
    assert not Uploader(archive, store, 0.0).once().error
    assert (archive / "L1" / path).exists()  # small as it is, it stays here too
    stored = StorePlace(archive, store)
    assert verify(stored, "L1").problems == []
    spoil(archive / "L1" / path)
    assert mend(stored, "L1").fetched == (path,)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Store.open(str(tmp_path / "elsewhere"))
    move(stored, "L1", elsewhere)
    assert elsewhere.head(f"L1/{path}") is not None
    assert list(store.objects("L1/")) == []


def test_a_page_that_is_lost_for_good_is_named_no_longer(archive: Path) -> None:
    recorder = begin(archive, "L1", 7)
    path = show_page(archive / "L1")
    end(recorder, "L1")
    spoil(archive / "L1" / path)
    assert mend(LocalPlace(archive), "L1").lost == (path,)
    assert path not in {entry.path for entry in read_manifest(archive / "L1").files}
    assert verify(LocalPlace(archive), "L1").findings == ()
