/**
 * How strokes become lines on a page: their colours, what of them is new since they were last drawn, which of them an
 * eraser touches, and how few points say the same line. Values in, values out; view/components/StrokeCanvas.vue draws.
 */

export const SIDE = 10_000; // points are whole numbers up to this, across a page and down it
export const FAINT = 0.42; // how much of a marker covers what lies under it

/** Enough of a stroke to draw it. */
export interface Line {
  surface?: string;
  stroke_id: string;
  participant_id?: string;
  tool: "pen" | "marker";
  colour: keyof typeof COLOURS;
  width: number; // of 10 000 of the page's width
  points: readonly number[]; // x, y, x, y, …
}

export const COLOURS = {
  ink: "#1f2328",
  red: "#c8281e",
  blue: "#1b5fc1",
  green: "#1f7a47",
  yellow: "#f5b800",
  white: "#ffffff",
} as const;

/** Ids are a page's own, and may come again on it: where it is and where it begins tell one stroke from another. */
export const lineKey = (line: Line): string => [line.surface, line.participant_id, line.stroke_id, line.points[0], line.points[1]].join("/");

/** A stroke from the number on where it was left off. */
export interface Part<L extends Line = Line> {
  line: L;
  from: number;
}

/** What is to be drawn now, when `drawn` says how many numbers of each stroke stand there; null: all of it anew. */
export function parts<L extends Line>(drawn: ReadonlyMap<string, number>, lines: readonly L[]): Part<L>[] | null {
  const found: Part<L>[] = [];
  let known = 0;
  for (const line of lines) {
    const before = drawn.get(lineKey(line));
    if (before !== undefined) known += 1;
    if (before !== undefined && line.points.length < before) return null;
    if ((before ?? 0) < line.points.length) found.push({ line, from: before ?? 0 });
  }
  return known < drawn.size ? null : found;
}

const NEAR = 3; // of 10 000: half a pixel on a screen of 1920

/** The same line in fewer points: none is left out that lies further than `near` from what remains (Douglas–Peucker). */
export function thinned(points: readonly number[], near: number = NEAR): number[] {
  const last = points.length / 2 - 1;
  if (last < 2) return [...points];
  const keep = new Set([0, last]);
  const spans: [number, number][] = [[0, last]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [from, to] = span;
    let [far, at] = [near, -1];
    for (let index = from + 1; index < to; index += 1) {
      const away = distance(x(points, index), y(points, index), points, from, to);
      if (away > far) [far, at] = [away, index];
    }
    if (at < 0) continue;
    keep.add(at);
    spans.push([from, at], [at, to]);
  }
  return [...keep].sort((a, b) => a - b).flatMap((index) => [x(points, index), y(points, index)]);
}

/** Which of these strokes a round eraser touches on its way; `aspect` is the page's width by its height. */
export function touched<L extends Line>(lines: readonly L[], way: readonly number[], radius: number, aspect: number): L[] {
  const steps = between(squared(way, aspect), radius);
  const swept = boxOf(way);
  return lines.filter((line) => {
    const reach = radius + line.width / 2;
    if (apart(swept, boxOf(line.points), reach * Math.max(1, aspect))) return false;
    const flat = squared(line.points, aspect);
    const last = Math.max(1, flat.length / 2 - 1);
    for (let step = 0; step < steps.length; step += 2) {
      for (let index = 0; index < last; index += 1) {
        if (distance(steps[step] ?? 0, steps[step + 1] ?? 0, flat, index, Math.min(index + 1, flat.length / 2 - 1)) <= reach) return true;
      }
    }
    return false;
  });
}

type Box = readonly [left: number, top: number, right: number, bottom: number];
const boxes = new WeakMap<readonly number[], Box>(); // of strokes, which do not change

function boxOf(points: readonly number[]): Box {
  const known = boxes.get(points);
  if (known) return known;
  const [across, down] = [0, 1].map((odd) => points.filter((_, index) => index % 2 === odd)) as [number[], number[]];
  const box: Box = [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)];
  boxes.set(points, box);
  return box;
}

const apart = (a: Box, b: Box, reach: number): boolean => a[0] - reach > b[2] || b[0] - reach > a[2] || a[1] - reach > b[3] || b[1] - reach > a[3];

/** A way in steps no longer than this: a quick hand leaps over thin lines. */
function between(way: readonly number[], longest: number): number[] {
  const steps = way.slice(0, 2);
  for (let index = 2; index + 1 < way.length; index += 2) {
    const [fromX, fromY] = [way[index - 2] ?? 0, way[index - 1] ?? 0];
    const [dx, dy] = [(way[index] ?? 0) - fromX, (way[index + 1] ?? 0) - fromY];
    const count = Math.max(1, Math.ceil(Math.hypot(dx, dy) / longest));
    for (let step = 1; step <= count; step += 1) steps.push(fromX + (dx * step) / count, fromY + (dy * step) / count);
  }
  return steps;
}

/** Points whose heights are measured as their widths are, so that a circle is one. */
function squared(points: readonly number[], aspect: number): number[] {
  return points.map((value, index) => (index % 2 ? value / aspect : value));
}

const x = (points: readonly number[], index: number): number => points[index * 2] ?? 0;
const y = (points: readonly number[], index: number): number => points[index * 2 + 1] ?? 0;

/** From a place to the piece of the line between two of its points. */
function distance(px: number, py: number, points: readonly number[], from: number, to: number): number {
  const [ax, ay] = [x(points, from), y(points, from)];
  const [dx, dy] = [x(points, to) - ax, y(points, to) - ay];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length));
  return Math.hypot(px - ax - share * dx, py - ay - share * dy);
}
