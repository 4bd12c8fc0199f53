import { describe, expect, it } from "vitest";
import { arrives, BY_WEBRTC, type HttpRung, step } from "../../src/room/http_rung";

const after = (...readings: (boolean | null)[]): HttpRung => readings.reduce<HttpRung>(step, BY_WEBRTC);
const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);
const totals = (received: number, pictures: number, frames: number) => ({
  received,
  pictures,
  frames,
  lost: 0,
  frozen: 0,
  roundTrip: null,
});

describe("watching by HTTP", () => {
  it("begins when nothing has come for five seconds", () => {
    expect(after(...times(4, false)).on).toBe(false);
    expect(after(...times(5, false)).on).toBe(true);
  });

  it("does not begin while media come now and then", () => {
    expect(after(...times(4, false), true, ...times(4, false)).on).toBe(false);
  });

  it("does not begin while there is nothing to come", () => {
    expect(after(...times(4, false), null, ...times(4, false)).on).toBe(false);
  });

  it("ends when media have come for eight seconds without a break", () => {
    const watching = times(5, false);
    expect(after(...watching, ...times(7, true)).on).toBe(true);
    expect(after(...watching, ...times(7, true), false, ...times(7, true)).on).toBe(true);
    expect(after(...watching, ...times(8, true)).on).toBe(false);
  });

  it("stays while it cannot be told", () => {
    expect(after(...times(5, false), ...times(20, null)).on).toBe(true);
  });
});

describe("what arrives", () => {
  it("is nothing when no packets came", () => {
    expect(arrives(totals(100, 50, 20), totals(100, 50, 20))).toBe(false);
  });

  it("is sound alone, too", () => {
    expect(arrives(totals(100, 50, 20), totals(150, 50, 20))).toBe(true);
  });

  it("is nothing when pictures come that cannot be decoded", () => {
    expect(arrives(totals(100, 50, 0), totals(300, 200, 0))).toBe(false);
    expect(arrives(totals(100, 50, 0), totals(300, 200, 15))).toBe(true);
  });
});
