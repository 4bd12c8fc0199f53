// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { expect, test } from "vitest";
import ReplayControls from "../../src/view/components/ReplayControls.vue";

const controls = (more: object = {}) =>
  mount(ReplayControls, {
    props: { playing: false, place: 0, length: 60_000, chapter: "", speeds: [1, 2], copied: false, full: false, speed: 1, volume: 1, layout: "side", pictures: true, ...more },
  });

test("every choice has its word below its picture, and a sentence for who asks", () => {
  const wrapper = controls();
  const words = ["layout-side", "layout-inset", "layout-single", "replay-listen", "replay-link", "replay-help", "replay-full"].map((id) => wrapper.find(`[data-testid=${id}]`));
  expect(words.map((one) => one.text())).toEqual(["并排", "画中画", "单画面", "只听声音", "复制链接", "快捷键", "全屏"]);
  expect(words.every((one) => one.attributes("title"))).toBe(true);
});

test("nothing in the row is without a name", () => {
  for (const button of controls().findAll("button")) expect(button.attributes("aria-label") ?? button.text()).toMatch(/\S/);
});

test("with the whole screen the same button leaves it", async () => {
  const wrapper = controls({ full: true });
  const button = wrapper.find("[data-testid=replay-full]");
  expect(button.text()).toBe("退出全屏");
  await button.trigger("click");
  expect(wrapper.emitted("full")).toHaveLength(1);
});

test("a layout brings the pictures back that were switched off", async () => {
  const wrapper = controls({ pictures: false });
  expect(wrapper.find("[data-testid=layout-side]").attributes("aria-pressed")).toBe("false");
  await wrapper.find("[data-testid=layout-inset]").trigger("click");
  expect([wrapper.emitted("update:layout"), wrapper.emitted("update:pictures")]).toEqual([[["inset"]], [[true]]]);
});
