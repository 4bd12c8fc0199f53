// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import ReplayTrack from "../../src/view/components/ReplayTrack.vue";
import { track } from "../support/track";

const FILE = { playlist: "tracks/cam/video.webm" }; // one file needs no player

/** A media element as a page sees it: it says how far it is, and does as it is told. */
class Media {
  currentTime = 0;
  readyState = 4;
  paused = true;
  seeking = false;
  ended = false;
  playbackRate = 1;
  muted = false;
  volume = 1;
  src = "";
}

let media: Media;
let time = 0; // lesson ms
beforeEach(() => {
  vi.useFakeTimers();
  media = new Media();
  for (const name of Object.keys(media) as (keyof Media)[]) {
    vi.spyOn(HTMLMediaElement.prototype, name as never, "get").mockImplementation((() => media[name]) as never);
    if (["readyState", "paused", "seeking", "ended"].includes(name)) continue;
    vi.spyOn(HTMLMediaElement.prototype, name as never, "set").mockImplementation(((value: never) => (media[name] = value)) as never);
  }
  vi.spyOn(HTMLMediaElement.prototype, "play").mockImplementation(async () => void (media.paused = false));
  vi.spyOn(HTMLMediaElement.prototype, "pause").mockImplementation(() => void (media.paused = true));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function played(source: "camera" | "microphone", more: object = {}, gaps: [number, number][] = []) {
  const wrapper = mount(ReplayTrack, {
    props: {
      lessonId: "l", track: track("cam", source, 1_000, 60_000, { ...FILE, gaps }), at: () => time, tick: 0, running: true, rate: 1,
      leads: false, volume: 1, label: "", testid: "replay-camera", ...more,
    },
  });
  await flushPromises();
  const look = async (at: number) => {
    time = at;
    await wrapper.setProps({ tick: wrapper.props("tick") + 1 });
  };
  return { wrapper, look };
}

test("a picture that is behind is hurried, one that is far off jumps", async () => {
  const { look } = await played("camera");
  media.currentTime = 9;
  await look(10_100);
  expect([media.paused, media.playbackRate, media.currentTime]).toEqual([false, 1.1, 9]);
  await look(15_000);
  expect(media.currentTime).toBe(14);
});

test("the sound that leads is neither hurried nor moved, it says where it is", async () => {
  const { wrapper, look } = await played("microphone", { leads: true });
  media.currentTime = 9;
  await look(10_200);
  await look(10_300);
  expect([media.playbackRate, media.currentTime]).toEqual([1, 9]);
  expect(wrapper.emitted("leading")?.pop()).toEqual([10_000]);
});

test("before it begins and in a gap a picture stands where it will go on, and goes on at that very time", async () => {
  const { wrapper, look } = await played("camera", {}, [[10_000, 12_000]]);
  await look(10_500);
  expect([media.paused, media.currentTime]).toEqual([true, 11.005]); // a little behind a time that is rounded
  await look(11_900);
  expect(media.paused).toBe(true);
  expect(wrapper.find("video").classes()).not.toContain("showing");
  time = 12_000;
  await vi.advanceTimersByTimeAsync(100); // no look comes in between
  expect(media.paused).toBe(false);
});

test("what has nothing to play is waited for, but not at its end", async () => {
  const { wrapper, look } = await played("camera");
  media.currentTime = 9;
  media.readyState = 2;
  await look(10_000);
  expect(wrapper.emitted("waiting")?.pop()).toEqual([true, true]); // it never had anything
  media.readyState = 4;
  await look(10_000);
  expect(wrapper.emitted("waiting")?.pop()).toEqual([false, false]);
  media.readyState = 2;
  await look(60_900);
  expect(wrapper.emitted("waiting")?.pop()).toEqual([false, false]);
});

test("what cannot be played says so once, and holds nobody up", async () => {
  const { wrapper, look } = await played("camera");
  wrapper.find("video").element.dispatchEvent(new Event("error"));
  wrapper.find("video").element.dispatchEvent(new Event("error"));
  media.readyState = 0;
  await look(10_000);
  expect(wrapper.emitted("failed")).toHaveLength(1);
  expect(wrapper.emitted("waiting")?.pop()?.[0]).toBe(false);
});

test("a voice keeps its pitch at another speed, and only sounds are heard", async () => {
  const sound = await played("microphone", { rate: 2, volume: 0.5 });
  expect([media.muted, media.volume, (sound.wrapper.element as HTMLMediaElement).preservesPitch]).toEqual([false, 0.5, true]);
  await played("camera");
  expect(media.muted).toBe(true);
});
