/** What PROTOCOL.md says of pages to look at and to draw on: slides, board, strokes. A part of messages.ts. */

import { type Decoder, DecodeError, list, number, oneOf, shape, text } from "./decode";

export const TOOLS = ["pen", "marker"] as const;
export type Tool = (typeof TOOLS)[number];
export const COLOURS = ["ink", "red", "blue", "green", "yellow", "white"] as const; // as a teacher is offered them
export type Colour = (typeof COLOURS)[number];

/** Slides that can be shown. */
export interface SlideSet {
  slides_id: string;
  title: string;
  pages: number;
  width: number; // pixels, of the first page
  height: number;
}

/** A piece of a stroke: one whose id its actor has drawn with on this page goes on from the last point. */
export interface StrokePiece {
  surface: string; // "<slides_id>/<page>" or "board/<n>", both from 1
  stroke_id: string;
  tool: Tool;
  colour: Colour;
  width: number; // as the points, of the page's width
  points: readonly number[]; // x, y, x, y, …, each 0 to 10,000 of the page's width or height
}

/** A stroke as far as it is drawn. */
export interface Stroke extends StrokePiece {
  participant_id: string; // who draws it
}

/** Strokes of one surface, hand and tool that follow on each other, as a snapshot has them. */
export interface StrokeRun extends Omit<StrokePiece, "stroke_id" | "points"> {
  participant_id: string;
  strokes: (readonly [id: string, steps: readonly number[]])[]; // the first point, then from each point to the next
}

export interface SurfacePayloads {
  slides_added: SlideSet;
  slides_removed: { slides_id: string };
  page_turned: { surface: string };
  stroke: StrokePiece;
  strokes_removed: { surface: string; stroke_ids: string[] };
  surface_cleared: { surface: string };
}

export type SurfaceCommand =
  | { type: "page_turned"; surface: string }
  | ({ type: "stroke" } & StrokePiece)
  | { type: "strokes_removed"; surface: string; stroke_ids: string[] }
  | { type: "surface_cleared"; surface: string };

/** Many numbers, and nothing built for each of them. */
const points: Decoder<readonly number[]> = (value, at) => {
  if (!Array.isArray(value) || !value.every(Number.isFinite)) throw new DecodeError(`${at} are no points`);
  return value as number[];
};

const line = { surface: text, tool: oneOf(...TOOLS), colour: oneOf(...COLOURS), width: number };
const named: Decoder<StrokeRun["strokes"][number]> = (value, at) => {
  const [id, steps] = Array.isArray(value) ? value : [];
  return [text(id, at), points(steps, at)];
};

export const slideSet = shape<SlideSet>({ slides_id: text, title: text, pages: number, width: number, height: number });
export const strokeRun = shape<StrokeRun>({ ...line, participant_id: text, strokes: list(named) });
const surface = { surface: text };

export const surfacePayloads: { [K in keyof SurfacePayloads]: Decoder<SurfacePayloads[K]> } = {
  slides_added: slideSet,
  slides_removed: shape({ slides_id: text }),
  page_turned: shape(surface),
  stroke: shape<StrokePiece>({ ...line, stroke_id: text, points }),
  strokes_removed: shape({ ...surface, stroke_ids: list(text) }),
  surface_cleared: shape(surface),
};
