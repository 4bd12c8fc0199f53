import { describe, expect, test } from "vitest";
import type { OwnTransport, Slot } from "../../src/protocol/messages";
import { lossOf, type Qualities, rungOf } from "../../src/room/rung";

const slots: Slot[] = ["0", "3", "4", "5"].map((mid) => ({
  mid,
  kind: mid === "0" ? "audio" : "video",
  publication_id: mid === "5" ? null : `p-${mid}`,
  participant_id: "t",
  source: "camera",
}));
const carried = (mid: string, rid: string | null, height: number, paused = false): Qualities => ({ [mid]: { mid, rid, height, paused } });

describe("the rung", () => {
  test.each<[string, Qualities, ReturnType<typeof rungOf>]>([
    ["nothing is known", {}, null],
    ["a tall picture", carried("3", "h", 720), "high"],
    ["one of 540 lines", carried("3", "h", 540), "high"],
    ["one of 360 lines", carried("3", "m", 360), "medium"],
    ["one of 180 lines", carried("3", "l", 180), "low"],
    ["the tallest counts", { ...carried("3", "l", 180), ...carried("4", "h", 1080) }, "high"],
    ["one is paused, one goes on", { ...carried("3", null, 0, true), ...carried("4", "l", 180) }, "low"],
    ["all are paused", { ...carried("3", "l", 180, true), ...carried("4", null, 0, true) }, "audio"],
    ["its size is not known yet", carried("3", "", 0), null],
    ["nothing is carried yet", carried("3", null, 0), null],
    ["an empty slot tells nothing", carried("5", "h", 720), null],
    ["a sound is no picture", carried("0", "", 0, true), null],
  ])("%s", (_, qualities, rung) => expect(rungOf(slots, qualities)).toBe(rung));
});

test("the loss of a transport is that of its streams, each by its bitrate", () => {
  const stream = (bitrate: number, loss: number) => ({ bitrate, loss }) as never;
  const transport = { slots: [stream(3e5, 0.02), stream(0, 0.9)], publications: [{ publication_id: "p", layers: [stream(1e5, 0.06)] }] };
  expect(lossOf(transport as unknown as OwnTransport)).toBeCloseTo(0.03);
  expect(lossOf({ slots: [], publications: [] } as unknown as OwnTransport)).toBe(0);
});
