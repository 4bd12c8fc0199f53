// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { beforeEach, expect, test, vi } from "vitest";
import ReplayNotes, { type Note } from "../../src/view/components/ReplayNotes.vue";

const note = (at: number, kind: Note["kind"], text: string): Note => ({ key: `${kind}-${at}`, at, kind, text, who: "主讲教师甲" });
const NOTES = [note(5_000, "mark", "导入"), note(9_000, "chat", "请看第三段"), note(20_000, "floor", "阜平一小发言"), note(30_000, "mark", "练习")];

const copied = vi.fn(async () => undefined);
beforeEach(() => vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText: copied } }));

function notes(at: number) {
  const wrapper = mount(ReplayNotes, { props: { notes: NOTES, from: 1_000, at, link: (place: number) => `/replay/l?t=${place / 1000 - 1}` } });
  const rows = () => wrapper.findAll("li").map((one) => `${one.find(".time").text()}${one.classes("current") ? " now" : one.classes("later") ? " later" : ""}`);
  return { wrapper, rows };
}

test("messages and marks come in step with the lesson", async () => {
  const { wrapper, rows } = notes(0);
  expect(rows()).toEqual(["0:04 later", "0:08 later", "0:19 later", "0:29 later"]);
  await wrapper.setProps({ at: 9_500 });
  expect(rows()).toEqual(["0:04", "0:08 now", "0:19 later", "0:29 later"]);
  expect(wrapper.findAll("li")[1]?.attributes("aria-current")).toBe("true");
  await wrapper.setProps({ at: 4_900 });
  expect(rows()[0]).toBe("0:04 now"); // whoever jumps to a mark is there, although the clock is rounded
});

test("a note leads to its second, and is copied as a link to it", async () => {
  const { wrapper } = notes(0);
  const row = wrapper.findAll("li")[1];
  await row?.find(".go").trigger("click");
  expect(wrapper.emitted("seek")).toEqual([[9_000]]);
  await row?.find(".copy").trigger("click");
  expect(copied).toHaveBeenCalledWith("/replay/l?t=8");
  await vi.waitFor(() => expect(wrapper.find("[role=status]").text()).toBe("链接已复制"));
});

test("a page has beside it how it was fullest, and one may look at the pages alone", async () => {
  const { wrapper, rows } = notes(0);
  await wrapper.setProps({ notes: [...NOTES, { ...note(40_000, "page", "课件第 1 页"), leaf: { image: "/archive/l/slides/a/1.small.webp", aspect: 16 / 9, strokes: [] } }] });
  await wrapper.find("[data-testid=notes-page]").trigger("click");
  expect(rows()).toEqual(["0:39 later"]);
  expect(wrapper.find("li img").attributes("src")).toBe("/archive/l/slides/a/1.small.webp");
});

test("one may look at the marks alone", async () => {
  const { wrapper, rows } = notes(0);
  await wrapper.find("[data-testid=notes-mark]").trigger("click");
  expect(rows()).toEqual(["0:04 later", "0:29 later"]);
});
