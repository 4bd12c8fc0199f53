/**
 * Which pictures of pages a class fetches, and in which order: what it looks at before what comes next, small before
 * large, since the line brings twenty small ones in the time of a large one. Values in, values out.
 *
 * A picture has the name by which the server gives it: `<slides_id>/<page>.webp`, and `.small.webp`.
 */

import type { OwnTransport } from "../protocol/messages";
import type { LineWord } from "./line";
import { pageBeside, type Surfaces } from "./surfaces";

export const small = (surface: string): string => `${surface}.small.webp`;
export const large = (surface: string): string => `${surface}.webp`;

/**
 * `shown`: the slide, and not something else, is on the screen now. On a thin line the next page comes small alone, and
 * so does what is not on the screen: sound goes first.
 */
export function pagesToFetch(surfaces: Surfaces, shown: boolean, thin: boolean): string[] {
  const [first] = surfaces.slides;
  const here = surfaces.slidePage ?? (first ? `${first.slides_id}/1` : null);
  if (here === null) return [];
  if (!shown) return thin ? [small(here)] : [small(here), large(here)];
  const next = pageBeside(surfaces, here, 1);
  const ahead = next === null ? [] : thin ? [small(next)] : [small(next), large(next)];
  return [small(here), large(here), ...ahead];
}

const ENOUGH = 1_000_000; // bit/s that carry sound, the teacher's small picture, and a page in a second or two

/** Whether what is fetched ahead would take the place of sound and picture. */
export function isThin(word: LineWord, byHttp: boolean, transports: readonly OwnTransport[]): boolean {
  const estimate = transports.find((one) => one.direction === "receive")?.estimate ?? null;
  return byHttp || word === "poor" || word === "lost" || (estimate !== null && estimate < ENOUGH);
}
