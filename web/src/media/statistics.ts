/** From a browser's statistics report to the few totals a line is judged by (room/line.ts). */

/** Totals of a peer connection since it began. */
export interface Totals {
  received: number; // packets
  lost: number; // packets
  frozen: number; // ms of frozen picture
  roundTrip: number | null; // ms
  pictures: number; // packets of pictures that were received
  frames: number; // pictures that were decoded
}

interface Entry {
  type: string;
  kind?: string;
  framesDecoded?: number;
  packetsReceived?: number;
  packetsLost?: number;
  totalFreezesDuration?: number; // seconds
  currentRoundTripTime?: number; // seconds
  nominated?: boolean;
  state?: string;
  packetsSent?: number;
  fractionLost?: number;
}

/** Totals of what arrives here. */
export function received(report: Iterable<[string, Entry]>): Totals {
  const totals: Totals = { received: 0, lost: 0, frozen: 0, roundTrip: null, pictures: 0, frames: 0 };
  for (const [, entry] of report) {
    if (entry.type === "inbound-rtp") {
      if (entry.kind === "video") totals.pictures += entry.packetsReceived ?? 0;
      totals.frames += entry.framesDecoded ?? 0;
      totals.received += entry.packetsReceived ?? 0;
      totals.lost += Math.max(0, entry.packetsLost ?? 0);
      totals.frozen += (entry.totalFreezesDuration ?? 0) * 1000;
    }
    delay(entry, totals);
  }
  return totals;
}

/** Totals of what the server says of our packets. */
export function sent(report: Iterable<[string, Entry]>): Totals {
  const totals: Totals = { received: 0, lost: 0, frozen: 0, roundTrip: null, pictures: 0, frames: 0 };
  for (const [, entry] of report) {
    if (entry.type === "outbound-rtp") totals.received += entry.packetsSent ?? 0;
    if (entry.type === "remote-inbound-rtp") totals.lost += Math.max(0, entry.packetsLost ?? 0);
    delay(entry, totals);
  }
  totals.received = Math.max(0, totals.received - totals.lost);
  return totals;
}

function delay(entry: Entry, totals: Totals): void {
  if (entry.type !== "candidate-pair" || entry.state !== "succeeded" || entry.currentRoundTripTime === undefined) return;
  const roundTrip = entry.currentRoundTripTime * 1000;
  if (entry.nominated || totals.roundTrip === null) totals.roundTrip = roundTrip;
}
