/** How a track that plays beside the clock is brought back to it. Values in, value out. */

export type Correction = { act: "seek" } | { act: "rate"; rate: number };

const SEEK = 400; // ms off: no hurrying catches up with this soon enough
const CATCH_UP = 1_000; // ms in which a small difference should be gone
// In step is what is this near, ms; two tracks may then differ by twice as much. Lips and voice may differ by 45
// (ITU-R BT.1359); two microphones in one room are an echo from 50 on.
const STILL = { seen: 12, heard: 20 };
const ARRIVED = 4; // ms: who is being corrected is brought this near, so that the next correction is long in coming
// Of the speed: a picture that is hurried more looks hurried, and a voice wavers.
const MOST = { seen: 0.15, heard: 0.02 };

/**
 * `ahead`: ms by which the track is ahead of the clock; `rate`: the speed the person chose; `heard`: it is not muted;
 * `moving`: it is being corrected already.
 */
export function correction(ahead: number, rate: number, heard = false, moving = false): Correction {
  const how = heard ? "heard" : "seen";
  if (Math.abs(ahead) > SEEK * Math.max(1, rate)) return { act: "seek" };
  if (Math.abs(ahead) <= (moving ? ARRIVED : STILL[how]) * Math.max(1, rate)) return { act: "rate", rate };
  const change = Math.max(-MOST[how], Math.min(MOST[how], -ahead / CATCH_UP));
  return { act: "rate", rate: Math.round(rate * (1 + change) * 1000) / 1000 };
}
