/** How a track that plays beside the clock is brought back to it. Values in, value out. */

export type Correction = { act: "seek" } | { act: "rate"; rate: number };

const SEEK = 400; // ms off: no hurrying catches up with this soon enough
const STILL = 20; // ms off is in step: lips and voice may differ by 45 (ITU-R BT.1359)
const CATCH_UP = 1_000; // ms in which a small difference should be gone
const MOST = 0.15; // of the speed; more looks hurried

/** `ahead`: ms by which the track is ahead of the clock; `rate`: the speed the person chose. */
export function correction(ahead: number, rate: number): Correction {
  if (Math.abs(ahead) > SEEK * Math.max(1, rate)) return { act: "seek" };
  if (Math.abs(ahead) <= STILL) return { act: "rate", rate };
  const change = Math.max(-MOST, Math.min(MOST, -ahead / CATCH_UP));
  return { act: "rate", rate: Math.round(rate * (1 + change) * 1000) / 1000 };
}
