/** What is wrong before a lesson, each by its own name: the catalogue has a sentence and an advice for every one. */

import type { DeviceProblem } from "../media/devices";
import type { Figures } from "./figures";

export const LEAST_UP = 600_000; // bit/s
export const LEAST_DOWN = 500_000;
export const MOST_OFF = 60_000; // ms

export const LINE_FAULTS = ["offline", "busy", "failed", "media_closed", "udp_closed", "tcp_closed", "up_slow", "down_slow"] as const;
export type LineFault = (typeof LINE_FAULTS)[number];

/** Those that a measurement shows; the first three are why there is none. */
export function lineFaults(figures: Figures): LineFault[] {
  if (!figures.udp && !figures.tcp) return ["media_closed"];
  const faults: LineFault[] = [];
  if (!figures.udp) faults.push("udp_closed");
  if (!figures.tcp) faults.push("tcp_closed");
  if (figures.up !== null && figures.up < LEAST_UP) faults.push("up_slow");
  if (figures.down !== null && figures.down < LEAST_DOWN) faults.push("down_slow");
  return faults;
}

/** Whether the clock is too far off; null while that is not known. */
export const clockWrong = (ahead: number | null): boolean => ahead !== null && Math.abs(ahead) > MOST_OFF;

/** Of a microphone that is open: "silent" when nothing was heard by it. */
export type MicrophoneFault = DeviceProblem | "silent";

const QUIET = 0.06; // of the meter (media/meter.ts): 57 dB below full, what even a quiet room with a fan is above

/** `loudest` of what was heard by it, null where the browser does not tell. */
export function microphoneFault(problem: DeviceProblem | null, loudest: number | null): MicrophoneFault | null {
  return problem ?? (loudest !== null && loudest < QUIET ? "silent" : null);
}
