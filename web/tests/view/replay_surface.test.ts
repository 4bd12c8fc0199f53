// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { drawnOf } from "../../src/replay/drawn";
import ReplaySurface from "../../src/view/components/ReplaySurface.vue";
import SurfaceView from "../../src/view/components/SurfaceView.vue";
import { lessonEvent } from "../support/fake_socket";

const turn = (at: number, surface: string) => lessonEvent(at, "page_turned", { surface }, "t");
const piece = (at: number, points: number[]) => lessonEvent(at, "stroke", { surface: "aaaaaaaa/1", stroke_id: "s", tool: "pen", colour: "ink", width: 25, points }, "t");
const DRAWN = drawnOf([
  lessonEvent(0, "slides_added", { slides_id: "aaaaaaaa", title: "草原", pages: 9, width: 1600, height: 1200 }),
  lessonEvent(0, "shown", { source: "slides", layout: "content" }, "t"),
  turn(1, "aaaaaaaa/1"),
  piece(2, [0, 0, 1, 1]),
  piece(3, [2, 2]),
  turn(5, "aaaaaaaa/2"),
  turn(6, "board/1"),
  lessonEvent(7, "shown", { source: "whiteboard", layout: "content" }, "t"),
]);

let frames: FrameRequestCallback[] = [];
let now = 1_500; // on the lesson clock
beforeEach(() => {
  frames = [];
  now = 1_500;
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => frames.push(callback));
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
});
afterEach(() => vi.unstubAllGlobals());

function surface() {
  const wrapper = mount(ReplaySurface, { props: { lessonId: "l", drawn: DRAWN, time: () => now } });
  const at = async (time: number) => {
    now = time;
    for (const callback of frames.splice(0)) callback(0); // the screen draws its next picture
    await wrapper.vm.$nextTick();
    return wrapper.findComponent(SurfaceView).props();
  };
  return { wrapper, at };
}

test("a page and its strokes stand there as the clock says, forwards and backwards", async () => {
  const { wrapper, at } = surface();
  expect(await at(1_500)).toMatchObject({ image: "/archive/l/slides/aaaaaaaa/1.webp", preview: "/archive/l/slides/aaaaaaaa/1.small.webp", aspect: 4 / 3, strokes: [], label: "课件第 1 页" });
  expect((await at(2_000)).strokes.map((one) => one.points)).toEqual([[0, 0, 1, 1]]);
  expect((await at(3_000)).strokes.map((one) => one.points)).toEqual([[0, 0, 1, 1, 2, 2]]);
  expect(await at(5_000)).toMatchObject({ image: "/archive/l/slides/aaaaaaaa/2.webp", strokes: [] });
  expect((await at(2_500)).strokes.map((one) => one.points)).toEqual([[0, 0, 1, 1]]);
  expect(await at(7_000)).toMatchObject({ image: null, aspect: 16 / 9, strokes: [], label: "白板第 1 页" });
  expect(wrapper.find("[data-testid=replay-content]").attributes("data-surface")).toBe("board/1");
});

test("nothing is drawn anew while nothing changes", async () => {
  const { at } = surface();
  const { strokes } = await at(2_100);
  expect((await at(2_900)).strokes).toBe(strokes);
});

test("who decides what is seen is told at once when a page comes", async () => {
  const { wrapper, at } = surface();
  await at(4_999);
  expect(wrapper.emitted("turned")).toBeUndefined();
  await at(5_000);
  expect(wrapper.emitted("turned")).toHaveLength(1);
});
