import gc

from recorder.parts import Part
from recorder.playlists import MediaPlaylist, Variant, master

EPOCH_US = 1_767_225_600_000_000  # 2026-01-01


def part(number: int, init: str = "init-1.mp4", seconds: int = 6) -> Part:
    return Part(number * 90_000 * 6, seconds * 90_000, f"seg-{number}.m4s", init)


def test_a_playlist_grows_while_the_lesson_lasts_and_ends_with_it() -> None:
    playlist = MediaPlaylist(EPOCH_US)
    playlist.add(part(10), 90_000, "H264")
    assert playlist.whole(ended=False) == (
        "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
        '#EXT-X-MAP:URI="init-1.mp4"\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:00.000Z\n'
        "#EXTINF:6.000000,\nseg-10.m4s\n"
    )
    playlist.add(part(11), 90_000, "H264")
    assert playlist.more() == "#EXTINF:6.000000,\nseg-11.m4s\n"
    assert playlist.more() == ""
    assert playlist.whole(ended=True).endswith("seg-11.m4s\n#EXT-X-ENDLIST\n")
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in playlist.whole(ended=True)


def test_a_gap_is_said_and_time_is_given_again_after_it() -> None:
    playlist = MediaPlaylist(EPOCH_US)
    playlist.add(part(0), 90_000, "H264")
    playlist.add(Part(6 * 90_000, 6 * 90_000), 90_000, "H264")
    playlist.add(part(2), 90_000, "H264")
    text = playlist.whole(ended=False)
    assert "#EXT-X-GAP\n#EXTINF:6.000000,\ngap.m4s\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:12.000Z\n#EXTINF" in text


def test_another_codec_is_a_discontinuity_another_size_is_not() -> None:
    playlist = MediaPlaylist(EPOCH_US)
    playlist.add(part(0), 90_000, "H264")
    playlist.add(part(1, "init-2.mp4"), 90_000, "H264")
    assert "DISCONTINUITY" not in playlist.whole(ended=False)
    playlist.add(part(2, "init-3.mp4"), 90_000, "VP9")
    assert '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init-3.mp4"\n' in playlist.whole(ended=False)


def test_a_window_shows_the_last_half_minute_and_counts_what_it_left_behind() -> None:
    playlist = MediaPlaylist(EPOCH_US)
    for number in range(20):
        playlist.add(
            part(number, "init-1.mp4" if number < 5 else "init-2.mp4"), 90_000, "H264" if number < 5 else "VP9"
        )
    text = playlist.window(ended=False)
    assert "#EXT-X-MEDIA-SEQUENCE:15\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in text
    assert text.count("#EXTINF") == 5
    assert text.index("init-2.mp4") < text.index("PROGRAM-DATE-TIME:2026-01-01T00:01:30.000Z") < text.index("seg-15")


def test_of_a_long_lesson_a_playlist_keeps_lines_and_no_parts() -> None:
    def parts() -> int:
        gc.collect()
        return sum(isinstance(one, Part) for one in gc.get_objects())

    before = parts()
    playlist = MediaPlaylist(EPOCH_US)
    for number in range(500):
        playlist.add(part(number), 90_000, "H264")
    assert parts() - before < 10
    assert playlist.whole(ended=True).count("#EXTINF") == 500
    assert "#EXT-X-MEDIA-SEQUENCE:495\n" in playlist.window(ended=True)


def test_a_master_playlist_may_have_a_picture_a_sound_or_both() -> None:
    variant = Variant("camera.m3u8", "avc1.42e01f", 1280, 720, 1_600_000)
    assert 'CODECS="avc1.42e01f,opus",AUDIO="sound"\ncamera.m3u8\n' in master(variant, "sound.m3u8")
    assert "AUDIO" not in master(variant, None)
    assert master(None, "sound.m3u8").endswith('CODECS="opus"\nsound.m3u8\n')
