// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { defineComponent, h } from "vue";
import { NO_SURFACES } from "../../src/room/surfaces";
import SlidesPanel from "../../src/view/components/SlidesPanel.vue";
import { useSlides } from "../../src/view/use_slides";

const SET = { slides_id: "abcdefgh", title: "草原", pages: 3, width: 1920, height: 1080 };
const FILE = { slides_id: "abcdefgh", title: "草原", state: "ready", done: 3, pages: 3, reason: null };
let listed: object[];
let asked: ReturnType<typeof vi.fn<(path: string, options: RequestInit) => Promise<Response>>>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  listed = [FILE];
  asked = vi.fn(async (_path, { method }) => (method === "DELETE" ? new Response(null, { status: 204 }) : new Response(JSON.stringify({ slides: listed }))));
  vi.stubGlobal("fetch", asked);
  HTMLDialogElement.prototype.showModal = () => undefined; // jsdom has none
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function panel(props: object = {}, token: string | null = null) {
  const shown = mount(
    defineComponent({
      setup() {
        const slides = useSlides("l-1", () => Promise.resolve(token), () => NO_SURFACES.slides);
        return () => h(SlidesPanel, { lessonId: "l-1", surfaces: { ...NO_SURFACES, slides: [SET] }, shown: null, acts: true, mayBring: true, slides, boards: 0, mayAdd: true, ...props });
      },
    }),
  );
  await flushPromises();
  return { shown, panel: shown.findComponent(SlidesPanel) };
}

test("a press on a page shows it, and the page that is shown is marked", async () => {
  const { panel: deck } = await panel({ shown: "abcdefgh/2" });
  expect(deck.findAll(".pages img").map((one) => one.attributes("src"))).toContain("/api/lessons/l-1/slides/abcdefgh/3.small.webp");
  expect(deck.get("[data-testid=page-2]").attributes("aria-current")).toBe("true");
  expect(deck.get("[data-testid=page-2]").text()).toContain("正在显示");
  await deck.get("[data-testid=page-3]").trigger("click");
  expect(deck.emitted("show")).toEqual([["abcdefgh/3"]]);
});

test("before the lesson slides can be brought, and not shown yet", async () => {
  const { panel: deck } = await panel({ acts: false });
  expect(deck.get("[data-testid=page-1]").attributes("disabled")).toBeDefined();
  expect(deck.find("[data-testid=slides-upload]").exists()).toBe(true);
});

test("how far the server is, and why something failed, is said in words", async () => {
  listed = [
    { ...FILE, slides_id: "b", title: "练习", state: "rendering", done: 4, pages: 30 },
    { ...FILE, slides_id: "c", title: "旧课", state: "failed", pages: null, reason: "encrypted" },
    { ...FILE, slides_id: "d", title: "怪课", state: "failed", pages: null, reason: "never_heard_of" },
  ];
  const { panel: deck, shown } = await panel();
  expect(deck.get("[data-testid=slides-drawing]").text()).toContain("4 / 30");
  expect(deck.findAll("[data-testid=slides-failed]").map((one) => one.text())).toEqual([expect.stringContaining("密码"), expect.stringContaining("再上传一次")]);
  listed = [{ ...FILE, slides_id: "b", title: "练习", done: 30, pages: 30 }];
  await vi.advanceTimersByTimeAsync(1_000);
  await flushPromises();
  expect(deck.find("[data-testid=slides-drawing]").exists()).toBe(false);
  const calls = asked.mock.calls.length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.mock.calls.length).toBe(calls); // nothing is being drawn: nobody asks
  shown.unmount();
});

test("a presentation of an office program is refused before it is sent, with what to do instead", async () => {
  const { panel: deck } = await panel();
  const input = deck.get<HTMLInputElement>("[data-testid=slides-file]");
  Object.defineProperty(input.element, "files", { value: [new File(["PK"], "草原.pptx")] });
  await input.trigger("change");
  await flushPromises();
  expect(deck.get("[data-testid=slides-trouble]").text()).toContain("请先把课件另存为 PDF，再上传。");
});

test("slides go only after it was asked again, and with the grant of who has one", async () => {
  const { panel: deck } = await panel({}, "grant");
  await deck.get("[data-testid=slides-remove]").trigger("click");
  expect(asked.mock.calls.filter(([, { method }]) => method === "DELETE")).toEqual([]);
  await deck.get("[data-testid=confirm-remove-slides]").trigger("click");
  await flushPromises();
  const [path, { headers }] = asked.mock.calls.find(([, { method }]) => method === "DELETE") ?? ["", {} as RequestInit];
  expect(path).toBe("/api/lessons/l-1/slides/abcdefgh");
  expect((headers as Record<string, string>).Authorization).toBe("Bearer grant");
});

test("who only looks on brings nothing and takes nothing away", async () => {
  const { panel: deck } = await panel({ mayBring: false });
  expect(deck.find("[data-testid=slides-upload]").exists() || deck.find("[data-testid=slides-remove]").exists()).toBe(false);
});
