// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { expect, test } from "vitest";
import type { RecordingPolicy, RecordingState } from "../../src/protocol/messages";
import State from "../../src/view/components/RecordingState.vue";

const words = (recording: RecordingState, policy: RecordingPolicy = "consented", recorded: boolean | null = null) =>
  mount(State, { props: { recording, policy, recorded } }).text();

test.each<[RecordingState, string]>([
  ["on", "录制中"],
  ["off", "未录制"],
  ["paused", "录制暂停"],
  ["stopped", "录制已停"],
])("a recording that is %s is said to be", (recording, text) => {
  expect(words(recording)).toBe(text);
});

test("a class reads whether it is in the recording, while there is one", () => {
  expect(words("on", "consented", true)).toBe("录制中 · 含本班");
  expect(words("on", "consented", false)).toBe("录制中 · 不含本班");
  expect(words("off", "consented", false)).toBe("未录制");
  expect(words("paused", "consented", true)).toBe("录制暂停");
});

test("to a teacher nothing is said of a class", () => {
  expect(mount(State, { props: { recording: "on", policy: "consented" } }).text()).toBe("录制中");
});

test("a lesson that is never recorded says so", () => {
  expect(words("off", "nothing")).toBe("这节课不录制");
});
