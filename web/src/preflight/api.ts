/** The calls by which the server helps to measure a line. */

import { fetchFrom, json } from "../protocol/http";
import { list, nullable, number, shape, text } from "../protocol/decode";
import type { Sample } from "./figures";

export interface Offers {
  send?: string;
  receive?: string;
  tcp?: string;
}

export interface Opened {
  preflight_id: string;
  send: string | null;
  receive: string | null;
  tcp: string | null;
}

const opened = shape<Opened>({ preflight_id: text, send: nullable(text), receive: nullable(text), tcp: nullable(text) });
interface Count {
  at_ms: number;
  packets: number;
  expected: number;
  octets: number;
}

const counted = shape<Count>({ at_ms: number, packets: number, expected: number, octets: number });
const samples = shape<{ samples: Count[] }>({ samples: list(counted) });

const at = (id: string) => `/api/preflight/${encodeURIComponent(id)}`;

export const open = async (offers: Offers): Promise<Opened> => opened(await json("/api/preflight", { method: "POST", body: offers }), "");

export async function train(id: string, packets: number, size: number, seconds: number): Promise<void> {
  await fetchFrom(`${at(id)}/train`, { method: "POST", body: { packets, size, seconds } });
}

/** What the server counts of a direction, for some seconds: ten times in each; `flowing`, from when it flows. */
export async function watch(id: string, direction: "send" | "receive", seconds: number, flowing = false): Promise<(Sample & { expected: number })[]> {
  const reply = samples(await json(`${at(id)}/watch`, { method: "POST", body: { direction, seconds, flowing } }), "");
  return reply.samples.map(({ at_ms, ...counts }) => ({ at: at_ms, ...counts }));
}

export async function close(id: string): Promise<void> {
  await fetchFrom(at(id), { method: "DELETE" }).catch(() => undefined); // it ends by itself
}

export async function serverTime(): Promise<number> {
  return shape<{ now_ms: number }>({ now_ms: number })(await json("/api/preflight/clock"), "").now_ms;
}
