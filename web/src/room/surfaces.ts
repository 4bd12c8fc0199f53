/**
 * The pages there are to look at and to draw on, and what is drawn on them: a fold of events, part of the reducer, and
 * what a page asks of it. A surface is one such page: `<slides_id>/<page>` or `board/<n>`, both counted from 1.
 * The Python twin is signaling/pages.py.
 */

import type { LessonEvent, ShownChoice, SlideSet, Snapshot, Stroke, StrokePiece } from "../protocol/messages";

export interface Surfaces {
  readonly slides: readonly SlideSet[]; // that can be shown, in the order they came
  readonly slidePage: string | null; // the page that is shown while slides are
  readonly boardPage: string | null; // while the board is
  readonly strokes: { readonly [surface: string]: readonly Stroke[] }; // in the order they were begun
}

export const NO_SURFACES: Surfaces = { slides: [], slidePage: null, boardPage: null, strokes: {} };
export const BOARD_PAGES = 50; // at most
export const BOARD_ASPECT = 16 / 9;

const NOTHING: readonly Stroke[] = [];
const slidesOf = (surface: string): string => surface.slice(0, surface.indexOf("/"));
const pageOf = (surface: string): number => Number(surface.slice(surface.indexOf("/") + 1));

export function surfacesOf(snapshot: Snapshot): Surfaces {
  const strokes: { [surface: string]: Stroke[] } = {};
  for (const { strokes: run, ...of } of snapshot.strokes) {
    const on = (strokes[of.surface] ??= []);
    for (const [stroke_id, steps] of run) on.push({ ...of, stroke_id, points: pointsOf(steps) });
  }
  return { slides: snapshot.slides, slidePage: snapshot.slide_page, boardPage: snapshot.board_page, strokes };
}

function pointsOf(steps: readonly number[]): number[] {
  const points: number[] = [];
  steps.forEach((step, at) => points.push(at < 2 ? step : step + (points[at - 2] ?? 0)));
  return points;
}

/** Fold one event in; those that say nothing of surfaces change nothing. */
export function fold(state: Surfaces, event: LessonEvent): Surfaces {
  switch (event.kind) {
    case "slides_added": {
      const added = event.payload;
      const known = state.slides.some((one) => one.slides_id === added.slides_id);
      const slides = known
        ? state.slides.map((one) => (one.slides_id === added.slides_id ? added : one))
        : [...state.slides, added];
      return { ...state, slides };
    }
    case "slides_removed": {
      const { slides_id } = event.payload;
      const gone = (surface: string) => slidesOf(surface) === slides_id;
      return {
        ...state,
        slides: state.slides.filter((one) => one.slides_id !== slides_id),
        slidePage: state.slidePage !== null && gone(state.slidePage) ? null : state.slidePage,
        strokes: Object.fromEntries(Object.entries(state.strokes).filter(([surface]) => !gone(surface))),
      };
    }
    case "page_turned": {
      const { surface } = event.payload;
      return slidesOf(surface) === "board" ? { ...state, boardPage: surface } : { ...state, slidePage: surface };
    }
    case "stroke":
      return draw(state, event.actor, event.payload);
    case "strokes_removed": {
      const { surface, stroke_ids } = event.payload;
      return withStrokes(state, surface, strokesOn(state, surface).filter((one) => !stroke_ids.includes(one.stroke_id)));
    }
    case "surface_cleared":
      return withStrokes(state, event.payload.surface, NOTHING);
    default:
      return state;
  }
}

function draw(state: Surfaces, actor: string, piece: StrokePiece): Surfaces {
  const strokes = [...strokesOn(state, piece.surface)];
  // From the end: nearly always it is the last one that goes on.
  let index = strokes.length - 1;
  for (; index >= 0; index -= 1) {
    const one = strokes[index];
    if (one?.stroke_id !== piece.stroke_id || one.participant_id !== actor) continue;
    strokes[index] = { ...one, points: [...one.points, ...piece.points] };
    break;
  }
  if (index < 0) strokes.push({ ...piece, participant_id: actor });
  return withStrokes(state, piece.surface, strokes);
}

function withStrokes(state: Surfaces, surface: string, strokes: readonly Stroke[]): Surfaces {
  return { ...state, strokes: { ...state.strokes, [surface]: strokes } };
}

// ── questions a page asks ───────────────────────────────────────────────────────────────────────────────────────────

/** What is drawn on a surface. The same list as long as nothing changes on it. */
export function strokesOn(state: Surfaces, surface: string | null): readonly Stroke[] {
  return (surface !== null && state.strokes[surface]) || NOTHING;
}

/** The surface everybody sees; null: none, the choice is another picture, or nothing was turned to yet. */
export function surfaceShown(shown: ShownChoice | null, state: Surfaces): string | null {
  return shown?.source === "slides" ? state.slidePage : shown?.source === "whiteboard" ? state.boardPage : null;
}

/** Of which slides it is a page, and which; null for a page of the board, and of slides that are gone. */
export function slideOf(state: Surfaces, surface: string | null): { set: SlideSet; page: number } | null {
  const set = surface === null ? undefined : state.slides.find((one) => one.slides_id === slidesOf(surface));
  return set && surface !== null ? { set, page: pageOf(surface) } : null;
}

/** Width by height, as far as it is known before the picture is here: slides may have pages of several shapes. */
export function aspectOf(state: Surfaces, surface: string | null): number {
  const slide = slideOf(state, surface);
  return slide ? slide.set.width / slide.set.height : BOARD_ASPECT;
}

/** Where the picture of a slide is, or the small one (320 pixels wide); null for a page of the board. */
export function pictureOf(lessonId: string, state: Surfaces, surface: string | null, small = false): string | null {
  const slide = slideOf(state, surface);
  return slide && `/api/lessons/${lessonId}/slides/${slide.set.slides_id}/${slide.page}${small ? ".small" : ""}.webp`;
}

/** How many pages the board has: up to the last that is shown or drawn on. */
export function boardPages(state: Surfaces): number {
  const drawn = Object.entries(state.strokes).filter(([surface, strokes]) => slidesOf(surface) === "board" && strokes.length);
  return Math.max(0, ...drawn.map(([surface]) => pageOf(surface)), state.boardPage === null ? 0 : pageOf(state.boardPage));
}

/** The page of a surface, and how many there are beside it. */
export function pagesAt(state: Surfaces, surface: string | null): { page: number; pages: number } | null {
  const slide = slideOf(state, surface);
  if (slide) return { page: slide.page, pages: slide.set.pages };
  return surface !== null && slidesOf(surface) === "board" ? { page: pageOf(surface), pages: boardPages(state) } : null;
}

/** The page so many further on of the same slides or board; null where there is none. */
export function pageBeside(state: Surfaces, surface: string | null, by: number): string | null {
  const at = pagesAt(state, surface);
  if (surface === null || !at) return null;
  const page = at.page + by;
  return page >= 1 && page <= at.pages ? `${slidesOf(surface)}/${page}` : null;
}
