// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effectScope, type EffectScope, nextTick, shallowRef } from "vue";
import type { Presence, PresenceState } from "../../src/presence/presence";
import type { Command, ShownChoice } from "../../src/protocol/messages";
import { NO_SURFACES, type Surfaces } from "../../src/room/surfaces";
import { usePages } from "../../src/view/use_pages";

const SET = { slides_id: "abcdefgh", title: "草原", pages: 5, width: 16, height: 9 };
const SLIDES: Surfaces = { ...NO_SURFACES, slides: [SET], slidePage: "abcdefgh/2" };
let scope: EffectScope;
let told: Command[];

beforeEach(() => {
  scope = effectScope();
  told = [];
  vi.useFakeTimers();
});
afterEach(() => {
  scope.stop();
  vi.useRealTimers();
});

function pages(surfaces: Surfaces, shown: ShownChoice | null, acts = true) {
  const wanting = vi.fn();
  const state = shallowRef({ room: { surfaces, shown } } as PresenceState);
  const presence = { ask: (command: Command) => told.push(command) > 0 } as Presence;
  const made = scope.run(() => usePages(presence, state, () => acts, wanting));
  if (!made) throw new Error("no scope");
  const turned = (surface: string) => (state.value = { room: { surfaces: { ...surfaces, slidePage: surface }, shown } } as PresenceState);
  return { pages: made, wanting, turned };
}

const SHOWN: ShownChoice = { source: "slides", layout: "content" };
const press = (key: string, on: HTMLElement = document.body) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const surfaces = () => told.map((one) => ("surface" in one ? one.surface : one.type));

test("a presenter's clicker and the arrows turn pages, and nobody turns beyond the last or before the first", async () => {
  const { turned } = pages(SLIDES, SHOWN);
  press("PageDown");
  turned("abcdefgh/3");
  await nextTick();
  press("ArrowLeft");
  turned("abcdefgh/5");
  await nextTick();
  vi.advanceTimersByTime(2_000);
  press("PageDown");
  expect(surfaces()).toEqual(["abcdefgh/3", "abcdefgh/2"]);
});

test("three quick presses lead three pages on, before the room has answered the first", async () => {
  const { turned } = pages(SLIDES, SHOWN);
  press("PageDown");
  press("PageDown");
  turned("abcdefgh/3");
  await nextTick();
  press("PageDown");
  expect(surfaces()).toEqual(["abcdefgh/3", "abcdefgh/4", "abcdefgh/5"]);
});

test("after a turn that nothing came of the next press begins from what is shown", () => {
  pages(SLIDES, SHOWN);
  press("PageDown");
  vi.advanceTimersByTime(2_000);
  press("PageDown");
  expect(surfaces()).toEqual(["abcdefgh/3", "abcdefgh/3"]);
});

test("keys stay with who writes, and turn nothing while no page is shown or the lesson is not on", () => {
  const field = document.body.appendChild(document.createElement("input"));
  pages(SLIDES, SHOWN);
  press("ArrowRight", field);
  field.remove();
  scope.stop();
  scope = effectScope();
  pages(SLIDES, { source: "camera", layout: "content" });
  press("PageDown");
  scope.stop();
  scope = effectScope();
  pages(SLIDES, SHOWN, false);
  press("PageDown");
  expect(told).toEqual([]);
});

test("a page is turned to before slides or the board are shown for the first time", () => {
  const fresh = pages({ ...SLIDES, slidePage: null }, null).pages;
  fresh.choose(SHOWN);
  fresh.choose({ source: "whiteboard", layout: "content" });
  expect(told).toEqual([
    { type: "page_turned", surface: "abcdefgh/1" },
    { type: "shown", ...SHOWN },
    { type: "page_turned", surface: "board/1" },
    { type: "shown", source: "whiteboard", layout: "content" },
  ]);
});

test("where there are no slides the classes see what they saw, and the teacher is shown where to bring some", () => {
  const { pages: none, wanting } = pages(NO_SURFACES, null);
  none.choose(SHOWN);
  expect(told).toEqual([]);
  expect(wanting).toHaveBeenCalledOnce();
});

test("a new page of the board comes after the last", () => {
  const { pages: board } = pages({ ...NO_SURFACES, boardPage: "board/2" }, { source: "whiteboard", layout: "content" });
  board.newBoardPage();
  expect(told).toEqual([{ type: "page_turned", surface: "board/3" }]);
});
