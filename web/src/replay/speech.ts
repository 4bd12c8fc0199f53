/** speech.json, who spoke when, as two lanes under the timeline: teachers and classes. */

import { type Decoder, list, number, or, shape, text } from "../protocol/decode";
import type { Span } from "./timeline";

export interface Voice {
  role: string;
  spans: [number, number][]; // ms on the lesson clock
}

export interface Lanes {
  teacher: Span[];
  classes: Span[];
}

const pair: Decoder<[number, number]> = (value, at) => {
  const [from, to] = list(number)(value, at);
  return [from ?? 0, to ?? 0];
};
const file = shape<{ speech: Voice[] }>({
  speech: list(shape<Voice>({ role: or("", text), spans: or<[number, number][]>([], list(pair)) })),
});

export const voicesOf = (value: unknown): Voice[] => file(value, "").speech;

/** The lanes of a timeline; pauses shorter than `blur` ms cannot be seen on it and are closed. */
export function lanesOf(voices: readonly Voice[], blur: number): Lanes {
  const spans = (wanted: (role: string) => boolean) =>
    joined(voices.filter((one) => wanted(one.role)).flatMap((one) => one.spans), blur);
  const taught = (role: string) => role === "lead_teacher" || role === "co_teacher";
  return { teacher: spans(taught), classes: spans((role) => !taught(role)) };
}

function joined(spans: readonly [number, number][], blur: number): Span[] {
  const found: Span[] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = found[found.length - 1];
    if (last && from - last.to < blur) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}
