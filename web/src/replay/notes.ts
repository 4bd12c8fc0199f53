/** The event log of a finished lesson as what a replay shows beside the picture: marks, messages, who spoke when. */

import type { ChatLine, LessonEvent, Mark, Participant, Stage } from "../protocol/messages";
import { EMPTY_ROOM, reduce } from "../room/reducer";
import { type Drawn, drawnOf } from "./drawn";
import type { Span } from "./timeline";

/** From when to when someone had the floor; `to` is Infinity while it was not taken back. */
export interface Floor extends Span {
  participant_id: string;
}

/** A part of the lesson with a name, until the next one begins. */
export interface Chapter extends Span {
  title: string;
}

export interface Notes {
  chat: readonly ChatLine[];
  marks: readonly Mark[];
  stages: readonly Stage[];
  people: ReadonlyMap<string, Participant>; // everyone who was ever there
  floors: readonly Floor[];
  pauses: readonly Span[]; // the teacher had paused the recording
  drawn: Drawn; // slides and board
}

const DRAWING: ReadonlySet<string> = new Set(["stroke", "strokes_removed", "surface_cleared"]);

export function notesOf(events: readonly LessonEvent[]): Notes {
  const people = new Map<string, Participant>();
  const floors: Floor[] = [];
  const pauses: Span[] = [];
  let room = EMPTY_ROOM;
  const taken = (participant_id: string, at: number) => {
    for (const one of floors) if (one.participant_id === participant_id && one.to === Infinity) one.to = at;
  };
  for (const event of events) {
    if (DRAWING.has(event.kind)) continue; // thousands, which drawn.ts folds in its own way
    room = reduce(room, event, Infinity);
    for (const one of room.participants) people.set(one.participant_id, one);
    if (event.kind === "left") taken(event.payload.participant_id, event.at_ms);
    if (event.kind === "recording" || event.kind === "ended") {
      for (const one of pauses) if (one.to === Infinity) one.to = event.at_ms;
      const paused = event.kind === "recording" && event.payload.state === "paused";
      if (paused) pauses.push({ from: event.at_ms, to: Infinity });
    }
    if (event.kind !== "floor") continue;
    const { participant_id, granted } = event.payload;
    taken(participant_id, event.at_ms);
    if (granted) floors.push({ participant_id, from: event.at_ms, to: Infinity });
  }
  return { chat: room.chat, marks: room.marks, stages: room.stages, people, floors, pauses, drawn: drawnOf(events) };
}

/**
 * The stages of the lesson. Where the teacher began none, a mark with a name begins a chapter; one without is only a place
 * to come back to. `called` says what a stage is called on the screen.
 */
export function chaptersOf(notes: Pick<Notes, "marks" | "stages">, span: Span, called: (stage: string) => string): Chapter[] {
  const stages = notes.stages.map((one) => ({ at_ms: one.at_ms, title: called(one.name) }));
  const marks = notes.marks.map((one) => ({ at_ms: one.at_ms, title: one.label.trim() }));
  const begun = (stages.length ? stages : marks).filter((one) => one.title && one.at_ms < span.to).sort((a, b) => a.at_ms - b.at_ms);
  return begun.map((one, index) => ({
    title: one.title,
    from: Math.max(span.from, one.at_ms),
    to: begun[index + 1]?.at_ms ?? span.to,
  }));
}

export const chapterAt = (chapters: readonly Chapter[], at: number): Chapter | null =>
  chapters.find((one) => at >= one.from && at < one.to) ?? null;

const NEAR = 1_500; // ms: who has just jumped to a mark means the one before it

/** The place to jump to from `at`, backwards or forwards; null when there is none. */
export function neighbour(places: readonly number[], at: number, forward: boolean): number | null {
  const sorted = [...places].sort((a, b) => a - b);
  if (forward) return sorted.find((one) => one > at + 100) ?? null;
  return sorted.reverse().find((one) => one < at - NEAR) ?? null;
}
