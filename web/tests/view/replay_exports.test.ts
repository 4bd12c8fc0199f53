// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Export } from "../../src/protocol/api";
import ReplayExports from "../../src/view/components/ReplayExports.vue";

let exports: Export[] = [];
let asked: string[] = [];
let refusal: string | null = null;

const one = (kind: Export["kind"], more: Partial<Export> = {}): Export => ({ kind, state: "none", progress: 0, bytes: null, url: null, reason: null, ...more });
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

beforeEach(() => {
  vi.useFakeTimers();
  [exports, asked, refusal] = [[one("movie"), one("camera"), one("audio")], [], null];
  vi.stubGlobal("fetch", async (path: string, { method = "GET", body }: RequestInit = {}) => {
    if (method === "GET") {
      asked.push("GET");
      return json({ exports });
    }
    asked.push(`${method} ${path} ${body ?? ""}`.trim());
    if (refusal) return json({ code: refusal }, 503);
    exports = exports.map((each) => (each.kind === "movie" ? { ...each, state: method === "POST" ? "waiting" : "cancelled" } : each));
    return method === "POST" ? json({}, 202) : new Response(null, { status: 204 });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function panel(may = true) {
  const wrapper = mount(ReplayExports, { props: { lessonId: "l", title: "草原", token: null, may }, attachTo: document.body });
  await wrapper.find("[data-testid=replay-exports]").trigger("click");
  await flushPromises();
  const state = (kind: string) => wrapper.find(`[data-testid=export-${kind}]`);
  return { wrapper, state };
}

test("nothing is asked before someone looks", () => {
  mount(ReplayExports, { props: { lessonId: "l", title: "", token: null, may: true } });
  expect(asked).toEqual([]);
});

test("a file is asked for, followed while it is made, and saved under the lesson's name", async () => {
  const { wrapper, state } = await panel();
  await wrapper.find("[data-testid=make-movie]").trigger("click");
  await flushPromises();
  expect(asked).toContain('POST /api/lessons/l/exports {"kind":"movie"}');
  expect(state("movie").attributes("data-state")).toBe("waiting");

  exports = [one("movie", { state: "running", progress: 0.424 })];
  await vi.advanceTimersByTimeAsync(2_000);
  expect(state("movie").text()).toContain("42%");

  exports = [one("movie", { state: "done", progress: 1, bytes: 48_400_000, url: "/archive/l/export/movie.mp4" })];
  await vi.advanceTimersByTimeAsync(2_000);
  const link = wrapper.find("[data-testid=download-movie]");
  expect([link.attributes("href"), link.attributes("download")]).toEqual(["/archive/l/export/movie.mp4", "草原 电影模式视频.mp4"]);
  expect(state("movie").text()).toContain("48 MB");

  const before = asked.length;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked.length).toBe(before); // nothing is being made
  wrapper.unmount();
});

test("what is being made can be called off", async () => {
  exports = [one("movie", { state: "running", progress: 0.1 })];
  const { wrapper, state } = await panel();
  await wrapper.find("[data-testid=cancel-movie]").trigger("click");
  await flushPromises();
  expect(asked).toContain("DELETE /api/lessons/l/exports/movie");
  expect(state("movie").attributes("data-state")).toBe("cancelled");
  wrapper.unmount();
});

test("a failure says why in words, and can be tried again", async () => {
  exports = [one("movie", { state: "failed", reason: "disk_full" }), one("camera", { state: "failed", reason: "no_such_word" })];
  const { wrapper, state } = await panel();
  expect(state("movie").text()).toContain("磁盘已满");
  expect(state("camera").text()).toContain("没有做成");
  refusal = "too_many_jobs";
  await wrapper.find("[data-testid=make-movie]").trigger("click");
  await flushPromises();
  expect(wrapper.find("[data-testid=problem]").attributes("data-code")).toBe("too_many_jobs");
  wrapper.unmount();
});

test("a class saves what others have had made, and asks for nothing", async () => {
  exports = [one("movie"), one("camera", { state: "done", bytes: 1, url: "/archive/l/export/camera.mp4" })];
  const { wrapper } = await panel(false);
  expect(wrapper.findAll("li").length).toBe(1);
  expect(wrapper.find("[data-testid=download-camera]").exists()).toBe(true);
  expect(wrapper.findAll("li button").length).toBe(0);
  wrapper.unmount();
});

test("who closes it with Escape is back at its button, and it asks no more", async () => {
  exports = [one("movie", { state: "running" })];
  const { wrapper } = await panel();
  await wrapper.find("section").trigger("keydown", { key: "Escape" });
  expect(wrapper.find("section").exists()).toBe(false);
  expect(document.activeElement).toBe(wrapper.find("[data-testid=replay-exports]").element);
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.length).toBe(before);
  wrapper.unmount();
});

test("who presses elsewhere has done with it", async () => {
  const { wrapper } = await panel();
  wrapper.find("li").element.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  await wrapper.vm.$nextTick();
  expect(wrapper.find("section").exists()).toBe(true);
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  await wrapper.vm.$nextTick();
  expect(wrapper.find("section").exists()).toBe(false);
  wrapper.unmount();
});
