"""A camera is sent in three layers, and a class sees one of them, whatever the browser and the codec."""

from pathlib import Path

import pytest

from tests.journeys.three_seats import WITHOUT_H264, Lesson, codecs, in_chromium, in_firefox
from tests.support import firefox
from tests.support.browser import eventually, moving_pictures
from tests.support.devices import lively

pytestmark = pytest.mark.journey

RIDS = ("h", "m", "l")  # from the largest; a busy machine makes all of them smaller than they should be

_SENT = """async () => {
  const found = [];
  for (const peer of window.__peers) {
    if (peer.connectionState !== "connected") continue;
    for (const one of (await peer.getStats()).values())
      if (one.type === "outbound-rtp" && one.kind === "video")
        found.push([one.rid ?? "", one.frameHeight ?? 0, one.framesEncoded ?? 0]);
  }
  return found;
}"""


async def test_chromium_sends_h264_in_three_layers_and_shows_one(tmp_path: Path) -> None:
    async with in_chromium(tmp_path, lively()) as lesson:
        await _three_are_sent_and_one_is_shown(lesson, "H264")


async def test_chromium_sends_vp8_in_three_layers_and_shows_one(tmp_path: Path) -> None:
    async with in_chromium(tmp_path, lively() + WITHOUT_H264) as lesson:
        await _three_are_sent_and_one_is_shown(lesson, "VP8")


@pytest.mark.skipif(firefox.executable() is None, reason="no Firefox on this machine")
async def test_firefox_sends_vp8_in_three_layers_and_shows_one(tmp_path: Path) -> None:
    async with in_firefox(tmp_path, lively()) as lesson:
        await _three_are_sent_and_one_is_shown(lesson, "VP8")


async def _three_are_sent_and_one_is_shown(lesson: Lesson, codec: str) -> None:
    async def all_sent() -> bool:
        # A layer that nobody needs is put to rest: it has sent pictures, and has no height any more.
        sent = {rid: lines for rid, lines, frames in await lesson.teacher.evaluate(_SENT) if frames}
        heights = [sent[rid] for rid in RIDS if sent.get(rid)]
        assert heights == sorted(set(heights), reverse=True)
        return set(sent) == set(RIDS)

    await eventually(f"{RIDS} from the teacher", all_sent, within=30)
    for watching in (lesson.linked, lesson.good):
        await moving_pictures(watching)
        assert await codecs(watching) == {codec}
    assert lesson.errors == [[], [], []]
