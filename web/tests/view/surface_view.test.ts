// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { nextTick } from "vue";
import type { Line } from "../../src/room/ink";
import SurfaceView from "../../src/view/components/SurfaceView.vue";

let drawn: string[];
let measured: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  drawn = [];
  vi.stubGlobal("ResizeObserver", function create(callback: () => void) {
    measured = callback;
    return { observe: callback, disconnect: () => undefined };
  });
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1000);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(500);
  HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement) {
    const note = (what: string) => (...at: number[]) => void drawn.push(`${what} ${at.map(Math.round).join(" ")}`.trim());
    return { canvas: this, beginPath: () => undefined, stroke: () => undefined, moveTo: note("from"), lineTo: note("to"), clearRect: () => drawn.push("clear") };
  } as never;
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const line = (stroke_id: string, ...points: number[]): Line => ({ stroke_id, participant_id: "t", tool: "pen", colour: "red", width: 25, points });

async function view(props: object = {}) {
  const shown = mount(SurfaceView, { props: { image: null, aspect: 16 / 9, strokes: [], ...props } });
  await nextTick();
  await nextTick();
  return shown;
}

test("a page is as large as it goes in its place, in its own shape", async () => {
  const shown = await view({ aspect: 1 });
  expect(shown.get(".sheet").attributes("style")).toBe("width: 500px; height: 500px;");
  const wide = await view({ aspect: 4 });
  expect(wide.get(".sheet").attributes("style")).toBe("width: 1000px; height: 250px;");
});

test("the picture says how a page is shaped, whatever the first page of its set was", async () => {
  const shown = await view({ image: "/2.webp", aspect: 4 });
  const picture = shown.get<HTMLImageElement>("img");
  Object.defineProperties(picture.element, { naturalWidth: { value: 1440 }, naturalHeight: { value: 1440 } });
  await picture.trigger("load");
  expect(shown.get(".sheet").attributes("style")).toBe("width: 500px; height: 500px;");
  await shown.setProps({ image: "/3.webp" });
  expect(shown.get(".sheet").attributes("style")).toBe("width: 1000px; height: 250px;");
});

test("the small picture stands until the large one is there, and goes with its page", async () => {
  const shown = await view({ image: "/2.webp", preview: "/2.small.webp" });
  const sources = () => shown.findAll("img").map((one) => one.attributes("src"));
  expect(sources()).toEqual(["/2.small.webp", "/2.webp"]);
  await shown.findAll("img")[1]?.trigger("load");
  expect(sources()).toEqual(["/2.webp"]);
  expect(shown.get("[data-testid=surface]").attributes("data-shown")).toBe("true");
  await shown.setProps({ image: "/3.webp", preview: "/3.small.webp" });
  expect(sources()).toEqual(["/3.small.webp", "/3.webp"]);
  expect(shown.get("[data-testid=surface]").attributes("data-shown")).toBe("false");
});

test("a picture that was lost on the way is asked for again", async () => {
  const shown = await view({ image: "/2.webp" });
  const first = shown.get("img").element;
  await shown.get("img").trigger("error");
  await vi.advanceTimersByTimeAsync(1_000);
  const second = shown.get("img").element;
  expect(second).not.toBe(first);
  await shown.get("img").trigger("error");
  await vi.advanceTimersByTimeAsync(1_500);
  expect(shown.get("img").element).toBe(second);
  await vi.advanceTimersByTimeAsync(500);
  expect(shown.get("img").element).not.toBe(second);
});

test("what comes to a stroke is added to what stands there, and all is drawn anew when one is gone", async () => {
  const shown = await view({ strokes: [line("a", 0, 0, 10_000, 10_000)] });
  expect(drawn).toEqual(["from 0 0", "to 889 500"]); // as far as the sheet goes in a place of 1000 by 500
  drawn = [];
  await shown.setProps({ strokes: [line("a", 0, 0, 10_000, 10_000, 5000, 10_000), line("b", 0, 0)] });
  expect(drawn).toEqual(["from 889 500", "to 445 500", "from 0 0", "to 0 0"]);
  drawn = [];
  await shown.setProps({ strokes: [line("b", 0, 0)] });
  expect(drawn).toEqual(["clear", "from 0 0", "to 0 0"]);
});

test("a page that becomes larger is drawn anew, as sharp as the screen", async () => {
  const shown = await view({ strokes: [line("a", 0, 0, 10_000, 10_000)] });
  drawn = [];
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(2000);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(1000);
  measured();
  await nextTick();
  await nextTick();
  expect(shown.get("canvas").attributes("width")).toBe("1778");
  expect(drawn).toEqual(["from 0 0", "to 1778 1000"]);
});
