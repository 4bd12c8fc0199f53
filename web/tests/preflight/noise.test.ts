import { expect, test } from "vitest";
import { wave } from "../../src/preflight/noise";

test("the file of noise is a second of loud sound that any browser plays", () => {
  const view = new DataView(wave());
  const letters = (at: number) => String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(at + index)));
  expect([letters(0), letters(8), letters(12), letters(36)]).toEqual(["RIFF", "WAVE", "fmt ", "data"]);
  expect([view.getUint32(4, true) + 8, view.getUint32(40, true) + 44]).toEqual([view.byteLength, view.byteLength]);
  expect(view.getUint32(40, true)).toBe(view.getUint32(28, true)); // bytes of one second
  const samples = Array.from({ length: 48_000 }, (_, index) => Math.abs(view.getInt16(44 + 2 * index, true)));
  expect(Math.max(...samples)).toBeGreaterThan(7_000);
});
