/** Whose turn it is to speak: how long each class has been silent, and how long after a question one should wait. */

import type { Participant } from "../protocol/messages";

export const LONG = 10; // minutes without a word after which a class is pointed out
export const WAIT = 3; // seconds that pupils are left to think after the floor was given
export const MANY = 3; // interactive classes, above which each has few turns

/** Whole minutes since the class last had the floor, or since it came, in a lesson that goes on; 0 while it speaks. */
export function silentMinutes(one: Participant, startedMs: number | null, nowMs: number): number {
  if (one.on_floor || startedMs === null) return 0;
  const since = Math.max(one.spoke_ms ?? one.joined_ms, startedMs);
  return Math.max(0, Math.floor((nowMs - since) / 60_000));
}

/** Seconds that are still to be waited for an answer, 0 when there is nothing to wait for. */
export function waitLeft(one: Participant, nowMs: number): number {
  if (!one.on_floor || one.spoke_ms === null) return 0;
  return Math.max(0, Math.ceil(WAIT - (nowMs - one.spoke_ms) / 1000));
}
