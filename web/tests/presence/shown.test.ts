import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Shown, type ShownSlot } from "../../src/presence/shown";
import type { Slot } from "../../src/protocol/messages";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const slot = (mid: string, publication_id: string | null): Slot => ({
  mid,
  kind: mid < "3" ? "audio" : "video",
  publication_id,
  participant_id: publication_id && "t",
  source: publication_id ? "camera" : null,
});

function page(...slots: Slot[]) {
  const told: ShownSlot[][] = [];
  const able = { now: true };
  const shown = new Shown((news) => able.now && told.push(news) > 0);
  shown.fill(slots);
  const settle = () => {
    vi.advanceTimersByTime(250);
    return told.splice(0);
  };
  return { shown, settle, able };
}
const large = {};
const small = {};

test("what settles together is told once, in whole pixels", () => {
  const { shown, settle } = page(slot("0", "a"), slot("3", "p"), slot("4", "q"));
  shown.show(large, { mid: "3", height: 300 });
  shown.show(large, { mid: "3", height: 719.6 });
  shown.show(small, { mid: "4", height: 101.2 });
  expect(settle()).toEqual([[{ mid: "3", height: 720 }, { mid: "4", height: 101 }]]);
  expect(settle()).toEqual([]);
});

test("only what has changed is told again", () => {
  const { shown, settle } = page(slot("3", "p"), slot("4", "q"));
  shown.show(large, { mid: "3", height: 720 });
  shown.show(small, { mid: "4", height: 100 });
  settle();
  shown.show(small, { mid: "4", height: 180 });
  expect(settle()).toEqual([[{ mid: "4", height: 180 }]]);
  shown.show(small, { mid: "4", height: 180 });
  expect(settle()).toEqual([]);
});

test("two pictures that change places are never told as hidden", () => {
  const { shown, settle } = page(slot("3", "p"), slot("4", "q"));
  shown.show(large, { mid: "3", height: 720 });
  shown.show(small, { mid: "4", height: 180 });
  settle();
  shown.show(large, { mid: "4", height: 720 });
  shown.show(small, { mid: "3", height: 180 });
  expect(settle()).toEqual([[{ mid: "3", height: 180 }, { mid: "4", height: 720 }]]);
});

test("a picture that no tile shows needs nothing, an empty slot waits for its next picture as it is", () => {
  const { shown, settle } = page(slot("3", "p"), slot("4", null));
  expect(settle()).toEqual([[{ mid: "3", height: 0 }]]);
  shown.show(large, { mid: "3", height: 720 });
  expect(settle()).toEqual([[{ mid: "3", height: 720 }]]);
  shown.fill([slot("3", null), slot("4", null)]);
  shown.show(large, null);
  expect(settle()).toEqual([]);
});

test("the taller of two tiles counts", () => {
  const { shown, settle } = page(slot("3", "p"));
  shown.show(large, { mid: "3", height: 720 });
  shown.show(small, { mid: "3", height: 180 });
  expect(settle()).toEqual([[{ mid: "3", height: 720 }]]);
  shown.show(large, null);
  expect(settle()).toEqual([[{ mid: "3", height: 180 }]]);
});

test("what could not be told is told when it can be, and all of it to a server that knows nothing", () => {
  const { shown, settle, able } = page(slot("3", "p"));
  able.now = false;
  shown.show(large, { mid: "3", height: 720 });
  settle();
  able.now = true;
  shown.anew();
  expect(settle()).toEqual([[{ mid: "3", height: 720 }]]);
  shown.anew();
  expect(settle()).toEqual([[{ mid: "3", height: 720 }]]);
});

test("a page that is closed tells nothing more", () => {
  const { shown, settle } = page(slot("3", "p"));
  shown.close();
  expect(settle()).toEqual([]);
});
