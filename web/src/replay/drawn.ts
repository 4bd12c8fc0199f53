/**
 * Slides and board of a recorded lesson for any of its moments: which page everybody saw, and what was drawn on it.
 *
 * The same rules as room/surfaces.ts, which folds event by event for those who are in the lesson. Here each stroke knows
 * from when to when it stood, so that a moment is looked up and nothing is folded anew, forwards or backwards.
 */

import type { LessonEvent, SlideSet, Stroke, StrokePiece } from "../protocol/messages";
import { BOARD_ASPECT } from "../room/surfaces";

/** From when on everybody saw a page, until the next one; `surface` null: no page, but another picture. */
export interface Sight {
  readonly at: number; // ms on the lesson clock
  readonly surface: string | null;
}

interface Written {
  stroke: Stroke; // all of it
  readonly at: number[]; // of each piece
  readonly size: number[]; // numbers of its points, with each piece
  gone: number; // when it was rubbed out
}

export interface Drawn {
  readonly sets: ReadonlyMap<string, SlideSet>; // all there ever were
  readonly sights: readonly Sight[]; // in order
  readonly written: ReadonlyMap<string, readonly Written[]>; // by surface, in the order they were begun
  readonly changes: ReadonlyMap<string, readonly number[]>; // by surface: when something changed on it, in order
}

export const NOTHING_DRAWN: Drawn = { sets: new Map(), sights: [], written: new Map(), changes: new Map() };

const slidesOf = (surface: string): string => surface.slice(0, surface.indexOf("/"));
const pageOf = (surface: string): number => Number(surface.slice(surface.indexOf("/") + 1));

/** Events in their order; those that say nothing of pages are passed over. */
export function drawnOf(events: readonly LessonEvent[]): Drawn {
  const sets = new Map<string, SlideSet>();
  const sights: Sight[] = [];
  const written = new Map<string, Written[]>();
  const standing = new Map<string, Map<string, Written>>(); // by surface, then by who draws it and its id
  const changes = new Map<string, number[]>();
  let [source, slide, board] = ["", null as string | null, null as string | null];

  const changed = (surface: string, at: number) => of(changes, surface, []).push(at);
  const clear = (surface: string, at: number, which: (one: Written) => boolean = () => true) => {
    const there = standing.get(surface);
    if (!there) return;
    for (const [key, one] of there) {
      if (!which(one)) continue;
      one.gone = at;
      there.delete(key);
    }
    changed(surface, at);
  };

  for (const event of events) {
    const at = event.at_ms;
    switch (event.kind) {
      case "slides_added":
        sets.set(event.payload.slides_id, event.payload);
        break;
      case "slides_removed": {
        const { slides_id } = event.payload;
        for (const surface of standing.keys()) if (slidesOf(surface) === slides_id) clear(surface, at);
        if (slide !== null && slidesOf(slide) === slides_id) slide = null;
        break;
      }
      case "page_turned":
        if (slidesOf(event.payload.surface) === "board") board = event.payload.surface;
        else slide = event.payload.surface;
        break;
      case "shown":
        source = event.payload.source;
        break;
      case "stroke": {
        const { surface } = event.payload;
        draw(of(standing, surface, new Map<string, Written>()), of(written, surface, []), event.actor, event.payload, at);
        changed(surface, at);
        break;
      }
      case "strokes_removed": {
        const ids = new Set(event.payload.stroke_ids);
        clear(event.payload.surface, at, (one) => ids.has(one.stroke.stroke_id));
        break;
      }
      case "surface_cleared":
        clear(event.payload.surface, at);
        break;
      default:
        continue;
    }
    const surface = source === "slides" ? slide : source === "whiteboard" ? board : null;
    if (surface !== (sights[sights.length - 1]?.surface ?? null)) sights.push({ at, surface });
  }
  return { sets, sights, written, changes };
}

function draw(standing: Map<string, Written>, all: Written[], actor: string, piece: StrokePiece, at: number): void {
  const key = `${actor}/${piece.stroke_id}`;
  const known = standing.get(key);
  if (known) {
    (known.stroke.points as number[]).push(...piece.points); // its own, made below
    known.at.push(at);
    known.size.push(known.stroke.points.length);
    return;
  }
  const stroke = { ...piece, participant_id: actor, points: [...piece.points] };
  const one: Written = { stroke, at: [at], size: [stroke.points.length], gone: Infinity };
  standing.set(key, one);
  all.push(one);
}

