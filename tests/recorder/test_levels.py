from pathlib import Path

from recorder.levels import SILENT, SLOT, LevelLog


def test_there_is_a_byte_for_every_twenty_milliseconds_whatever_the_packets_last(tmp_path: Path) -> None:
    log = LevelLog(tmp_path / "levels.bin", 5000, 5000)
    end = 5000
    for duration, level in ((960, 10), (480, 20), (480, 30), (2880, 40), (960, 50)):
        end += duration
        log.add(end, level)
    log.flush()
    assert (tmp_path / "levels.bin").read_bytes() == bytes([10, 30, 40, 40, 40, 50])


def test_after_a_crash_the_levels_are_in_step_with_what_was_kept_of_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "levels.bin"
    path.write_bytes(bytes([1, 2, 3, 4]))
    ahead = LevelLog(path, 0, 2 * SLOT)
    ahead.add(3 * SLOT, 9)
    ahead.flush()
    assert path.read_bytes() == bytes([1, 2, 9])
    behind = LevelLog(path, 0, 5 * SLOT)
    behind.add(6 * SLOT, 8)
    behind.flush()
    assert path.read_bytes() == bytes([1, 2, 9, SILENT, SILENT, 8])
