/**
 * What one person draws, on its way to the room: on the page at once, to the server ten times a second, kept until the
 * room has it, said again where the connection broke. What an eraser has touched is gone at once, too. No DOM.
 */

import type { Colour, Command, Stroke, Tool } from "../protocol/messages";
import { type Line, thinned } from "../room/ink";
import { type Surfaces, strokesOn } from "../room/surfaces";

export interface Look {
  tool: Tool;
  colour: Colour;
  width: number;
}

const EVERY = 100; // ms
const PIECES = 2; // messages in that time
const PIECE = 400; // numbers, as the protocol has it
const LONGEST = 4000; // of a stroke; one that grows longer goes on as another
const RUBBED = 200; // strokes named in one message
const SETTLES = 1_000; // ms after the connection is back, until what it missed has been told
const PATIENCE = 10_000; // ms for the room to show what it was told; after that it did not take it
const UNDOABLE = 50; // steps

interface OwnLine extends Line {
  points: number[]; // as they came from the hand
  surface: string;
  kept: number[]; // fewer, that say the same: what is sent
  thinned: number; // so many of `points` are in `kept`
  sent: number; // so many of `kept`
  ended: boolean;
  waits: number; // ms since the last was sent
}

type Step = { surface: string } & ({ did: "drew"; ids: string[] } | { did: "rubbed"; strokes: readonly Stroke[] });

