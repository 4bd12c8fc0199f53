import { expect, test } from "vitest";
import type { Slot, Source } from "../../src/protocol/messages";
import { arrange, speakers } from "../../src/room/pictures";
import { EMPTY_ROOM, reduce } from "../../src/room/reducer";
import { lessonEvent } from "../support/fake_socket";

const room = [
  lessonEvent(1, "joined", { participant_id: "t", role: "lead_teacher", name: "主讲教师甲", headcount: null }),
  lessonEvent(2, "joined", { participant_id: "c", role: "receiving_class", name: "六(2)班", headcount: 43 }),
  lessonEvent(3, "floor", { participant_id: "c", granted: true }),
].reduce((state, one) => reduce(state, one), EMPTY_ROOM);

const slot = (mid: string, participant_id: string | null, source: Source | null): Slot => ({
  mid,
  kind: source === "microphone" ? "audio" : "video",
  publication_id: participant_id && `${participant_id}-${source}`,
  participant_id,
  source,
});
const shown = (...slots: Slot[]) => {
  const { large, small } = arrange(slots, room);
  return [large, ...small].map((one) => one && `${one.who.participant_id} ${one.source}`);
};

test("the screen is large, then the class on the floor, then the teacher", () => {
  expect(shown(slot("3", "t", "camera"), slot("4", "t", "screen"), slot("5", "c", "camera"))).toEqual([
    "t screen",
    "c camera",
    "t camera",
  ]);
  expect(shown(slot("3", "t", "camera"), slot("5", "c", "camera"))).toEqual(["c camera", "t camera"]);
  expect(shown(slot("3", "t", "camera"))).toEqual(["t camera"]);
});

test("empty slots, sounds and strangers show nothing", () => {
  expect(shown(slot("0", "t", "microphone"), slot("3", null, null), slot("4", "x", "camera"))).toEqual([null]);
});

test("a picture stands still by its slot, and is heard by the microphone of who is in it", () => {
  const speaking = reduce(room, lessonEvent(4, "published", { publication_id: "c-m", participant_id: "c", kind: "audio", source: "microphone" }));
  const quality = { "5": { mid: "5", rid: "l", height: 180, paused: true } };
  const { large, small } = arrange([slot("3", "t", "camera"), slot("5", "c", "camera")], speaking, quality, ["c-m"]);
  expect([large?.paused, large?.speaking, small[0]?.paused, small[0]?.speaking]).toEqual([true, true, false, false]);
  const muted = reduce(speaking, lessonEvent(5, "muted", { publication_id: "c-m", muted: true }));
  expect(speakers(muted, ["c-m"]).size).toBe(0);
});
