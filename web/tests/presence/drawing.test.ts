import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Drawing } from "../../src/presence/drawing";
import type { Command, Stroke, StrokePiece } from "../../src/protocol/messages";
import { fold, NO_SURFACES, strokesOn } from "../../src/room/surfaces";
import { lessonEvent } from "../support/fake_socket";

const PEN = { tool: "pen", colour: "red", width: 25 } as const;
const PAGE = "board/1";

/** A hand, and a room that takes what it is told when `room` is asked to. */
function desk() {
  const told: Command[] = [];
  const line = { open: true };
  let surfaces = NO_SURFACES;
  let ids = 0;
  const drawing = new Drawing(
    (command) => line.open && told.push(command) > 0,
    () => undefined,
    () => `s${(ids += 1)}`,
  );
  const room = {
    /** All that was told has arrived and come back. */
    takes: () => {
      for (const { type, ...payload } of told.splice(0)) surfaces = fold(surfaces, lessonEvent(1, type, payload, "t"));
      drawing.seen(surfaces);
    },
    on: () => strokesOn(surfaces, PAGE),
    all: () => surfaces,
  };
  const ticks = (count: number) => vi.advanceTimersByTime(count * 100);
  const pieces = () => told.filter((one) => one.type === "stroke") as StrokePiece[];
  return { drawing, told, line, room, ticks, pieces };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a stroke stands on the page at once, goes to the room in pieces, and stays here until the room has it", () => {
  const { drawing, told, room, ticks, pieces } = desk();
  drawing.begin(1, PAGE, PEN, 100, 100);
  drawing.move(1, [200, 300, 300, 100]);
  expect(drawing.on(PAGE).map((one) => one.points)).toEqual([[100, 100, 200, 300, 300, 100]]);
  expect(told).toEqual([]);
  ticks(1);
  expect(pieces()).toEqual([{ type: "stroke", surface: PAGE, stroke_id: "s1", ...PEN, points: [100, 100, 200, 300, 300, 100] }]);
  room.takes();
  drawing.move(1, [400, 300]);
  drawing.end(1);
  ticks(1);
  expect(pieces().map((one) => one.points)).toEqual([[400, 300]]);
  expect(drawing.on(PAGE)).toHaveLength(1);
  expect(drawing.hidden.has("s1")).toBe(true);
  room.takes();
  expect(room.on().map((one) => one.points)).toEqual([[100, 100, 200, 300, 300, 100, 400, 300]]);
  expect(drawing.on(PAGE)).toEqual([]);
  expect(drawing.hidden.size).toBe(0);
});

test("no piece is longer than the protocol allows, and no second has more of them than the server takes", () => {
  const { drawing, room, ticks, pieces, told } = desk();
  drawing.begin(1, PAGE, PEN, 0, 0);
  const zigzag = Array.from({ length: 1200 }, (_, index) => [index * 8, index % 2 ? 0 : 2000]).flat();
  drawing.move(1, zigzag);
  drawing.end(1);
  let most = 0;
  for (let tenth = 0; tenth < 20; tenth += 1) {
    const before = told.length;
    ticks(1);
    most = Math.max(most, told.length - before);
  }
  expect(most).toBe(2);
  expect(Math.max(...pieces().map((one) => one.points.length))).toBe(400);
  room.takes();
  expect(room.on()[0]?.points).toEqual([0, 0, ...zigzag]);
  expect(drawing.on(PAGE)).toEqual([]);
});

test("a stroke that grows too long goes on as another from where it was", () => {
  const { drawing, room, ticks } = desk();
  drawing.begin(1, PAGE, PEN, 0, 0);
  for (let step = 0; step < 30; step += 1) {
    drawing.move(1, Array.from({ length: 100 }, (_, index) => [step * 300 + index * 3, index % 2 ? 3000 : 0]).flat());
    ticks(1);
  }
  drawing.end(1);
  ticks(20);
  room.takes();
  const [first, second] = room.on();
  expect(Math.max(...room.on().map((one) => one.points.length))).toBeLessThanOrEqual(4000);
  expect(second?.points.slice(0, 2)).toEqual(first?.points.slice(-2));
  drawing.undo(PAGE, room.on(), "t");
  ticks(1);
  room.takes();
  expect(room.on()).toEqual([]);
});

