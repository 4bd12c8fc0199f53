import { expect, test } from "vitest";
import words from "../../src/i18n/parts/preflight?as-written";
import { clockWrong, LINE_FAULTS, lineFaults, microphoneFault } from "../../src/preflight/faults";
import type { Figures } from "../../src/preflight/figures";

const WELL: Figures = { udp: true, tcp: true, up: 3e6, down: 3e6, delay: 30, lossUp: 0, lossDown: 0, port: 7000 };

test.each([
  ["nothing", WELL, []],
  ["UDP closed", { ...WELL, udp: false }, ["udp_closed"]],
  ["TCP closed", { ...WELL, tcp: false }, ["tcp_closed"]],
  ["both closed, once", { ...WELL, udp: false, tcp: false, up: null, down: null }, ["media_closed"]],
  ["599 kb/s up", { ...WELL, up: 599_000 }, ["up_slow"]],
  ["600 kb/s up is enough", { ...WELL, up: 600_000 }, []],
  ["499 kb/s down", { ...WELL, down: 499_000 }, ["down_slow"]],
  ["500 kb/s down is enough", { ...WELL, down: 500_000 }, []],
  ["several at once", { ...WELL, udp: false, up: 1000, down: 1000 }, ["udp_closed", "up_slow", "down_slow"]],
  ["what was not measured", { ...WELL, up: null, down: null }, []],
] as [string, Figures, string[]][])("a line is looked at: %s", (_, figures, faults) => {
  expect(lineFaults(figures)).toEqual(faults);
});

test("a clock may be a minute off, either way", () => {
  expect([60_000, -60_000, 0, null].map(clockWrong)).toEqual([false, false, false, false]);
  expect([60_001, -60_001].map(clockWrong)).toEqual([true, true]);
});

test("a microphone that hears nothing at all is silent; one that is not open has its own reason", () => {
  expect(microphoneFault(null, 0)).toBe("silent");
  expect(microphoneFault(null, 0.3)).toBeNull();
  expect(microphoneFault("refused", 0)).toBe("refused");
  expect(microphoneFault(null, null)).toBeNull(); // a browser that does not tell
});

test("each fault has a sentence of its own in both languages, which says what to do", () => {
  for (const locale of ["zh-CN", "en"] as const) {
    const sentences = ((words as never)[locale] as { preflight: { fault: { [fault: string]: string } } }).preflight.fault;
    const said = [...LINE_FAULTS, "silent", "unheard", "clock_fast", "clock_slow"].map((fault) => sentences[fault] ?? "");
    expect(new Set(said).size).toBe(said.length);
    for (const sentence of said) expect(sentence).toMatch(/请|lease/);
  }
});
