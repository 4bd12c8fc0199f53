/**
 * Which pictures a replay shows at a lesson time, and how they stand. A view is a place (the teacher's camera, the
 * screen, a class on the floor) that a track fills for a while, or the page of slides or board that everybody saw, which
 * is drawn from the event log (drawn.ts). Values in, value out.
 */

import type { Track } from "../protocol/api";
import type { Floor } from "./notes";
import { newestFirst, present } from "./timeline";

export type Place = "content" | "screen" | "camera" | "guest";

export type View =
  | { readonly place: "content"; readonly track: null }
  | { readonly place: Exclude<Place, "content">; readonly track: Track };

const CONTENT: View = { place: "content", track: null };

const MOST = 4; // views at a time: more are too small to see anything in

/**
 * The views at `at`, the one that matters most first: the page that was shown (`content`: there was one), the screen, the
 * lead teacher, then whoever else is there. Of several tracks for one place the newest fills it (a reconnect leaves the
 * older one a little longer). A class is shown while it has the floor; `floors` null: nobody knows who had it, everyone is.
 */
export function views(tracks: readonly Track[], at: number, floors: readonly Floor[] | null, content = false): View[] {
  const here = newestFirst(tracks.filter((one) => one.kind === "video" && present(one, at)));
  const found: View[] = content ? [CONTENT] : [];
  const screen = here.find((one) => one.source === "screen" || one.source === "document_camera");
  if (screen) found.push({ place: "screen", track: screen });
  const cameras = here.filter((one) => one.source === "camera");
  const camera = cameras.find((one) => one.lead);
  if (camera) found.push({ place: "camera", track: camera });
  const seen = new Set<string>();
  for (const track of cameras) {
    if (track.lead || seen.has(track.participant) || !mayShow(track.participant, at, floors)) continue;
    seen.add(track.participant);
    found.push({ place: "guest", track });
  }
  return found.slice(0, MOST);
}

const OPENING = 2_000; // ms of waiting for a picture: a microphone is a little quicker than a camera

/** Where a recording opens that begins at `from`: at its first picture, if one comes at once. */
export function opening(tracks: readonly Track[], from: number): number {
  const starts = tracks.filter((one) => one.kind === "video").map((one) => one.start_ms);
  const first = Math.min(...starts);
  return first - from < OPENING ? first : from;
}

/** Someone who never had the floor needs none: a second teacher. */
function mayShow(participant: string, at: number, floors: readonly Floor[] | null): boolean {
  const own = floors?.filter((one) => one.participant_id === participant) ?? [];
  return own.length === 0 || own.some((one) => at >= one.from && at < one.to);
}

export const LAYOUTS = ["side", "inset", "single"] as const;
/** side: side by side; inset: picture in picture; single: one large and nothing else. */
export type Layout = (typeof LAYOUTS)[number];

export interface Arrangement {
  readonly main: View | null;
  readonly small: readonly View[];
  readonly hidden: readonly View[]; // need not even be loaded
}

/** `wanted`: what the person chose to have large, by the key of its view; it comes back whenever it is there again. */
export function arrange(shown: readonly View[], layout: Layout, wanted: string | null): Arrangement {
  const main = shown.find((one) => keyOf(one) === wanted) ?? shown[0] ?? null;
  const rest = shown.filter((one) => one !== main);
  return layout === "single" ? { main, small: [], hidden: rest } : { main, small: rest, hidden: [] };
}

/** The same for a teacher before and after a reconnect, so that what was large stays large. */
export function keyOf(view: View): string {
  return view.place === "guest" ? `guest ${view.track.participant}` : view.place;
}
