import { expect, test } from "vitest";
import { between, judge, type LineState, NEW_LINE, type Reading, wordFor, wordForClass } from "../../src/room/line";

const GOOD: Reading = { lost: 0, roundTrip: 30, frozen: 0 };
const FAIR: Reading = { lost: 0.05, roundTrip: 30, frozen: 0 };
const POOR: Reading = { lost: 0.2, roundTrip: 30, frozen: 0 };
const words = (...readings: Reading[]) => {
  let state: LineState = NEW_LINE;
  return readings.map((reading) => (state = judge(state, reading)).word);
};

test.each<[string, Reading, string]>([
  ["Beijing to Lhasa on a good day", { lost: 0.005, roundTrip: 80, frozen: 0 }, "good"],
  ["an unknown delay", { lost: 0, roundTrip: null, frozen: 0 }, "good"],
  ["a satellite", { lost: 0, roundTrip: 600, frozen: 0 }, "fair"],
  ["some loss", { lost: 0.04, roundTrip: 60, frozen: 0 }, "fair"],
  ["a picture that stood still for a second", { lost: 0, roundTrip: 60, frozen: 1000 }, "poor"],
  ["a tenth lost", { lost: 0.11, roundTrip: 60, frozen: 0 }, "poor"],
])("%s", (_, reading, word) => expect(wordFor(reading)).toBe(word));

test("two bad readings change no word, three do, eight good ones bring it back", () => {
  expect(words(GOOD, POOR, POOR, GOOD, POOR, POOR, POOR)).toEqual([...Array(6).fill("good"), "poor"]);
  expect(words(FAIR, ...Array<Reading>(8).fill(GOOD))).toEqual([...Array(8).fill("fair"), "good"]);
});

test("a reading is what happened between two totals", () => {
  const before = { received: 100, lost: 10, frozen: 0, roundTrip: 50, pictures: 0, frames: 0 };
  const after = { received: 190, lost: 20, frozen: 300, roundTrip: 60, pictures: 0, frames: 0 };
  expect(between(before, after)).toEqual({ lost: 0.1, roundTrip: 60, frozen: 300 });
  expect(between(after, after).lost).toBe(0);
});

test.each([
  [0, 30, "high", "good"],
  [0.05, 30, "high", "fair"],
  [0.2, 30, "low", "poor"],
  [0, 900, "high", "poor"],
  [0, null, null, "good"],
  [0, 30, "audio", "poor"],
] as const)("a class with loss %f, delay %s ms on rung %s has the word %4$s", (loss, rtt_ms, rung, word) => {
  expect(wordForClass({ participant_id: "c", protocol: "udp", loss, rtt_ms, rung })).toBe(word);
});
