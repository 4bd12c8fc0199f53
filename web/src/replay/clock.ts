/**
 * The clock of a replay: lesson time as it plays. It runs by itself, holds while the leading sound has nothing to play,
 * and follows that sound when the two disagree, because a picture can be hurried unnoticed and a voice cannot.
 */

export interface ReplayClock {
  readonly at: number; // lesson ms at local time `since`
  readonly since: number; // local ms
  readonly rate: number;
  readonly running: boolean;
}

export const stopped = (at: number): ReplayClock => ({ at, since: 0, rate: 1, running: false });

export function timeOf(clock: ReplayClock, now: number): number {
  return clock.running ? clock.at + (now - clock.since) * clock.rate : clock.at;
}

export function run(clock: ReplayClock, running: boolean, now: number): ReplayClock {
  return { ...clock, at: timeOf(clock, now), since: now, running };
}

export function setRate(clock: ReplayClock, rate: number, now: number): ReplayClock {
  return { ...clock, at: timeOf(clock, now), since: now, rate };
}

export function moveTo(clock: ReplayClock, at: number, now: number): ReplayClock {
  return { ...clock, at, since: now };
}

const JUMP = 250; // ms: more than this was a stall or a seek, and is taken over at once
const SHARE = 0.2; // of a smaller difference, each time: element clocks jitter by some ms

/** Let the clock follow the leading track, which says it is at `leader`. */
export function follow(clock: ReplayClock, leader: number, now: number): ReplayClock {
  const difference = leader - timeOf(clock, now);
  const step = Math.abs(difference) > JUMP ? difference : difference * SHARE;
  return moveTo(clock, timeOf(clock, now) + step, now);
}
