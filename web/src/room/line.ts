/**
 * The line in one word. Counters of one peer connection go in every second; a word comes out, which turns worse
 * after three bad readings and better only after eight good ones, so that it does not flicker before forty pupils.
 */

import type { Totals } from "../media/statistics";
import type { ClassLine } from "../protocol/messages";

export type LineWord = "connecting" | "good" | "fair" | "poor" | "lost";

export interface Reading {
  lost: number; // share of packets lost since the last reading, 0…1
  roundTrip: number | null; // ms
  frozen: number; // ms of frozen picture since the last reading
}

export interface LineState {
  word: LineWord;
  worse: number; // readings in a row that ask for a worse word
  better: number; // … for a better one
}

export const NEW_LINE: LineState = { word: "connecting", worse: 0, better: 0 };

const ORDER: readonly LineWord[] = ["good", "fair", "poor"];
const WORSE_AFTER = 3;
const BETTER_AFTER = 8;

/** The word one reading alone would give. */
export function wordFor({ lost, roundTrip, frozen }: Reading): LineWord {
  const delay = roundTrip ?? 0;
  if (lost > 0.1 || delay > 800 || frozen > 800) return "poor";
  if (lost > 0.03 || delay > 300 || frozen > 200) return "fair";
  return "good";
}

/** The word for the line of a class, as the server measures it (over seconds: it does not flicker). */
export function wordForClass({ loss, rtt_ms, rung }: ClassLine): LineWord {
  return rung === "audio" ? "poor" : wordFor({ lost: loss, roundTrip: rtt_ms, frozen: 0 });
}

export function judge(state: LineState, reading: Reading): LineState {
  const word = wordFor(reading);
  const now = ORDER.indexOf(state.word);
  if (now < 0) return { word, worse: 0, better: 0 };
  const step = ORDER.indexOf(word) - now;
  if (step > 0) {
    const worse = state.worse + 1;
    return worse >= WORSE_AFTER ? { word, worse: 0, better: 0 } : { ...state, worse, better: 0 };
  }
  if (step < 0) {
    const better = state.better + 1;
    return better >= BETTER_AFTER ? { word, worse: 0, better: 0 } : { ...state, better, worse: 0 };
  }
  return { ...state, worse: 0, better: 0 };
}

export function between(before: Totals, after: Totals): Reading {
  const received = Math.max(0, after.received - before.received);
  const lost = Math.max(0, after.lost - before.lost);
  return {
    lost: received + lost > 0 ? lost / (received + lost) : 0,
    roundTrip: after.roundTrip,
    frozen: Math.max(0, after.frozen - before.frozen),
  };
}
