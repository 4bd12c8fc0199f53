import { expect, test } from "vitest";
import { delayBefore } from "../../src/protocol/backoff";
import { LessonClock } from "../../src/protocol/clock";

test("the fastest round trip tells the time", () => {
  const clock = new LessonClock();
  expect(clock.at(0)).toBeNull();
  clock.learn(0, 400, 10_000); // a slow one: 200 ms of doubt
  clock.learn(1_000, 1_020, 11_110);
  clock.learn(2_000, 2_300, 12_500);
  expect(clock.at(1_020)).toBe(11_120);
  expect(clock.roundTrip).toBe(20);
});

test("old round trips are forgotten, so that a clock that runs off is followed", () => {
  const clock = new LessonClock();
  clock.learn(0, 1, 0);
  for (let turn = 1; turn <= 12; turn += 1) clock.learn(turn * 5_000, turn * 5_000 + 50, turn * 5_000 + 500);
  expect(clock.at(60_050)).toBe(60_525);
});

test("waiting grows to its bound and is spread over a quarter to both sides", () => {
  const patience = { first: 250, most: 5_000 };
  expect([0, 1, 2, 3, 10, 500].map((attempt) => delayBefore(attempt, patience, 0.5))).toEqual([
    250, 500, 1000, 2000, 5000, 5000,
  ]);
  expect(delayBefore(4, patience, 0)).toBe(3000);
  expect(delayBefore(4, patience, 0.999)).toBe(4998);
});
