import { expect, test } from "vitest";
import { tileAt, tilesOf } from "../../src/replay/storyboard";

const VTT = `WEBVTT

1
00:00:00.000 --> 00:00:10.000
storyboard.jpg#xywh=0,0,160,90

00:10.000 --> 00:20.500 align:start
storyboard.jpg#xywh=pixel:160,0,160,90

NOTE a cue that is no picture
01:00:00.000 --> 01:00:10.000
text

01:00:00.000 --> 01:00:10.000
storyboard.jpg#xywh=320,90,160,90
`;

test.each(["\n", "\r\n"])("cues become tiles, with or without hours, identifiers and settings", (newline) => {
  expect(tilesOf(VTT.replace(/\n/g, newline)).map((one) => [one.from, one.to, one.file, one.x, one.y, one.width, one.height])).toEqual([
    [0, 10_000, "storyboard.jpg", 0, 0, 160, 90],
    [10_000, 20_500, "storyboard.jpg", 160, 0, 160, 90],
    [3_600_000, 3_610_000, "storyboard.jpg", 320, 90, 160, 90],
  ]);
});

test("a moment has its tile, or the last one before it", () => {
  const tiles = tilesOf(VTT);
  expect([-1, 0, 9_999, 10_000, 60_000, 9e9].map((at) => tileAt(tiles, at)?.x)).toEqual([undefined, 0, 0, 160, 160, 320]);
  expect(tileAt([], 5)).toBeNull();
});

test("what is no storyboard has no tiles", () => expect(tilesOf("<html></html>")).toEqual([]));
