// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { expect, test } from "vitest";
import ReplayTimeline from "../../src/view/components/ReplayTimeline.vue";

const TILE = { from: 0, to: 10_000, file: "storyboard.jpg", x: 160, y: 90, width: 160, height: 90 };
const SPAN = { from: 2_000, to: 62_000 };

function timeline(more: object = {}) {
  const wrapper = mount(ReplayTimeline, {
    props: {
      span: SPAN,
      at: 32_000,
      ticks: [{ key: "m", at: 17_000, kind: "mark", label: "提问" }],
      chapters: [{ title: "新授", from: 12_000, to: 62_000 }],
      silences: [],
      lanes: { teacher: [{ from: 30_000, to: 40_000 }], classes: [{ from: 41_000, to: 47_000 }] },
      tiles: [TILE],
      picture: (file: string) => `/archive/l/${file}`,
      page: () => null,
      ...more,
    },
  });
  const bar = wrapper.find(".bar");
  bar.element.getBoundingClientRect = () => ({ left: 100, width: 600 }) as DOMRect;
  // jsdom has no pointer events: the component asks for nothing but clientX
  const hover = async (x: number) => {
    bar.element.dispatchEvent(new MouseEvent("pointermove", { clientX: x }));
    await wrapper.vm.$nextTick();
    return wrapper.find("[data-testid=replay-tip]");
  };
  return { wrapper, hover };
}

test("the place is told in words, with its chapter", () => {
  const range = timeline().wrapper.find("[data-testid=replay-seek]");
  expect([range.attributes("max"), range.attributes("aria-valuetext")]).toEqual(["60000", "0:30 / 1:00 新授"]);
});

test("a mark stands at its share of the lesson and leads to its second", async () => {
  const { wrapper } = timeline();
  const tick = wrapper.find("[data-testid=tick-mark]");
  expect([tick.attributes("style"), tick.attributes("aria-label")]).toEqual(["left: 25%;", "0:15 提问"]);
  await tick.trigger("click");
  expect(wrapper.emitted("seek")).toEqual([[17_000]]);
});

test("under the pointer stands what was to be seen, when, in which chapter, and who spoke", async () => {
  const { wrapper, hover } = timeline();
  const tip = await hover(100 + 400);
  expect(tip.text()).toBe("0:40 新授班级在说话");
  const { style } = tip.find(".frame i").element as HTMLElement;
  expect([style.backgroundImage, style.backgroundPosition]).toEqual(['url("/archive/l/storyboard.jpg")', "-160px -90px"]);
  expect((await hover(100 + 300)).text()).toContain("老师在说话");
  await wrapper.find(".bar").trigger("pointerleave");
  expect(wrapper.find("[data-testid=replay-tip]").exists()).toBe(false);
});

test("where a page was shown, that is what was to be seen", async () => {
  const { hover } = timeline({ page: (at: number) => (at < 30_000 ? "/archive/l/slides/a/1.small.webp" : null) });
  expect((await hover(100 + 100)).find("img").attributes("src")).toBe("/archive/l/slides/a/1.small.webp");
  expect((await hover(100 + 400)).find("img").exists()).toBe(false);
});

test("without storyboard and speech it still tells the time", async () => {
  const { wrapper, hover } = timeline({ tiles: [], lanes: null, chapters: [] });
  const tip = await hover(100);
  expect([tip.text(), tip.find(".frame").exists()]).toEqual(["0:00", false]);
  expect(wrapper.find("[data-testid=replay-voices]").exists()).toBe(false);
});

test("speech of teachers and of classes stands in two lanes", () => {
  const lanes = timeline().wrapper.findAll("[data-testid=replay-voices] i");
  expect(lanes.map((one) => one.classes())).toEqual([["teacher"], ["class"]]);
});
