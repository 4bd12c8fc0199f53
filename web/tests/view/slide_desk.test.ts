// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import SlideDesk from "../../src/view/components/SlideDesk.vue";

const READY = { slides_id: "0123456789abcdef", title: "草原", state: "ready", done: 4, pages: 4, reason: null };
const LOCKED = { ...READY, slides_id: "fedcba9876543210", title: "习题", state: "failed", done: 0, pages: null, reason: "encrypted" };
const asked = vi.fn<(path: string, options: RequestInit) => Promise<Response>>();
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  vi.stubGlobal("fetch", asked.mockImplementation(async (_, { method }) => (method === "DELETE" ? new Response(null, { status: 204 }) : new Response(JSON.stringify({ slides: [READY, LOCKED] })))));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

async function desk(may = true) {
  const shown = mount(SlideDesk, { props: { lessonId: "l-1", may } });
  await flushPromises();
  return shown;
}

test("slides show their first page and how many there are, and those that failed say what to do", async () => {
  const [ready, failed] = (await desk()).findAll("[data-testid=slide-file]");
  expect(ready?.get("img").attributes("src")).toBe("/api/lessons/l-1/slides/0123456789abcdef/1.small.webp");
  expect(ready?.text()).toContain("4 页");
  expect(failed?.get("[role=alert]").text()).toContain("去掉密码");
});

test("slides are taken away only after it was asked again", async () => {
  const shown = await desk();
  await shown.get("[data-testid=remove-slides]").trigger("click");
  const removed = () => asked.mock.calls.filter(([, { method }]) => method === "DELETE").map(([path]) => path);
  expect(removed()).toEqual([]);
  await shown.get("[data-testid=confirm-remove-slides]").trigger("click");
  await flushPromises();
  expect(removed()).toEqual(["/api/lessons/l-1/slides/0123456789abcdef"]);
});

test("a slide show of an office program is not sent, and its teacher is told to save it as a PDF", async () => {
  const shown = await desk();
  const picker = shown.get("[data-testid=slides-file]");
  Object.defineProperty(picker.element, "files", { value: [new File(["PK"], "草原.pptx")] });
  await picker.trigger("change");
  expect(shown.get("[data-testid=slides-trouble]").text()).toContain("请先把课件另存为 PDF，再上传。");
});

test("to a lesson that is over nothing can be added", async () => {
  expect((await desk(false)).find("[data-testid=add-slides]").exists()).toBe(false);
});
