// @vitest-environment jsdom
import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import HandoutDesk from "../../src/view/components/HandoutDesk.vue";
import HandoutLinks from "../../src/view/components/HandoutLinks.vue";
import { printFile } from "../../src/view/print_file";

vi.mock("../../src/view/print_file", () => ({ printFile: vi.fn() }));

const PAGE = { handout_id: "h-1", name: "导学案", kind: "pdf", size: 48_000, url: "/api/lessons/l-1/handouts/h-1" };
const asked = vi.fn<(path: string, options: RequestInit) => Promise<Response>>();
let listed: object[] = [];
beforeEach(() => {
  listed = [PAGE];
  HTMLDialogElement.prototype.showModal = vi.fn();
  vi.stubGlobal("fetch", asked.mockImplementation(async (_, { method }) => (method === "DELETE" ? new Response(null, { status: 204 }) : new Response(JSON.stringify({ handouts: listed })))));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

async function links() {
  const shown = mount(HandoutLinks, { props: { lessonId: "l-1", token: () => Promise.resolve("grant") } });
  await flushPromises();
  return shown;
}

async function desk(may = true) {
  const shown = mount(HandoutDesk, { props: { lessonId: "l-1", may } });
  await flushPromises();
  return shown;
}

test("a class that waits asks with its grant, and opens a handout in a window of its own", async () => {
  const shown = await links();
  expect((asked.mock.calls[0]?.[1].headers as Record<string, string>).Authorization).toBe("Bearer grant");
  const link = shown.get("[data-testid=open-handout]");
  expect([link.attributes("href"), link.attributes("target"), link.attributes("rel")]).toEqual([PAGE.url, "_blank", "noopener"]);
  shown.unmount();
});

test("where there are no handouts nothing is said of them", async () => {
  listed = [];
  const shown = await links();
  expect(shown.text()).toBe("");
  shown.unmount();
});

test("a browser that cannot print from the page says where to print", async () => {
  vi.mocked(printFile).mockRejectedValueOnce(new Error("not allowed"));
  const shown = await links();
  await shown.get("[data-testid=print-handout]").trigger("click");
  await flushPromises();
  expect(shown.get("[role=status]").text()).toContain("打开");
  shown.unmount();
});

test("a handout is taken away only after it was asked again", async () => {
  const shown = await desk();
  await shown.get("[data-testid=remove-handout]").trigger("click");
  expect(asked.mock.calls.filter(([, { method }]) => method === "DELETE")).toEqual([]);
  await shown.get("[data-testid=confirm-remove-handout]").trigger("click");
  await flushPromises();
  expect(asked.mock.calls.filter(([, { method }]) => method === "DELETE").map(([path]) => path)).toEqual([PAGE.url]);
});

test("to a lesson that is over nothing can be added", async () => {
  expect((await desk(false)).find("[data-testid=add-handout]").exists()).toBe(false);
});