test("what was drawn while the connection was away is said once it is back, and nothing twice", () => {
  const { drawing, told, line, room, ticks, pieces } = desk();
  drawing.begin(1, PAGE, PEN, 0, 0);
  ticks(1);
  room.takes();
  drawing.move(1, [100, 900]);
  ticks(1);
  told.splice(0); // lost with the connection
  line.open = false;
  drawing.disconnected();
  drawing.move(1, [200, 0, 300, 900]);
  drawing.end(1);
  ticks(200);
  expect(drawing.on(PAGE)).toHaveLength(1);
  line.open = true;
  drawing.reconnected(room.all);
  ticks(9);
  expect(pieces()).toEqual([]);
  ticks(2);
  room.takes();
  expect(room.on().map((one) => one.points)).toEqual([[0, 0, 100, 900, 200, 0, 300, 900]]);
  expect(drawing.on(PAGE)).toEqual([]);
});

test("what the room refuses does not stand on the page, and the pen must come down again", () => {
  const { drawing, ticks, told } = desk();
  drawing.begin(1, PAGE, PEN, 0, 0);
  ticks(1);
  drawing.refused();
  drawing.move(1, [100, 900]);
  ticks(3);
  expect(drawing.on(PAGE)).toEqual([]);
  expect(told).toHaveLength(1);
});

test("a line the room never shows is given up after a while", () => {
  const { drawing, ticks } = desk();
  drawing.begin(1, PAGE, PEN, 0, 0);
  drawing.end(1);
  ticks(50);
  expect(drawing.on(PAGE)).toHaveLength(1);
  ticks(60);
  expect(drawing.on(PAGE)).toEqual([]);
});

const stroke = (stroke_id: string, participant_id = "t"): Stroke => ({ surface: PAGE, stroke_id, participant_id, ...PEN, points: [0, 0, 10, 10] });

test("undo takes back steps, the last first, then what was ours before the page was loaded", () => {
  const { drawing, told, ticks } = desk();
  const before = [stroke("old"), stroke("strange", "k")];
  drawing.begin(1, PAGE, PEN, 0, 0);
  drawing.end(1);
  ticks(1);
  expect(drawing.mayUndo(PAGE, before, "t")).toBe(true);
  drawing.undo(PAGE, [...before, stroke("s1")], "t");
  drawing.undo(PAGE, before, "t");
  ticks(1);
  expect(told.filter((one) => one.type === "strokes_removed")).toEqual([{ type: "strokes_removed", surface: PAGE, stroke_ids: ["s1", "old"] }]);
  expect(drawing.mayUndo(PAGE, before, "t")).toBe(false); // the other teacher's stays
});

test("what the eraser took in one go comes back with one undo", () => {
  const { drawing, told, ticks, pieces } = desk();
  drawing.rub(PAGE, [stroke("a")], false);
  drawing.rub(PAGE, [stroke("a"), stroke("b")], true);
  expect([...drawing.hidden]).toEqual(["a", "b"]);
  ticks(1);
  expect(told).toEqual([{ type: "strokes_removed", surface: PAGE, stroke_ids: ["a", "b"] }]);
  drawing.undo(PAGE, [], "t");
  ticks(2);
  expect(pieces().map((one) => one.points)).toEqual([[0, 0, 10, 10], [0, 0, 10, 10]]);
});

test("undo does nothing where another has cleared the page", () => {
  const { drawing, room, ticks } = desk();
  drawing.begin(1, PAGE, PEN, 0, 0);
  drawing.end(1);
  ticks(1);
  room.takes();
  expect(drawing.mayUndo(PAGE, room.on(), "t")).toBe(true);
  expect(drawing.mayUndo(PAGE, [], "t")).toBe(false);
});
