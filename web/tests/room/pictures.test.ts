import { expect, test } from "vitest";
import type { Layout, Participant, ShownSource, Slot, Source } from "../../src/protocol/messages";
import { arrange, compose, isPage, speakers } from "../../src/room/pictures";
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

test("before a choice the screen is large, else the teacher, and a class on the floor goes before the teacher among the small", () => {
  expect(shown(slot("3", "t", "camera"), slot("4", "t", "screen"), slot("5", "c", "camera"))).toEqual([
    "t screen",
    "c camera",
    "t camera",
  ]);
  expect(shown(slot("3", "t", "camera"), slot("5", "c", "camera"))).toEqual(["t camera", "c camera"]);
  expect(shown(slot("3", "t", "camera"))).toEqual(["t camera"]);
});

test("empty slots, sounds and strangers show nothing", () => {
  expect(shown(slot("0", "t", "microphone"), slot("3", null, null), slot("4", "x", "camera"))).toEqual([null]);
});

test("a class without the floor is in no picture of the lesson", () => {
  const back = reduce(room, lessonEvent(4, "floor", { participant_id: "c", granted: false }));
  expect(arrange([slot("5", "c", "camera")], back)).toEqual({ large: null, beside: null, small: [] });
});

test("a picture stands still by its slot, and is heard by the microphone of who is in it", () => {
  const speaking = reduce(room, lessonEvent(4, "published", { publication_id: "c-m", participant_id: "c", kind: "audio", source: "microphone" }));
  const quality = { "5": { mid: "5", rid: "l", height: 180, paused: true } };
  const { large, small } = arrange([slot("3", "t", "camera"), slot("5", "c", "camera")], speaking, quality, ["c-m"]);
  expect([small[0]?.paused, small[0]?.speaking, large?.paused, large?.speaking]).toEqual([true, true, false, false]);
  const muted = reduce(speaking, lessonEvent(5, "muted", { publication_id: "c-m", muted: true }));
  expect(speakers(muted, ["c-m"]).size).toBe(0);
});

const seen = (participant_id: string, role: Participant["role"], source: "camera" | "screen" | "document_camera" = "camera", on_floor = false) => ({
  source,
  who: { participant_id, role, on_floor } as Participant,
});
const ALL = [seen("t", "lead_teacher"), seen("t", "lead_teacher", "screen"), seen("c", "receiving_class", "camera", true), seen("k", "co_teacher")];

test.each<[ShownSource, Layout, string | null, string, string | null, string[]]>([
  ["screen", "content", null, "t screen", null, ["c camera", "t camera", "k camera"]],
  ["screen", "portrait", null, "t camera", null, ["t screen", "c camera", "k camera"]],
  ["screen", "side_by_side", null, "t screen", "t camera", ["c camera", "k camera"]],
  ["screen", "content", "c", "c camera", null, ["t screen", "t camera", "k camera"]],
  ["screen", "side_by_side", "c", "t screen", "c camera", ["t camera", "k camera"]],
  ["camera", "content", null, "t camera", null, ["c camera", "k camera"]], // the screen is not what they shall see
  ["camera", "side_by_side", null, "t camera", "c camera", ["k camera"]],
  ["camera", "portrait", "c", "c camera", null, ["t camera", "k camera"]],
  ["whiteboard", "content", null, "t camera", null, ["c camera", "k camera"]],
])("%s with layout %s and %s on stage", (source, layout, onStage, large, beside, small) => {
  const name = (one: { source: string; who: Participant } | null) => one && `${one.who.participant_id} ${one.source}`;
  const placed = compose(ALL, { source, layout }, onStage);
  expect([name(placed.large), name(placed.beside), placed.small.map(name)]).toEqual([large, beside, small]);
});

test("a page of slides or of the board goes where a screen would go, also while the camera is off", () => {
  const pages = [
    lessonEvent(4, "slides_added", { slides_id: "grassland", title: "草原", pages: 3, width: 1600, height: 900 }),
    lessonEvent(5, "page_turned", { surface: "grassland/2" }),
    lessonEvent(6, "page_turned", { surface: "board/1" }),
  ].reduce((state, one) => reduce(state, one), room);
  const seenWith = (source: ShownSource, layout: Layout, ...slots: Slot[]) => {
    const { large, beside, small } = arrange(slots, reduce(pages, lessonEvent(7, "shown", { source, layout })));
    return [large, beside, ...small].map((one) => one && `${one.source} ${isPage(one) ? one.publication_id : one.who.participant_id}`);
  };
  const camera = slot("3", "t", "camera");
  expect(seenWith("slides", "content", camera)).toEqual(["slides grassland/2", null, "camera t"]);
  expect(seenWith("whiteboard", "side_by_side", camera)).toEqual(["whiteboard board/1", "camera t"]);
  expect(seenWith("slides", "portrait", camera)).toEqual(["camera t", null, "slides grassland/2"]);
  expect(seenWith("slides", "content")).toEqual(["slides grassland/2", null]);
  expect(seenWith("camera", "content", camera)).toEqual(["camera t", null]);
  expect(arrange([camera], reduce(room, lessonEvent(4, "shown", { source: "slides", layout: "content" }))).large?.source).toBe("camera"); // nothing was turned to
});

test("a class that has the floor without a teacher in sight is not left small, and one alone stands beside nobody", () => {
  const guest = seen("c", "receiving_class", "camera", true);
  expect(compose([guest], null, null)).toEqual({ large: guest, beside: null, small: [] });
  expect(compose([guest], { source: "screen", layout: "side_by_side" }, null)).toEqual({ large: guest, beside: null, small: [] });
  expect(compose([seen("k", "co_teacher")], { source: "camera", layout: "side_by_side" }, null).beside).toBeNull();
});

test("a camera over the desk is what the classes see when the teacher says so, and nothing that shows things else", () => {
  const pictures = [...ALL, seen("t", "lead_teacher", "document_camera")];
  const sources = (source: ShownSource) => {
    const { large, beside, small } = compose(pictures, { source, layout: "content" }, null);
    return [large, beside, ...small].flatMap((one) => (one && one.source !== "camera" ? [one.source] : []));
  };
  expect([sources("document_camera"), sources("screen"), sources("camera")]).toEqual([["document_camera"], ["screen"], []]);
});
