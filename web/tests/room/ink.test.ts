import { expect, test } from "vitest";
import { type Line, lineKey, parts, thinned, touched } from "../../src/room/ink";

const line = (stroke_id: string, points: number[], width = 20): Line => ({ stroke_id, participant_id: "t", tool: "pen", colour: "red", width, points });

test("only what is new of a stroke is drawn, from where it was left off", () => {
  const lines = [line("a", [0, 0, 10, 10]), line("b", [0, 0, 10, 0, 20, 0]), line("c", [5, 5])];
  const drawn = new Map(lines.slice(0, 2).map((one) => [lineKey(one), 4]));
  expect(parts(drawn, lines)?.map((one) => [one.line.stroke_id, one.from])).toEqual([["b", 4], ["c", 0]]);
});

test("when a stroke is gone or shorter, all is drawn anew", () => {
  const [a, b] = [line("a", [0, 0, 1, 1]), line("b", [0, 0])];
  expect(parts(new Map([[lineKey(a), 4], [lineKey(b), 2]]), [a])).toBeNull();
  expect(parts(new Map([[lineKey(a), 4]]), [line("a", [0, 0])])).toBeNull();
});

test("a stroke of the same name on another page, or begun elsewhere, is another", () => {
  const drawn = new Map([[lineKey({ ...line("a", [0, 0, 1, 1]), surface: "board/1" }), 4]]);
  expect(parts(drawn, [{ ...line("a", [0, 0, 1, 1]), surface: "board/2" }])).toBeNull();
  expect(parts(drawn, [{ ...line("a", [5, 0, 1, 1]), surface: "board/1" }])).toBeNull();
  expect(parts(drawn, [{ ...line("a", [0, 0, 1, 1]), surface: "board/1" }])).toEqual([]);
});

test("a straight line needs two points, a corner its own, and a curve stays within the measure", () => {
  const straight = Array.from({ length: 50 }, (_, index) => [index * 10, index * 5]).flat();
  expect(thinned(straight)).toEqual([0, 0, 490, 245]);
  expect(thinned([0, 0, 500, 1, 1000, 0, 1000, 500, 1001, 1000])).toEqual([0, 0, 1000, 0, 1001, 1000]);
  const arc = Array.from({ length: 101 }, (_, index) => [Math.round(1000 * Math.cos(index / 50)), Math.round(1000 * Math.sin(index / 50))]).flat();
  const fewer = thinned(arc);
  expect(fewer.length).toBeLessThan(arc.length / 3);
  const rounds = (points: number[]) => points.filter((_, index) => index % 2 === 0).every((px, index) => Math.abs(Math.hypot(px, points[index * 2 + 1] ?? 0) - 1000) < 2);
  expect(rounds(fewer)).toBe(true);
});

test("what has no middle stays as it is", () => {
  expect(thinned([])).toEqual([]);
  expect(thinned([3, 4])).toEqual([3, 4]);
  expect(thinned([3, 4, 3, 4])).toEqual([3, 4, 3, 4]);
});

test("an eraser takes the strokes it comes across, however quickly it moves, and no others", () => {
  const lines = [line("across", [5000, 0, 5000, 10_000]), line("dot", [2000, 5000]), line("far", [9000, 9000, 9500, 9000])];
  expect(touched(lines, [1000, 5000, 8000, 5000], 50, 1).map((one) => one.stroke_id)).toEqual(["across", "dot"]);
  expect(touched(lines, [1000, 1000], 50, 1)).toEqual([]);
});

test("an eraser is as round on a wide page as on a square one", () => {
  const above = [line("a", [5000, 5000])]; // 100 of its width below 4800 of a height half as large
  expect(touched(above, [5000, 4800], 95, 2).length).toBe(1);
  expect(touched(above, [5000, 4800], 95, 1).length).toBe(0);
});
