// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { expect, test, vi } from "vitest";
import { Presence } from "../../src/presence/presence";
import ClassBar from "../../src/view/components/ClassBar.vue";
import ClassCountdown from "../../src/view/components/ClassCountdown.vue";

function bar(resting: boolean) {
  const presence = new Presence({ openSocket: () => ({ close: () => undefined }) as never, hello: () => new Promise(() => undefined), patient: true });
  const ask = vi.spyOn(presence, "ask").mockReturnValue(true);
  const wrapper = mount(ClassBar, {
    props: {
      ...{ presence, state: { ...presence.state, phase: "open" as const }, isClass: true, floor: false, asks: false, consent: null, unread: 0 },
      ...{ resting, volume: 1, chat: false, choice: "all" as const, camera: "floor" as const },
    },
    global: { stubs: { RouterLink: true } },
  });
  presence.close();
  return { wrapper, ask };
}

test("a touch of a bar that was not seen only brings it back", async () => {
  const { wrapper, ask } = bar(true);
  const hand = wrapper.get("[data-testid=hand]");
  await hand.trigger("pointerdown");
  await wrapper.setProps({ resting: false }); // as the touch does
  await hand.trigger("click");
  expect(ask).not.toHaveBeenCalled();
  await hand.trigger("pointerdown");
  await hand.trigger("click");
  expect(ask).toHaveBeenCalledWith({ type: "hand", raised: true });
});

test("a key works at once, wherever the bar is", async () => {
  const { wrapper, ask } = bar(true);
  await wrapper.get("[data-testid=hand]").trigger("click"); // as Enter does: no pointer was down
  expect(ask).toHaveBeenCalledTimes(1);
});

test("sound comes back as loud as it was", async () => {
  const { wrapper } = bar(false);
  await wrapper.get("[data-testid=volume]").setValue(0.4);
  const mute = wrapper.get(".volume button");
  await wrapper.setProps({ volume: 0.4 });
  await mute.trigger("click");
  await wrapper.setProps({ volume: 0 });
  await mute.trigger("click");
  expect(wrapper.emitted("update:volume")?.map(([value]) => value)).toEqual([0.4, 0, 0.4]);
});

test.each([
  [null, 5_000, null],
  [65_000, null, null],
  [65_000, 0, "1:05"],
  [65_000, 64_900, "0:01"], // as long as there is any of it left
  [65_000, 65_000, "时间到"],
  [65_000, 75_000, null],
])("a countdown until %s shows at %s %s", (untilMs, nowMs, text) => {
  const wrapper = mount(ClassCountdown, { props: { untilMs, nowMs } });
  expect(wrapper.find("p").exists() ? wrapper.text() : null).toBe(text);
});
