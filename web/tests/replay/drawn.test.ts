import { describe, expect, test } from "vitest";
import type { LessonEvent } from "../../src/protocol/messages";
import { comingAt, drawnOf, fullestAt, looksAt, pageOn, pictureFile, revisionAt, strokesAt, surfaceAt } from "../../src/replay/drawn";
import { EMPTY_ROOM, reduce } from "../../src/room/reducer";
import { strokesOn, surfaceShown } from "../../src/room/surfaces";
import { lessonEvent } from "../support/fake_socket";

const slides = (slides_id: string) => ({ slides_id, title: `标题 ${slides_id}`, pages: 9, width: 1600, height: 1200 });
const shown = (source: string) => ({ source, layout: "content" });
const piece = (stroke_id: string, points: number[], surface = "aaaaaaaa/1") => ({ surface, stroke_id, tool: "pen", colour: "ink", width: 25, points });

// Each event at its number in seconds.
const LOG = [
  lessonEvent(1, "slides_added", slides("aaaaaaaa")),
  lessonEvent(2, "page_turned", { surface: "aaaaaaaa/1" }, "t"),
  lessonEvent(5, "shown", shown("slides"), "t"),
  lessonEvent(6, "stroke", piece("s", [0, 0, 10, 10]), "t"),
  lessonEvent(7, "stroke", piece("s", [20, 20]), "t"),
  lessonEvent(8, "stroke", piece("s", [5, 5, 6, 6]), "u"), // another teacher, who counts from the same
  lessonEvent(10, "page_turned", { surface: "aaaaaaaa/2" }, "t"),
  lessonEvent(12, "strokes_removed", { surface: "aaaaaaaa/1", stroke_ids: ["s"] }, "t"),
  lessonEvent(14, "shown", shown("whiteboard"), "t"),
  lessonEvent(15, "page_turned", { surface: "board/1" }, "t"),
  lessonEvent(20, "shown", shown("camera"), "t"),
] as LessonEvent[];
const drawn = drawnOf(LOG);
const points = (surface: string, at: number) => strokesAt(drawn, surface, at).map((one) => one.points);

describe("a moment of the lesson", () => {
  test.each([
    [4_999, null],
    [5_000, "aaaaaaaa/1"],
    [10_000, "aaaaaaaa/2"],
    [14_500, null], // the board is chosen, and no page of it
    [15_000, "board/1"],
    [20_000, null],
    [99_000, null],
  ])("at %i ms shows %s", (at, surface) => expect(surfaceAt(drawn, at)).toBe(surface));

  test("has each stroke as far as it was drawn by then, and no longer than it stood", () => {
    expect(points("aaaaaaaa/1", 5_999)).toEqual([]);
    expect(points("aaaaaaaa/1", 6_000)).toEqual([[0, 0, 10, 10]]);
    expect(points("aaaaaaaa/1", 9_000)).toEqual([[0, 0, 10, 10, 20, 20], [5, 5, 6, 6]]);
    expect(points("aaaaaaaa/1", 12_000)).toEqual([]);
    expect(points("aaaaaaaa/1", 6_500)).toEqual([[0, 0, 10, 10]]); // and back again
  });

  test("says when something changes on a page, and that nothing does", () => {
    const revisions = [5_000, 6_000, 6_900, 7_000, 12_000].map((at) => revisionAt(drawn, "aaaaaaaa/1", at));
    expect(revisions).toEqual([0, 1, 1, 2, 4]);
    expect(revisionAt(drawn, "board/7", 9_000)).toBe(0);
  });

  test("knows what comes next, so that it can be fetched", () => {
    expect(comingAt(drawn, 0, 2).map((one) => one.surface)).toEqual(["aaaaaaaa/1", "aaaaaaaa/2"]);
    expect(comingAt(drawn, 10_000, 2).map((one) => one.surface)).toEqual(["board/1"]);
  });
});

