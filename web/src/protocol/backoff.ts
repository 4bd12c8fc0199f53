/** How long to wait before trying again: soon at first, then less and less often, never in step with 200 other classes. */

export interface Patience {
  first: number; // ms before the first retry
  most: number; // ms, never longer
}

/** Milliseconds before attempt `attempt` (0 is the first retry). `chance` in [0, 1) spreads it over ±25 %. */
export function delayBefore(attempt: number, patience: Patience, chance: number): number {
  const wait = Math.min(patience.most, patience.first * 2 ** Math.min(attempt, 16));
  return Math.round(wait * (0.75 + chance / 2));
}