export class Drawing {
  /** Lines that the room does not have whole yet, on every surface. */
  private lines: OwnLine[] = [];
  private readonly hands = new Map<number, OwnLine>(); // by pointer
  private readonly gone = new Map<string, { surface: string; told: boolean }>(); // rubbed out by stroke
  private steps: Step[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;
  private pause = 0; // ms until we send again
  private resume: (() => void) | null = null; // what is done first then

  constructor(
    private readonly ask: (command: Command) => boolean,
    private readonly changed: () => void,
    private readonly newId: () => string = randomId,
  ) {}

  /** A pen comes down. */
  begin(hand: number, surface: string, look: Look, x: number, y: number): void {
    this.end(hand);
    const line = this.add(surface, look, [x, y]);
    this.hands.set(hand, line);
    this.did({ surface, did: "drew", ids: [line.stroke_id] });
    this.changed();
  }

  move(hand: number, points: readonly number[]): void {
    const line = this.hands.get(hand);
    if (!line || points.length === 0) return;
    line.points.push(...points);
    if (line.kept.length + line.points.length - line.thinned >= LONGEST - 2) this.goOn(hand, line);
    this.changed();
  }

  end(hand: number): void {
    const line = this.hands.get(hand);
    this.hands.delete(hand);
    if (line) line.ended = true;
  }

  /** These are rubbed out, in one go with those before when the eraser was not lifted. */
  rub(surface: string, strokes: readonly Stroke[], goesOn: boolean): void {
    const news = strokes.filter((one) => !this.gone.has(one.stroke_id));
    if (news.length === 0) return;
    for (const one of news) this.gone.set(one.stroke_id, { surface, told: false });
    const last = this.steps[this.steps.length - 1];
    if (goesOn && last?.did === "rubbed" && last.surface === surface) last.strokes = [...last.strokes, ...news];
    else this.did({ surface, did: "rubbed", strokes: news });
    this.run();
    this.changed();
  }

  /** Whether there is something of ours on this surface to take back; `strokes` is what the room has there. */
  mayUndo(surface: string, strokes: readonly Stroke[], me: string | null): boolean {
    return strokes.some((one) => one.participant_id === me && !this.gone.has(one.stroke_id)) || this.steps.some((one) => one.surface === surface && this.stands(one, strokes));
  }

  /** Take back the last step on this surface; of what was drawn before the page was loaded, the last of our strokes. */
  undo(surface: string, strokes: readonly Stroke[], me: string | null): void {
    const step = [...this.steps].reverse().find((one) => one.surface === surface && this.stands(one, strokes));
    this.steps = this.steps.filter((one) => one !== step);
    if (step?.did === "rubbed") return this.drawAgain(step.strokes);
    const own = strokes.filter((one) => one.participant_id === me && !this.gone.has(one.stroke_id));
    const ids = step ? step.ids : own.slice(-1).map((one) => one.stroke_id);
    for (const [hand, line] of this.hands) if (ids.includes(line.stroke_id)) this.hands.delete(hand);
    this.lines = this.lines.filter((one) => !ids.includes(one.stroke_id));
    for (const id of ids) this.gone.set(id, { surface, told: false });
    this.run();
    this.changed();
  }

  /** Nothing of this surface can be taken back any more. */
  cleared(surface: string): void {
    this.steps = this.steps.filter((one) => one.surface !== surface);
    this.lines = this.lines.filter((one) => one.surface !== surface);
    this.changed();
  }

  on(surface: string): Line[] {
    return this.lines.filter((one) => one.surface === surface).map((one) => ({ ...one }));
  }

  /** Strokes of the room that are not to be drawn as the room has them. */
  get hidden(): ReadonlySet<string> {
    return new Set([...this.gone.keys(), ...this.lines.map((one) => one.stroke_id)]);
  }

  /** What the room has now. */
  seen(surfaces: Surfaces): void {
    const has = (surface: string, id: string) => strokesOn(surfaces, surface).find((one) => one.stroke_id === id);
    const before = this.lines.length + this.gone.size;
    this.lines = this.lines.filter((one) => {
      const whole = one.ended && one.thinned === one.points.length;
      return !whole || (has(one.surface, one.stroke_id)?.points.length ?? 0) < one.kept.length;
    });
    for (const [id, { surface, told }] of this.gone) if (told && !has(surface, id)) this.gone.delete(id);
    if (this.lines.length + this.gone.size !== before) this.changed();
  }

  /** Nothing gets through: it waits here. */
  disconnected(): void {
    this.pause = Infinity;
  }

  /** The connection is back: what the room did not get is said again, once it has told us what it has. */
  reconnected(surfaces: () => Surfaces): void {
    this.pause = SETTLES;
    this.resume = () => {
      for (const one of this.lines) {
        const there = strokesOn(surfaces(), one.surface).find((stroke) => stroke.stroke_id === one.stroke_id);
        one.sent = Math.min(one.kept.length, there?.points.length ?? 0);
        one.waits = 0;
      }
      for (const one of this.gone.values()) one.told = false;
    };
    if (this.lines.length + this.gone.size > 0) this.run();
  }

  /** The room does not take it: what stands here alone goes, and the pen has to come down again. */
  refused(): void {
    this.hands.clear();
    this.lines = [];
    this.gone.clear();
    this.changed();
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.hands.clear();
  }

  /** Every 100 ms while there is something to say. */
  tick(): void {
    if (this.pause > 0) {
      this.pause -= EVERY;
      if (this.pause > 0) return;
      this.resume?.();
      this.resume = null;
    }
    this.tellGone();
    let left = PIECES;
    for (const line of this.lines) {
      this.thin(line);
      line.waits += EVERY;
      while (left > 0 && line.sent < line.kept.length && this.send(line)) left -= 1;
    }
    const late = this.lines.filter((one) => one.ended && one.sent === one.kept.length && one.waits > PATIENCE);
    if (late.length > 0) {
      this.lines = this.lines.filter((one) => !late.includes(one));
      this.changed();
    }
    if (this.lines.length === 0 && ![...this.gone.values()].some((one) => !one.told)) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  private add(surface: string, look: Look, points: number[]): OwnLine {
    const line: OwnLine = { ...look, stroke_id: this.newId(), surface, points, kept: [], thinned: 0, sent: 0, ended: false, waits: 0 };
    this.lines = [...this.lines, line];
    this.run();
    return line;
  }

  private goOn(hand: number, line: OwnLine): void {
    const { surface, tool, colour, width, points } = line;
    line.ended = true;
    const next = this.add(surface, { tool, colour, width }, points.slice(-2));
    this.hands.set(hand, next);
    const step = this.steps.find((one) => one.did === "drew" && one.ids.includes(line.stroke_id));
    if (step?.did === "drew") step.ids.push(next.stroke_id);
  }

  private drawAgain(strokes: readonly Stroke[]): void {
    for (const { surface, tool, colour, width, points } of strokes) this.add(surface, { tool, colour, width }, [...points]).ended = true;
    this.changed();
  }

  private thin(line: OwnLine): void {
    if (line.thinned === line.points.length) return;
    const anchor = line.kept.slice(-2);
    line.kept.push(...thinned([...anchor, ...line.points.slice(line.thinned)]).slice(anchor.length));
    line.thinned = line.points.length;
  }

  private send(line: OwnLine): boolean {
    const { surface, stroke_id, tool, colour, width } = line;
    const points = line.kept.slice(line.sent, line.sent + PIECE);
    if (!this.ask({ type: "stroke", surface, stroke_id, tool, colour, width, points })) return false;
    line.sent += points.length;
    line.waits = 0;
    return true;
  }

  private tellGone(): void {
    const waiting = [...this.gone].filter(([, one]) => !one.told);
    const surface = waiting[0]?.[1].surface;
    const now = waiting.filter(([, one]) => one.surface === surface).slice(0, RUBBED);
    if (surface === undefined || !this.ask({ type: "strokes_removed", surface, stroke_ids: now.map(([id]) => id) })) return;
    for (const [, one] of now) one.told = true;
  }

  /** Whether there is still something of a step to take back: another teacher may have cleared the page. */
  private stands(step: Step, strokes: readonly Stroke[]): boolean {
    if (step.did === "rubbed") return true;
    const here = [...strokes, ...this.lines].map((one) => one.stroke_id);
    return step.ids.some((id) => here.includes(id) && !this.gone.has(id));
  }

  private did(step: Step): void {
    this.steps = [...this.steps, step].slice(-UNDOABLE);
  }

  private run(): void {
    this.timer ??= setInterval(() => this.tick(), EVERY);
  }
}

/** No two of a lesson alike. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
