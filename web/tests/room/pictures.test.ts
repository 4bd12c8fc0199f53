import { expect, test } from "vitest";
import type { Slot, Source } from "../../src/protocol/messages";
import { arrange } from "../../src/room/pictures";
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
