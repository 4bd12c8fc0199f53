// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Shown, type ShownSlot } from "../../src/presence/shown";
import LineState from "../../src/view/components/LineState.vue";
import VideoTile from "../../src/view/components/VideoTile.vue";
import { SHOWN } from "../../src/view/use_presence";

let measured: (() => void)[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  measured = [];
  vi.stubGlobal("ResizeObserver", function create(callback: () => void) {
    measured.push(callback);
    return { observe: callback, disconnect: () => undefined };
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function tile(size: { width: number; height: number }, props: { mid?: string; fill?: boolean } = {}) {
  const told: ShownSlot[] = [];
  const shown = new Shown((news) => told.push(...news) > 0);
  const slot = { kind: "video" as const, publication_id: "p", participant_id: "t", source: "camera" as const };
  shown.fill([{ mid: "3", ...slot }, { mid: "4", ...slot }]);
  vi.spyOn(HTMLVideoElement.prototype, "clientWidth", "get").mockReturnValue(size.width);
  vi.spyOn(HTMLVideoElement.prototype, "clientHeight", "get").mockReturnValue(size.height);
  const wrapper = mount(VideoTile, {
    props: { track: null, picture: "p", label: "", ...props },
    global: { provide: { [SHOWN as symbol]: shown } },
  });
  const heights = async () => {
    await vi.advanceTimersByTimeAsync(300);
    return Object.fromEntries(told.splice(0).map(({ mid, height }) => [mid, height]));
  };
  return { wrapper, heights };
}

test.each([
  [{ width: 1280, height: 720 }, {}, 720],
  [{ width: 390, height: 600 }, {}, 219], // bars above and below
  [{ width: 390, height: 600 }, { fill: true }, 600], // edges cut
])("a tile of %j %j tells that its picture is %i pixels tall", async (size, props, height) => {
  const { heights } = tile(size, { mid: "3", ...props });
  expect(await heights()).toEqual({ "3": height, "4": 0 });
});

test("a tile that changes its slot, and one that goes, say so", async () => {
  const { wrapper, heights } = tile({ width: 1280, height: 720 }, { mid: "3" });
  await heights();
  await wrapper.setProps({ mid: "4" });
  expect(await heights()).toEqual({ "3": 0, "4": 720 });
  wrapper.unmount();
  expect(await heights()).toEqual({ "4": 0 });
});

test("one's own picture is nothing to tell the server of", async () => {
  const { heights } = tile({ width: 1280, height: 720 });
  expect(await heights()).toEqual({ "3": 0, "4": 0 });
});

test.each([
  ["good", "high", "线路：良好 · 高清", "good"],
  ["good", "audio", "线路：较差 · 仅声音", "poor"],
  ["lost", "high", "线路：断开", "lost"],
  ["good", null, "线路：良好", "good"],
] as const)("a line that is %s on rung %s says %s", (word, rung, text, shown) => {
  const wrapper = mount(LineState, { props: { word, rung } });
  expect(wrapper.text().replace(/\s+/g, " ")).toBe(text);
  expect(wrapper.attributes("data-word")).toBe(shown);
});
