/**
 * The last rung of the ladder: whether a class watches by HTTP, some seconds behind, because WebRTC brings nothing.
 *
 * A reading comes every second: media flow, do not, or none are due. It takes five bad ones in a row to go down and
 * eight good ones to come back, so that a line that comes and goes does not throw the class to and fro.
 */

import type { Totals } from "../media/statistics";

export interface HttpRung {
  on: boolean;
  turn: number; // readings in a row that ask for the other
}

export const BY_WEBRTC: HttpRung = { on: false, turn: 0 };

const DOWN_AFTER = 5;
const UP_AFTER = 8;

export function step(rung: HttpRung, flows: boolean | null): HttpRung {
  if (flows === null) return { on: rung.on, turn: 0 };
  if (flows !== rung.on) return rung.turn === 0 ? rung : { on: rung.on, turn: 0 };
  const turn = rung.turn + 1;
  return turn >= (rung.on ? UP_AFTER : DOWN_AFTER) ? { on: !rung.on, turn: 0 } : { on: rung.on, turn };
}

/** Whether what arrived between two readings can be seen and heard; packets of a codec that is not known cannot. */
export function arrives(before: Totals, after: Totals): boolean {
  if (after.received <= before.received) return false;
  return after.pictures <= before.pictures || after.frames > before.frames;
}
