/** What the counts of a measurement say of a line. Pure; rates are bit/s on the line, with all headers. */

export interface Sample {
  at: number; // ms, of whoever counted
  packets: number;
  octets: number; // of RTP, headers included
}

export interface Figures {
  udp: boolean; // media pass by UDP
  tcp: boolean; // and by TCP
  up: number | null; // bit/s; null: not measured
  down: number | null;
  delay: number | null; // ms, there and back
  lossUp: number | null; // share of packets
  lossDown: number | null;
  port: number | null; // where media go, for who is to open it
}

export const HEADERS = 28 + 16; // bytes a packet has beside RTP: IPv4, UDP and the seal of SRTP
export const MOST = 3_000_000; // bit/s: a line that carries this carries every lesson; more is not tried
const WINDOW = 800; // ms: long enough for a line that passes packets in bursts

/**
 * How much came while more was sent than the line carries. Not the fastest of all windows, which is where a busy
 * computer caught up, and not the mean, which has the beginning and the end in it: the upper quarter.
 */
export function rateOf(samples: readonly Sample[]): number | null {
  const rates: number[] = [];
  let last = 0;
  for (const [index, from] of samples.entries()) {
    last = Math.max(last, index + 1);
    while (last < samples.length && (samples[last] as Sample).at - from.at < WINDOW) last += 1;
    const to = samples[last];
    if (!to) break;
    const bytes = to.octets - from.octets + (to.packets - from.packets) * HEADERS;
    rates.push((Math.max(0, bytes) * 8000) / (to.at - from.at));
  }
  rates.sort((a, b) => a - b);
  return rates.length ? (rates[Math.floor((rates.length - 1) * 0.75)] ?? null) : null;
}

/** The share that did not arrive, of so many that it says something. */
export function lossOf(sent: number, received: number): number | null {
  return sent >= 100 ? Math.min(1, Math.max(0, 1 - received / sent)) : null;
}

/**
 * Loss is measured with a small stream. A line that does not even carry that loses because it is full, which its rate says
 * already; how much it would lose otherwise nobody knows.
 */
export function believable(figures: Figures, needed: number): Figures {
  const full = (rate: number | null) => rate !== null && rate < needed * 1.2;
  return {
    ...figures,
    lossUp: full(figures.up) ? null : figures.lossUp,
    lossDown: full(figures.down) ? null : figures.lossDown,
  };
}

/** Which way the larger loss goes is for the technician; the person reads one number. */
export function loss(figures: Figures): number | null {
  const known = [figures.lossUp, figures.lossDown].filter((one): one is number => one !== null);
  return known.length ? Math.max(...known) : null;
}

/** By how much the computer's clock is ahead of the server's, ms: from the quickest of several answers. */
export function ahead(answers: readonly { sent: number; received: number; now: number }[]): number | null {
  const best = [...answers].sort((a, b) => a.received - a.sent - (b.received - b.sent))[0];
  return best ? (best.sent + best.received) / 2 - best.now : null;
}
