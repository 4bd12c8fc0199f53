/**
 * The lesson clock: milliseconds since the room opened. The server owns it; a browser knows its offset from the fastest
 * of the recent round trips, because half of a short round trip hides the least error.
 */

interface Sample {
  roundTrip: number; // ms
  offset: number; // ms to add to the local clock
}

const REMEMBERED = 12; // round trips, one minute of pings

export class LessonClock {
  private samples: Sample[] = [];

  /** The server said `now` (lesson ms) in answer to something sent at `sent`; it came back at `received` (local ms). */
  learn(sent: number, received: number, now: number): void {
    const roundTrip = Math.max(0, received - sent);
    this.samples.push({ roundTrip, offset: now + roundTrip / 2 - received });
    if (this.samples.length > REMEMBERED) this.samples.shift();
  }

  /** Forget everything: another server process may count from another zero. */
  reset(): void {
    this.samples = [];
  }

  get roundTrip(): number | null {
    return this.best?.roundTrip ?? null;
  }

  /** Lesson time in ms at local time `local`, or null before the first answer. */
  at(local: number): number | null {
    return this.best ? local + this.best.offset : null;
  }

  private get best(): Sample | null {
    let best: Sample | null = null;
    for (const sample of this.samples) if (!best || sample.roundTrip <= best.roundTrip) best = sample;
    return best;
  }
}
