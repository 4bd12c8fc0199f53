// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effectScope, type EffectScope, shallowRef } from "vue";
import type { Recording } from "../../src/protocol/api";
import { useReplay } from "../../src/view/use_replay";
import { track } from "../support/track";

const sound = track("mic", "microphone", 0, 60_000);
const camera = track("cam", "camera", 0, 60_000);
const later = track("cam-2", "camera", 0, 60_000);

let scope: EffectScope;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("MediaSource", { isTypeSupported: (type: string) => !type.includes("av01") });
  scope = effectScope();
});
afterEach(() => {
  scope.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function replay(more: Partial<Recording> = {}) {
  const recording = shallowRef<Recording | null>({ status: "ready", duration_ms: 60_000, tracks: [sound, camera], poster: null, storyboard: null, speech: null, ...more });
  const made = scope.run(() => useReplay(recording));
  if (!made) throw new Error("no scope");
  made.look();
  return { ...made, recording };
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const near = (at: number) => ({ asymmetricMatch: (value: number) => Math.abs(value - at) <= 350 });

test("time passes while it plays, and stands while it does not", async () => {
  const { at, toggle } = replay();
  toggle();
  await pass(3_000);
  expect(at.value).toEqual(near(3_000));
  toggle();
  await pass(3_000);
  expect(at.value).toEqual(near(3_000));
});

test("the leading sound is waited for as long as it takes, a picture for five seconds", async () => {
  const { at, toggle, waits } = replay();
  toggle();
  await pass(1_000);
  waits(camera, true, false);
  await pass(4_000);
  expect(at.value).toEqual(near(1_000));
  await pass(3_000);
  expect(at.value).toEqual(near(3_000));
  waits(camera, false, false);
  waits(sound, true, false);
  await pass(30_000);
  expect(at.value).toEqual(near(3_000));
  waits(sound, false, false);
  await pass(1_000);
  expect(at.value).toEqual(near(4_000));
});

test("a picture somebody asks for in mid-lesson holds nothing up, but after a jump all are waited for", async () => {
  const { at, toggle, waits, seek } = replay({ tracks: [sound, camera, later] });
  toggle();
  await pass(3_000);
  waits(later, true, true);
  await pass(1_000);
  expect(at.value).toEqual(near(4_000));
  waits(later, false, true);
  seek(30_000);
  waits(later, true, true);
  await pass(2_000);
  expect(at.value).toEqual(near(30_000));
});

test("at the end it stops, and begins anew when asked", async () => {
  const { at, toggle, seek, playing } = replay();
  seek(59_500);
  toggle();
  await pass(1_000);
  expect([at.value, playing.value]).toEqual([60_000, false]);
  toggle();
  await pass(1_000);
  expect(at.value).toEqual(near(1_000));
});

test("at the end of a lesson that is still on it waits for more", async () => {
  const { at, toggle, seek, playing, recording } = replay({ status: "recording" });
  seek(59_500);
  toggle();
  await pass(3_000);
  expect([at.value, playing.value]).toEqual([60_000, true]);
  recording.value = { ...(recording.value as Recording), duration_ms: 64_000 };
  await pass(2_000);
  expect(at.value).toEqual(near(62_000));
});

test("pictures no decoder of this browser knows are left out, and keep nothing waiting", () => {
  const { tracks } = replay({ tracks: [sound, track("new", "camera", 0, 60_000, { codec: "AV1" }), { ...camera, codec: "H264" }] });
  expect(tracks.value.map((one) => one.publication_id)).toEqual(["mic", "cam"]);
});