function of<V>(map: Map<string, V>, key: string, fresh: V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  map.set(key, fresh);
  return fresh;
}

// ── questions a page asks of a moment ───────────────────────────────────────────────────────────────────────────────

/** The page everybody saw; null: another picture. */
export function surfaceAt(drawn: Drawn, at: number): string | null {
  return drawn.sights[upTo(drawn.sights, at, (one) => one.at) - 1]?.surface ?? null;
}

/** The pages that come next, the nearest first, and when the first of them comes. */
export function comingAt(drawn: Drawn, at: number, count: number): Sight[] {
  const from = upTo(drawn.sights, at, (one) => one.at);
  return drawn.sights.slice(from, from + 2 * count).filter((one) => one.surface !== null).slice(0, count);
}

/** Changes as the moment does when something on this page does, and only then. */
export function revisionAt(drawn: Drawn, surface: string, at: number): number {
  return upTo(drawn.changes.get(surface) ?? [], at, (one) => one);
}

/** What stood on a page, in the order it was drawn, each stroke as far as it was drawn. */
export function strokesAt(drawn: Drawn, surface: string, at: number): Stroke[] {
  const found: Stroke[] = [];
  for (const one of drawn.written.get(surface) ?? []) {
    if ((one.at[0] ?? 0) > at) break;
    if (one.gone <= at) continue;
    const pieces = upTo(one.at, at, (time) => time);
    const whole = pieces === one.at.length;
    found.push(whole ? one.stroke : { ...one.stroke, points: one.stroke.points.slice(0, one.size[pieces - 1]) });
  }
  return found;
}

/** When most stood on a page while it was looked at, the last such moment: a board is often wiped before it is left. */
export function fullestAt(drawn: Drawn, { surface, from, to }: Look): number {
  const steps: [at: number, by: number][] = [];
  for (const one of drawn.written.get(surface) ?? []) steps.push([Math.max(from, one.at[0] ?? 0), 1], [one.gone, -1]);
  steps.sort((a, b) => a[0] - b[0]);
  let [count, most, best] = [0, 0, to - 1];
  steps.forEach(([at, by], index) => {
    count += by;
    const next = steps[index + 1]?.[0] ?? Infinity;
    if (at >= to || next <= from || next === at || count < most) return;
    [most, best] = [count, Math.min(next, to) - 1];
  });
  return best;
}

/** Its place among the pages: of which slides, by their title, or of the board. */
export function pageOn(drawn: Drawn, surface: string): { title: string | null; page: number; aspect: number } {
  const set = drawn.sets.get(slidesOf(surface));
  return { title: set?.title ?? null, page: pageOf(surface), aspect: set ? set.width / set.height : BOARD_ASPECT };
}

export const isBoard = (surface: string): boolean => slidesOf(surface) === "board";

/** Where its picture lies in the lesson's archive; null for a page of the board, which has none. */
export function pictureFile(surface: string, small = false): string | null {
  return isBoard(surface) ? null : `slides/${surface}${small ? ".small" : ""}.webp`;
}

/** How many of a sorted list are at most this. */
function upTo<T>(list: readonly T[], most: number, value: (one: T) => number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = list[middle];
    if (one !== undefined && value(one) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}

const LEAFED = 2_000; // ms: who stays shorter on a page only leafs past it

/** A page that was looked at, from when to when. */
export interface Look {
  from: number;
  to: number;
  surface: string;
}

/** The pages that were looked at, in order; a page that was gone for a moment only was looked at once. */
export function looksAt(drawn: Drawn, end: number): Look[] {
  const looks: Look[] = [];
  drawn.sights.forEach((one, index) => {
    const to = Math.min(end, drawn.sights[index + 1]?.at ?? end);
    if (one.surface === null || to - one.at < LEAFED) return;
    const last = looks[looks.length - 1];
    if (last?.surface === one.surface && one.at - last.to < LEAFED) last.to = to;
    else looks.push({ from: one.at, to, surface: one.surface });
  });
  return looks;
}
