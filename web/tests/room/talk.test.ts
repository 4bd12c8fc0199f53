import { expect, test } from "vitest";
import type { LessonEvent } from "../../src/protocol/messages";
import { EMPTY_ROOM, reduce, type RoomState } from "../../src/room/reducer";
import { fitted, lastSaid, newsFrom, phonesOf, saidIn, unreadIn } from "../../src/room/talk";
import { lessonEvent } from "../support/fake_socket";

const fold = (...events: LessonEvent[]): RoomState => events.reduce((state, one) => reduce(state, one), EMPTY_ROOM);
const joined = (seq: number, id: string, role: string, class_id: string | null = null) =>
  lessonEvent(seq, "joined", { participant_id: id, role, name: id, headcount: null, class_id }, id);
const ROOM = [joined(1, "t-1", "lead_teacher"), joined(2, "c-1", "receiving_class"), joined(3, "l-1", "local_teacher", "c-1")];

test("messages, signals, photos and private words stand in the order they were said", () => {
  const state = fold(
    ...ROOM,
    lessonEvent(4, "signal", { participant_id: "c-1", signal: "slower" }, "c-1"),
    lessonEvent(5, "private", { participant_id: "c-1", text: "好的" }, "t-1"),
    lessonEvent(6, "chat", { text: "看不清", to: "teachers", class_id: "c-1" }, "c-1"),
    lessonEvent(7, "photo", { participant_id: "c-1", photo_id: "p" }, "c-1"),
  );
  const said = saidIn(state, "t-1");
  expect(said.map((one) => one.kind)).toEqual(["signal", "private", "chat", "photo"]);
  expect(said.map((one) => one.classId)).toEqual(["c-1", "c-1", "c-1", "c-1"]);
  expect(said.map((one) => one.mine)).toEqual([false, true, false, false]);
  expect(lastSaid(state)).toBe(7);
});

test("a class counts what others wrote after it last looked, not its own words and signals", () => {
  const state = fold(
    ...ROOM,
    lessonEvent(4, "private", { participant_id: "c-1", text: "好的" }, "t-1"),
    lessonEvent(5, "chat", { text: "同学们好", to: "all", class_id: null }, "t-1"),
    lessonEvent(6, "chat", { text: "看不清", to: "teachers", class_id: "c-1" }, "c-1"),
    lessonEvent(7, "signal", { participant_id: "c-1", signal: "again" }, "c-1"),
  );
  expect(unreadIn(state, "c-1", 3)).toBe(2);
  expect(unreadIn(state, "c-1", 4)).toBe(1);
  expect(unreadIn(state, "c-1", 5)).toBe(0);
});

test("for a teacher signals and photos are news as words are, and what the teacher wrote is not", () => {
  const state = fold(
    ...ROOM,
    lessonEvent(4, "signal", { participant_id: "c-1", signal: "inaudible" }, "c-1"),
    lessonEvent(5, "private", { participant_id: "c-1", text: "好的" }, "t-1"),
    lessonEvent(6, "photo", { participant_id: "c-1", photo_id: "p" }, "c-1"),
    lessonEvent(7, "chat", { text: "听不见", to: "teachers", class_id: "c-1" }, "c-1"),
  );
  expect([3, 4, 6, 7].map((read) => newsFrom(state, "t-1", read))).toEqual([3, 2, 1, 0]);
});

test("a message that is hidden is said no more", () => {
  const state = fold(...ROOM, lessonEvent(4, "chat", { text: "!", to: "all", class_id: null }, "c-1"), lessonEvent(5, "hidden", { seq: 4 }, "t-1"));
  expect(saidIn(state, "t-1")).toEqual([]);
});

test("who is silenced, who may write to all and which photo is shown is what was said last", () => {
  const state = fold(
    ...ROOM,
    lessonEvent(4, "silenced", { participant_id: "c-1", silenced: true }, "t-1"),
    lessonEvent(5, "chat_to_all", { allowed: true }, "t-1"),
    lessonEvent(6, "photo_shown", { photo_id: "p" }, "t-1"),
  );
  expect(state.participants[1]?.silenced).toBe(true);
  expect([state.chatToAll, state.photoShown]).toEqual([true, "p"]);
  expect(reduce(state, lessonEvent(7, "photo_shown", { photo_id: null }, "t-1")).photoShown).toBeNull();
});

test("phones count for the class they stand beside while they are here", () => {
  const state = fold(...ROOM, joined(4, "l-2", "local_teacher", "c-2"));
  expect(phonesOf(state, "c-1")).toBe(1);
  expect(phonesOf(fold(...ROOM, lessonEvent(4, "away", { participant_id: "l-1", away: true })), "c-1")).toBe(0);
  expect(phonesOf(state, null)).toBe(0);
});

test.each([
  [4000, 3000, { width: 2560, height: 1920 }],
  [3000, 4000, { width: 1920, height: 2560 }],
  [640, 480, { width: 640, height: 480 }],
  [10_000, 1, { width: 2560, height: 1 }],
])("a photo of %d×%d is made no longer than it is needed", (width, height, size) => {
  expect(fitted(width, height, 2560)).toEqual(size);
});
