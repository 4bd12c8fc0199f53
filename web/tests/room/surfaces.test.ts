import { expect, test } from "vitest";
import type { LessonEvent } from "../../src/protocol/messages";
import {
  aspectOf,
  boardPages,
  fold,
  NO_SURFACES,
  pageBeside,
  pagesAt,
  pictureOf,
  strokesOn,
  type Surfaces,
  surfaceShown,
  surfacesOf,
} from "../../src/room/surfaces";
import { lessonEvent, SNAPSHOT } from "../support/fake_socket";

const SET = { slides_id: "k3v9x2m1pq", title: "草原", pages: 24, width: 1920, height: 1080 };
const SLIDE = "k3v9x2m1pq/7";
const added = lessonEvent(1, "slides_added", SET);
const turned = (surface: string) => lessonEvent(2, "page_turned", { surface }, "t-1");
const piece = (surface: string, stroke_id: string, points: number[], actor = "t-1", colour = "red") =>
  lessonEvent(3, "stroke", { surface, stroke_id, tool: "pen", colour, width: 25, points }, actor);
const all = (...events: LessonEvent[]): Surfaces => events.reduce(fold, NO_SURFACES);

test("a slide and a page of the board are turned to apart", () => {
  expect(all(added, turned(SLIDE), turned("board/2"))).toMatchObject({ slides: [SET], slidePage: SLIDE, boardPage: "board/2" });
});

test("a stroke goes on piece by piece, each teacher's and each page's for itself, with what it was begun with", () => {
  const state = all(
    piece("board/1", "s", [1, 2]),
    piece("board/1", "s", [9, 9], "k-1"),
    piece("board/1", "s", [3, 4], "t-1", "blue"),
    piece("board/2", "s", [7, 8]),
  );
  const begun = { tool: "pen", colour: "red", width: 25, stroke_id: "s" };
  expect(strokesOn(state, "board/1")).toEqual([
    { ...begun, surface: "board/1", participant_id: "t-1", points: [1, 2, 3, 4] },
    { ...begun, surface: "board/1", participant_id: "k-1", points: [9, 9] },
  ]);
  expect(strokesOn(state, "board/2")).toHaveLength(1);
});

test("what is drawn on one page leaves the list of another as it is", () => {
  const before = all(piece("board/1", "a", [1, 2]));
  const after = fold(before, piece("board/2", "b", [1, 2]));
  expect(strokesOn(after, "board/1")).toBe(strokesOn(before, "board/1"));
  expect(strokesOn(after, "board/3")).toBe(strokesOn(before, null));
});

test("strokes are rubbed out by their ids, and a page is cleared alone", () => {
  const state = all(piece("board/1", "a", [1, 2]), piece("board/1", "b", [1, 2]), piece(SLIDE, "c", [1, 2]));
  const rubbed = fold(state, lessonEvent(4, "strokes_removed", { surface: "board/1", stroke_ids: ["a", "never"] }));
  expect(strokesOn(rubbed, "board/1").map((one) => one.stroke_id)).toEqual(["b"]);
  const cleared = fold(rubbed, lessonEvent(5, "surface_cleared", { surface: "board/1" }));
  expect([strokesOn(cleared, "board/1").length, strokesOn(cleared, SLIDE).length]).toEqual([0, 1]);
});

test("slides that go take their strokes and their place along, and nothing else", () => {
  const state = all(added, turned(SLIDE), turned("board/1"), piece(SLIDE, "a", [1, 2]), piece("board/1", "b", [1, 2]));
  const gone = fold(state, lessonEvent(6, "slides_removed", { slides_id: SET.slides_id }));
  expect(gone).toMatchObject({ slides: [], slidePage: null, boardPage: "board/1" });
  expect(Object.keys(gone.strokes)).toEqual(["board/1"]);
});

test("a snapshot and the events after it make what all events make", () => {
  const before = [added, turned(SLIDE), piece(SLIDE, "a", [100, 200, 110, 190, 110, 195]), piece(SLIDE, "b", [5, 5])];
  const run = { surface: SLIDE, participant_id: "t-1", tool: "pen" as const, colour: "red" as const, width: 25 };
  const strokes = [{ ...run, strokes: [["a", [100, 200, 10, -10, 0, 5]] as const, ["b", [5, 5]] as const] }];
  const snapshot = surfacesOf({ ...SNAPSHOT, slides: [SET], slide_page: SLIDE, strokes });
  const after = piece(SLIDE, "a", [3, 4]);
  expect(fold(snapshot, after)).toEqual(all(...before, after));
});

test("the surface everybody sees is the page of what is chosen", () => {
  const state = all(added, turned(SLIDE), turned("board/2"));
  const shown = (source: "slides" | "whiteboard" | "screen") => surfaceShown({ source, layout: "content" }, state);
  expect([shown("slides"), shown("whiteboard"), shown("screen"), surfaceShown(null, state)]).toEqual([SLIDE, "board/2", null, null]);
});

test("the picture of a slide has an address, of the board and of slides that are gone there is none", () => {
  const state = all(added);
  expect(pictureOf("l-1", state, SLIDE)).toBe("/api/lessons/l-1/slides/k3v9x2m1pq/7.webp");
  expect(pictureOf("l-1", state, SLIDE, true)).toBe("/api/lessons/l-1/slides/k3v9x2m1pq/7.small.webp");
  expect([pictureOf("l-1", state, "board/1"), pictureOf("l-1", NO_SURFACES, SLIDE), pictureOf("l-1", state, null)]).toEqual([null, null, null]);
  expect(aspectOf(all(lessonEvent(1, "slides_added", { ...SET, width: 1024, height: 768 })), SLIDE)).toBeCloseTo(4 / 3);
  expect(aspectOf(state, "board/1")).toBeCloseTo(16 / 9);
});

test("the board has as many pages as were drawn on, or the one that is shown", () => {
  expect(boardPages(NO_SURFACES)).toBe(0);
  expect(boardPages(all(turned("board/2")))).toBe(2);
  const drawn = all(turned("board/1"), piece("board/3", "a", [1, 2]));
  expect(boardPages(drawn)).toBe(3);
  expect(boardPages(fold(drawn, lessonEvent(4, "surface_cleared", { surface: "board/3" })))).toBe(1);
});

test("the page beside is on the same slides or board, and before the first and after the last there is none", () => {
  const state = all(added, turned("board/2"));
  expect(pagesAt(state, SLIDE)).toEqual({ page: 7, pages: 24 });
  expect([pageBeside(state, SLIDE, 1), pageBeside(state, SLIDE, -1)]).toEqual(["k3v9x2m1pq/8", "k3v9x2m1pq/6"]);
  expect([pageBeside(state, "k3v9x2m1pq/24", 1), pageBeside(state, "k3v9x2m1pq/1", -1)]).toEqual([null, null]);
  expect([pageBeside(state, "board/2", 1), pageBeside(state, "board/2", -1), pageBeside(state, null, 1)]).toEqual([null, "board/1", null]);
});
