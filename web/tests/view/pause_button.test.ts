// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { expect, test, vi } from "vitest";
import type { Presence, PresenceState } from "../../src/presence/presence";
import type { RecordingPolicy, RecordingState } from "../../src/protocol/messages";
import { EMPTY_ROOM } from "../../src/room/reducer";
import "../../src/view/studio_words";
import PauseButton from "../../src/view/components/PauseButton.vue";

function button(startedMs: number | null, recording: RecordingState = "on", recordingPolicy: RecordingPolicy = "all", rights: string[] = ["set_recording"]) {
  const ask = vi.fn(() => true);
  const state = { phase: "open", rights, recordingPolicy, room: { ...EMPTY_ROOM, startedMs, recording } } as unknown as PresenceState;
  return { ask, shown: mount(PauseButton, { props: { presence: { ask } as unknown as Presence, state } }).find("button") };
}

test("before the lesson nothing is recorded, and there is nothing to pause", () => {
  expect(button(null).shown.element.disabled).toBe(true);
  expect(button(0).shown.element.disabled).toBe(false);
});

test("a press pauses the recording, and the next lets it go on", async () => {
  for (const [now, asked] of [["on", "paused"], ["paused", "on"]] as const) {
    const { ask, shown } = button(0, now);
    await shown.trigger("click");
    expect(ask).toHaveBeenCalledWith({ type: "set_recording", state: asked });
  }
});

test("where nobody is recorded, or another decides, there is no such button", () => {
  expect(button(0, "off", "nothing").shown.exists()).toBe(false);
  expect(button(0, "on", "all", []).shown.exists()).toBe(false);
});
