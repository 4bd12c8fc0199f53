import { expect, test } from "vitest";
import { strokesAt, surfaceAt } from "../../src/replay/drawn";
import { chapterAt, chaptersOf, neighbour, notesOf } from "../../src/replay/notes";
import { lessonEvent } from "../support/fake_socket";

test("notes name those who have left, and keep every message", () => {
  const events = [lessonEvent(1, "joined", { participant_id: "c", role: "receiving_class", name: "六(2)班", headcount: null }, "c")];
  for (let seq = 2; seq < 200; seq += 1) events.push(lessonEvent(seq, "chat", { text: `${seq}` }, "c"));
  events.push(
    lessonEvent(201, "mark", { label: "提问" }, "t"),
    lessonEvent(202, "left", { participant_id: "c", reason: "left" }, "c"),
  );
  const notes = notesOf(events);
  expect(notes.chat).toHaveLength(198);
  expect(notes.people.get("c")?.name).toBe("六(2)班");
  expect(notes.marks).toEqual([{ seq: 201, at_ms: 201_000, participant_id: "t", label: "提问" }]);
});

test("a class has the floor until it is taken back, given anew, or the class is gone", () => {
  const floor = (seq: number, participant_id: string, granted: boolean) => lessonEvent(seq, "floor", { participant_id, granted }, "t");
  const events = [floor(1, "c", true), floor(2, "d", true), floor(5, "c", false), floor(7, "c", true), lessonEvent(9, "left", { participant_id: "d", reason: "lost" }, "d")];
  expect(notesOf(events).floors).toEqual([
    { participant_id: "c", from: 1_000, to: 5_000 },
    { participant_id: "d", from: 2_000, to: 9_000 },
    { participant_id: "c", from: 7_000, to: Infinity },
  ]);
});

test("pauses of the recording last until it goes on, or the lesson ends", () => {
  const recording = (seq: number, state: string) => lessonEvent(seq, "recording", { state, reason: null });
  const events = [recording(1, "on"), recording(4, "paused"), recording(6, "on"), recording(8, "paused"), lessonEvent(9, "ended", {})];
  expect(notesOf(events).pauses).toEqual([{ from: 4_000, to: 6_000 }, { from: 8_000, to: 9_000 }]);
});

test("strokes are notes of none, and slides are there for any moment", () => {
  const events = [lessonEvent(1, "page_turned", { surface: "board/1" }, "t"), lessonEvent(2, "shown", { source: "whiteboard", layout: "content" }, "t")];
  for (let seq = 3; seq < 3_000; seq += 1) {
    events.push(lessonEvent(seq, "stroke", { surface: "board/1", stroke_id: `${seq}`, tool: "pen", colour: "ink", width: 25, points: [seq, seq] }, "t"));
  }
  const { drawn } = notesOf(events);
  expect([surfaceAt(drawn, 2_000), strokesAt(drawn, "board/1", 1_000_000).length]).toEqual(["board/1", 998]);
});

const mark = (at_ms: number, label: string) => ({ seq: at_ms, at_ms, participant_id: "t", label });
const SPAN = { from: 1_000, to: 90_000 };

test("marks with a name are chapters, each until the next; the others are not", () => {
  const marks = [mark(40_000, "练习"), mark(500, " 导入 "), mark(20_000, " "), mark(95_000, "after the end")];
  const chapters = chaptersOf({ marks, stages: [] }, SPAN, (name) => name);
  expect(chapters).toEqual([
    { title: "导入", from: 1_000, to: 40_000 },
    { title: "练习", from: 40_000, to: 90_000 },
  ]);
  expect([500, 1_000, 39_999, 40_000].map((at) => chapterAt(chapters, at)?.title)).toEqual([undefined, "导入", "导入", "练习"]);
});

test("where the teacher began stages, these are the chapters, and marks are marks", () => {
  const events = [lessonEvent(2, "stage", { name: "intro" }, "t"), lessonEvent(30, "mark", { label: "提问" }, "t"), lessonEvent(40, "stage", { name: "朗读" }, "t")];
  const called = (name: string) => (name === "intro" ? "导入" : name);
  expect(chaptersOf(notesOf(events), SPAN, called)).toEqual([
    { title: "导入", from: 2_000, to: 40_000 },
    { title: "朗读", from: 40_000, to: 90_000 },
  ]);
});

test.each([
  [20_000, true, 30_000],
  [30_000, true, null], // one stands there already
  [30_500, false, 10_000], // just jumped there: the one before is meant
  [32_000, false, 30_000],
  [9_000, false, null],
])("from %i ms, forward %s, the next mark is at %s", (at, forward, found) => {
  expect(neighbour([30_000, 10_000], at, forward)).toBe(found);
});
