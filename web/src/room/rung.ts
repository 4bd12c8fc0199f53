/** The rung of the ladder a viewer stands on, by what its slots carry. The Python twin is signaling/statistics.py. */

import type { OwnTransport, Rung, Slot, SlotQuality } from "../protocol/messages";

export type Qualities = { readonly [mid: string]: SlotQuality };

const HIGH = 540; // lines from which a picture is high, and below
const MEDIUM = 270;

/** The rung of the tallest picture; `audio` when every picture stands still; null when there is none. */
export function rungOf(slots: readonly Slot[], qualities: Qualities): Rung | null {
  let tallest = 0;
  let paused = false;
  for (const { kind, mid, publication_id } of slots) {
    const quality = kind === "video" && publication_id ? qualities[mid] : undefined;
    if (quality?.paused) paused = true;
    else if (quality && quality.rid !== null) tallest = Math.max(tallest, quality.height || 1);
  }
  if (tallest === 0) return paused ? "audio" : null;
  if (tallest === 1) return null; // a picture whose size is not known yet
  return tallest >= HIGH ? "high" : tallest >= MEDIUM ? "medium" : "low";
}

/** The share of packets lost on a transport, each stream counted by its bitrate. */
export function lossOf({ slots, publications }: OwnTransport): number {
  let lost = 0;
  let total = 0;
  for (const { loss, bitrate } of [...slots, ...publications.flatMap((one) => one.layers)]) {
    lost += loss * bitrate;
    total += bitrate;
  }
  return total > 0 ? lost / total : 0;
}
