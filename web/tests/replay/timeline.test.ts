import { expect, test } from "vitest";
import { clamp, endOf, insideOf, leading, loaded, nextStart, present, shareOf, silences, spanOf } from "../../src/replay/timeline";
import { track } from "../support/track";

const sound = track("mic", "microphone", 1_000, 60_000);
const camera = track("cam", "camera", 1_200, 30_000, { gaps: [[10_000, 12_000]] });
const later = track("cam-2", "camera", 31_000, 30_000);
const screen = track("screen", "screen", 5_000, 20_000);
const guest = track("guest", "camera", 15_000, 5_000, { lead: false, participant: "c" });
const all = [sound, camera, later, screen, guest];

test("the span begins with the first media and is as long as the recording says", () => {
  expect(spanOf({ duration_ms: 60_000, tracks: all })).toEqual({ from: 1_000, to: 61_000 });
  expect(spanOf({ duration_ms: 0, tracks: [] })).toEqual({ from: 0, to: 0 });
});

test("a track is there between its start and its end, and not in its gaps", () => {
  expect([1_199, 1_200, 9_999, 10_000, 11_999, 12_000, 31_199, 31_200].map((at) => present(camera, at))).toEqual([
    false, true, true, false, false, true, true, false,
  ]);
});

test("tracks are loaded a little before they begin, and given up soon after they end", () => {
  const names = (at: number) => loaded(all, at).map((one) => one.publication_id);
  expect(names(1_000)).toEqual(["mic", "cam", "screen"]);
  expect(names(29_000)).toEqual(["mic", "cam", "cam-2"]);
  expect(names(40_000)).toEqual(["mic", "cam-2"]);
});

test("on a thin line only sounds are loaded", () => {
  expect(loaded(all, 16_000, false)).toEqual([sound]);
});

test("a track says when it begins, begins again after a gap, and ends", () => {
  expect([0, 5_000, 10_500, 40_000].map((at) => nextStart(camera, at))).toEqual([1_200, null, 12_000, null]);
  expect([5_000, 11_000, 12_000].map((at) => endOf(camera, at))).toEqual([10_000, 31_200, 31_200]);
  expect(nextStart(track("torn", "camera", 0, 5_000, { gaps: [[4_000, 5_000]] }), 4_500)).toBeNull();
});

test("the lead's sound leads, then any sound, then the lead's picture", () => {
  const other = track("class-mic", "microphone", 0, 90_000, { lead: false });
  expect(leading([other, ...all], 5_000)).toBe(sound);
  expect(leading([other, camera], 5_000)).toBe(other);
  expect(leading([guest, camera], 16_000)).toBe(camera);
  expect(leading(all, 99_000)).toBeNull();
});

test("what nobody recorded is shown as missing", () => {
  const span = { from: 0, to: 70_000 };
  expect(silences([camera, later], span)).toEqual([
    { from: 0, to: 1_200 },
    { from: 10_000, to: 12_000 },
    { from: 61_000, to: 70_000 },
  ]);
  expect(silences(all, { from: 1_000, to: 61_000 })).toEqual([]);
});

test("places on the timeline and inside a file", () => {
  const span = { from: 1_000, to: 61_000 };
  expect([0, 1_000, 31_000, 90_000].map((at) => shareOf(at, span))).toEqual([0, 0, 0.5, 1]);
  expect(insideOf(screen, 7_500)).toBe(2.5);
  expect(insideOf(screen, 0)).toBe(0);
  expect(clamp(99_000, span)).toBe(61_000);
});
