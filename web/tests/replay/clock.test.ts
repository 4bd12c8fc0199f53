import { expect, test } from "vitest";
import { follow, moveTo, run, setRate, stopped, timeOf } from "../../src/replay/clock";
import { correction } from "../../src/replay/drift";

test("the clock runs at its speed, holds, and goes on where it held", () => {
  let clock = run(stopped(5_000), true, 100);
  expect(timeOf(clock, 1_100)).toBe(6_000);
  clock = setRate(clock, 2, 1_100);
  expect(timeOf(clock, 2_100)).toBe(8_000);
  clock = run(clock, false, 2_100);
  expect(timeOf(clock, 9_999)).toBe(8_000);
  expect(timeOf(run(clock, true, 10_000), 10_500)).toBe(9_000);
});

test("a small difference to the leading sound is taken in softly, a large one at once", () => {
  const clock = run(stopped(0), true, 0);
  expect(timeOf(follow(clock, 1_050, 1_000), 1_000)).toBe(1_010);
  expect(timeOf(follow(clock, 3_000, 1_000), 1_000)).toBe(3_000);
  let nearer = clock;
  for (let turn = 0; turn < 40; turn += 1) nearer = follow(nearer, 1_050, 1_000);
  expect(timeOf(nearer, 1_000)).toBeCloseTo(1_050, 0);
});

test("a seek moves the clock and leaves it running", () => {
  const clock = moveTo(run(stopped(0), true, 0), 60_000, 500);
  expect(timeOf(clock, 1_500)).toBe(61_000);
});

test.each([
  ["in step", 10, 1, { act: "rate", rate: 1 }],
  ["a little ahead: slower", 100, 1, { act: "rate", rate: 0.9 }],
  ["a little behind: faster", -100, 1, { act: "rate", rate: 1.1 }],
  ["never hurried so that it shows", -300, 1, { act: "rate", rate: 1.15 }],
  ["in step at double speed", -20, 2, { act: "rate", rate: 2 }],
  ["far off", 450, 1, { act: "seek" }],
  ["far behind", -5_000, 1, { act: "seek" }],
  ["what is far at single speed is not at double", 700, 2, { act: "rate", rate: 1.7 }],
] as const)("a picture %s", (_, ahead, rate, expected) => expect(correction(ahead, rate)).toEqual(expected));

test.each([
  ["in step", 18, { act: "rate", rate: 1 }],
  ["never hurried so that it can be heard", -300, { act: "rate", rate: 1.02 }],
  ["far off", -450, { act: "seek" }],
] as const)("a second sound %s", (_, ahead, expected) => expect(correction(ahead, 1, true)).toEqual(expected));

test("a picture that is being corrected is brought nearer than one that is left alone", () => {
  expect(correction(10, 1, false, true)).toEqual({ act: "rate", rate: 0.99 });
  expect(correction(3, 1, false, true)).toEqual({ act: "rate", rate: 1 });
});

test.each([300, -300, 60, -60])("pictures that begin %i ms off are within 40 ms of each other three seconds later, and stay", (off) => {
  const places = [off, -off]; // two pictures, each ms ahead of the clock
  const rates = [1, 1];
  const apart: number[] = [];
  for (let now = 0; now <= 10_000; now += 100) {
    for (const index of [0, 1]) {
      const noise = ((now * 7 + index * 3) % 11) - 5; // an element's clock is read with some ms of error
      const act = correction((places[index] ?? 0) + noise, 1, false, rates[index] !== 1);
      rates[index] = act.act === "rate" ? act.rate : 1;
      places[index] = act.act === "seek" ? 0 : (places[index] ?? 0) + (act.rate - 1) * 100;
    }
    if (now >= 3_000) apart.push(Math.abs((places[0] ?? 0) - (places[1] ?? 0)));
  }
  expect(Math.max(...apart)).toBeLessThanOrEqual(40);
});
