import { expect, test } from "vitest";
import type { Participant } from "../../src/protocol/messages";
import { silentMinutes, waitLeft } from "../../src/room/turns";

const who = (fields: Partial<Participant>) => ({ joined_ms: 0, spoke_ms: null, on_floor: false, ...fields }) as Participant;

test.each<[string, Partial<Participant>, number | null, number, number]>([
  ["before the lesson nobody is silent", {}, null, 1_800_000, 0],
  ["from the beginning of the lesson", {}, 60_000, 720_000, 11],
  ["from its coming, when it came late", { joined_ms: 600_000 }, 60_000, 720_000, 2],
  ["from its last word", { spoke_ms: 100_000 }, 60_000, 720_000, 10],
  ["not while it speaks", { spoke_ms: 100_000, on_floor: true }, 60_000, 720_000, 0],
])("a class counts as silent %s", (_, fields, startedMs, nowMs, minutes) => {
  expect(silentMinutes(who(fields), startedMs, nowMs)).toBe(minutes);
});

test("pupils are left three seconds to think after the floor was given", () => {
  const asked = who({ on_floor: true, spoke_ms: 10_000 });
  expect([10_000, 11_500, 12_900, 13_000, 20_000].map((now) => waitLeft(asked, now))).toEqual([3, 2, 1, 0, 0]);
  expect(waitLeft(who({ spoke_ms: 10_000 }), 10_500)).toBe(0);
});
