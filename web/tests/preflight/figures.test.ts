import { expect, test } from "vitest";
import { ahead, believable, type Figures, HEADERS, loss, lossOf, rateOf, type Sample } from "../../src/preflight/figures";

const FIGURES: Figures = { udp: true, tcp: true, up: 2e6, down: 2e6, delay: 80, lossUp: 0.02, lossDown: 0.05, port: 7000 };

/** What is counted of a line of this rate that is filled from `from` until `to`, ms. */
function counted(rate: number, from: number, to: number, until: number): Sample[] {
  const samples: Sample[] = [];
  for (let at = 0; at <= until; at += 100) {
    const packets = Math.floor((Math.max(0, Math.min(at, to) - from) / 1000) * (rate / 8 / (1000 + HEADERS)));
    samples.push({ at, packets, octets: packets * 1000 });
  }
  return samples;
}

test.each([200_000, 600_000, 1_500_000])("a line of %i bit/s shows as that, though it was not full from the beginning", (rate) => {
  expect(rateOf(counted(rate, 400, 2500, 2500))).toBeCloseTo(rate, -5);
  expect(Math.abs((rateOf(counted(rate, 400, 2500, 2500)) ?? 0) / rate - 1)).toBeLessThan(0.05);
});

test("a computer that was held up and then took everything at once makes a line no faster", () => {
  const samples = counted(1e6, 0, 4000, 4000).filter(({ at }) => at < 1000 || at > 1600);
  expect(Math.abs((rateOf(samples) ?? 0) / 1e6 - 1)).toBeLessThan(0.1);
});

test("too few counts are no rate", () => {
  expect(rateOf([])).toBeNull();
  expect(rateOf(counted(1e6, 0, 500, 500))).toBeNull();
});

test("loss is the share that did not arrive, of enough packets to say so", () => {
  expect(lossOf(1000, 950)).toBeCloseTo(0.05);
  expect(lossOf(1000, 1001)).toBe(0);
  expect(lossOf(20, 10)).toBeNull();
});

test("a line too narrow for the small stream says nothing of loss", () => {
  expect(believable(FIGURES, 320_000)).toEqual(FIGURES);
  const narrow = believable({ ...FIGURES, up: 300_000 }, 320_000);
  expect([narrow.lossUp, narrow.lossDown]).toEqual([null, 0.05]);
});

test("of both directions the worse is what is lost", () => {
  expect(loss(FIGURES)).toBe(0.05);
  expect(loss({ ...FIGURES, lossUp: null, lossDown: null })).toBeNull();
});

test("the clock is read from the quickest answer", () => {
  const answers = [
    { sent: 100_000, received: 103_000, now: 40_000 },
    { sent: 110_000, received: 110_040, now: 45_020 },
  ];
  expect(ahead(answers)).toBe(65_000);
  expect(ahead([])).toBeNull();
});
