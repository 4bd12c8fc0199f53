// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readEvents } from "../../src/protocol/event_log";

const line = (seq: number) => `${JSON.stringify({ seq, at_ms: seq, kind: "mark", actor: "t", payload: { label: `打点 ${seq}` } })}\n`;
let file: Uint8Array;
let asked: (string | null)[];

beforeEach(() => {
  asked = [];
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    const range = new Headers(init.headers).get("Range");
    asked.push(range);
    const from = range ? Number(/bytes=(\d+)-/.exec(range)?.[1]) : 0;
    if (from > 0 && from >= file.length) return new Response("{}", { status: 416 });
    return new Response(file.slice(from), { status: range ? 206 : 200 });
  });
});
afterEach(() => vi.unstubAllGlobals());

const is = (text: string) => (file = new TextEncoder().encode(text));
const seqs = (log: { events: readonly { seq: number }[] }) => log.events.map((one) => one.seq);

test("a log that grows is read on from where it was left", async () => {
  is(line(1) + line(2));
  const first = await readEvents("l", null);
  is(line(1) + line(2) + line(3));
  const second = await readEvents("l", null, first);
  expect([seqs(first), seqs(second), asked[1]]).toEqual([[1, 2], [1, 2, 3], `bytes=${first.bytes}-`]);
  expect(await readEvents("l", null, second)).toBe(second);
});

test("a torn last line is read when it is whole, and a damaged one costs itself", async () => {
  is(`${line(1)}{"seq": "?"\n${line(2)}${line(3).slice(0, 20)}`);
  const first = await readEvents("l", null);
  expect(seqs(first)).toEqual([1, 2]);
  is(`${line(1)}{"seq": "?"\n${line(2)}${line(3)}`);
  expect(seqs(await readEvents("l", null, first))).toEqual([1, 2, 3]);
});

test("a server that gives all of it again is believed", async () => {
  is(line(1));
  const first = await readEvents("l", null);
  vi.stubGlobal("fetch", async () => new Response(line(1) + line(2)));
  expect(seqs(await readEvents("l", null, first))).toEqual([1, 2]);
});
