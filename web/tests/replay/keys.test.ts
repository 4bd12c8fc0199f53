import { expect, test } from "vitest";
import { intentOf, ROWS } from "../../src/replay/keys";

test.each([
  [" ", { act: "toggle" }],
  ["k", { act: "toggle" }],
  ["K", { act: "toggle" }], // with caps lock
  ["j", { act: "move", by: -10_000 }],
  ["l", { act: "move", by: 10_000 }],
  ["ArrowLeft", { act: "move", by: -5_000 }],
  ["ArrowRight", { act: "move", by: 5_000 }],
  ["Home", { act: "edge", forward: false }],
  ["PageDown", { act: "page", forward: true }],
  ["3", { act: "enlarge", index: 2 }],
  ["?", { act: "help" }],
  ["x", null],
  ["Tab", null],
] as const)("%j means %j", (key, intent) => expect(intentOf(key, true)).toEqual(intent));

test("who dictates can switch the letters off, and still finds the switch", () => {
  expect(["k", "m", "1", ","].map((key) => intentOf(key, false))).toEqual([null, null, null, null]);
  expect([" ", "ArrowUp", "?"].every((key) => intentOf(key, false) !== null)).toBe(true);
});

test("no key means two things, and each has its intent", () => {
  const keys = ROWS.flatMap((row) => row.keys);
  expect(new Set(keys).size).toBe(keys.length);
  for (const row of ROWS) expect(row.intents).toHaveLength(row.keys.length);
});
