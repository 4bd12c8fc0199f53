import { expect, test } from "vitest";
import { levelOf } from "../../src/media/meter";

const tone = (amplitude: number) => Float32Array.from({ length: 4800 }, (_, index) => amplitude * Math.sin(index / 10));

test("silence shows nothing, a voice nearby fills the bar, a quiet one half of it", () => {
  expect(levelOf(new Float32Array(480))).toBe(0);
  expect(levelOf(tone(0.5))).toBe(1);
  expect(levelOf(tone(0.022))).toBeCloseTo(0.5, 1);
});