test("a page has its place in the archive, a page of the board none", () => {
  expect([pictureFile("aaaaaaaa/1"), pictureFile("aaaaaaaa/1", true), pictureFile("board/1")]).toEqual(["slides/aaaaaaaa/1.webp", "slides/aaaaaaaa/1.small.webp", null]);
  expect(pageOn(drawn, "aaaaaaaa/2")).toEqual({ title: "标题 aaaaaaaa", page: 2, aspect: 4 / 3 });
  expect(pageOn(drawn, "board/3")).toEqual({ title: null, page: 3, aspect: 16 / 9 });
});

test("pages that were leafed past were not looked at, and one that was gone for a moment was looked at once", () => {
  const turns = [[1, "a/1"], [10, "a/2"], [10.2, "a/3"], [10.4, "a/4"], [20, "a/5"], [21, "a/4"], [30, "a/1"]] as const;
  const events = [lessonEvent(0, "shown", shown("slides")), ...turns.map(([at, surface]) => lessonEvent(at, "page_turned", { surface }))];
  expect(looksAt(drawnOf(events), 40_000)).toEqual([
    { from: 1_000, to: 10_000, surface: "a/1" },
    { from: 10_400, to: 30_000, surface: "a/4" },
    { from: 30_000, to: 40_000, surface: "a/1" },
  ]);
});

test.each([
  [0, 100_000, 6_999], // before the two were wiped
  [0, 4_500, 4_499],
  [7_500, 100_000, 99_999], // one more came, and stayed
  [20_000, 21_000, 20_999],
])("from %i to %i ms a page was fullest at %i", (from, to, at) => {
  const stroke = (second: number, id: string) => lessonEvent(second, "stroke", piece(id, [second, second], "board/1"), "t");
  const events = [stroke(1, "a"), stroke(4, "b"), stroke(5, "b"), lessonEvent(7, "surface_cleared", { surface: "board/1" }, "t"), stroke(9, "c")];
  expect(fullestAt(drawnOf(events), { surface: "board/1", from, to })).toBe(at);
});

test("an empty page was as full when it was left as before", () => {
  expect(fullestAt(drawnOf([]), { surface: "board/1", from: 0, to: 500 })).toBe(499);
});

describe("any moment of any lesson", () => {
  /** The same numbers for the same seed. */
  function numbers(seed: number) {
    let state = seed;
    return (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }

  function anyEvent(seq: number, below: (most: number) => number): LessonEvent {
    const surface = ["aaaaaaaa/1", "aaaaaaaa/2", "bbbbbbbb/1", "board/1", "board/2"][below(5)] as string;
    const actor = ["t", "u"][below(2)] as string;
    const id = () => `s${below(6)}`;
    switch (below(12)) {
      case 0:
        return lessonEvent(seq, "slides_added", slides(surface.startsWith("b") ? "bbbbbbbb" : "aaaaaaaa"));
      case 1:
        return lessonEvent(seq, "slides_removed", { slides_id: below(2) ? "aaaaaaaa" : "bbbbbbbb" });
      case 2:
        return lessonEvent(seq, "surface_cleared", { surface }, actor);
      case 3:
        return lessonEvent(seq, "strokes_removed", { surface, stroke_ids: [id(), id()] }, actor);
      case 4:
        return lessonEvent(seq, "page_turned", { surface }, actor);
      case 5:
        return lessonEvent(seq, "shown", shown(["slides", "whiteboard", "camera", "screen"][below(4)] as string), actor);
      default:
        return lessonEvent(seq, "stroke", piece(id(), [below(10_000), below(10_000)], surface), actor);
    }
  }

  test.each([1, 2, 3, 4, 5])("is what those saw who were there (%i)", (seed) => {
    const below = numbers(seed);
    const events = Array.from({ length: 400 }, (_, index) => anyEvent(index + 1, below));
    const whole = drawnOf(events);
    let room = EMPTY_ROOM;
    for (const event of events) {
      room = reduce(room, event);
      for (const at of [event.at_ms, event.at_ms + 999]) {
        expect(surfaceAt(whole, at)).toBe(surfaceShown(room.shown, room.surfaces));
        for (const surface of ["aaaaaaaa/1", "aaaaaaaa/2", "bbbbbbbb/1", "board/1", "board/2"]) {
          expect(strokesAt(whole, surface, at)).toEqual(strokesOn(room.surfaces, surface));
        }
      }
    }
  });
});
