/** The event log of a finished lesson as what a replay shows beside the picture: marks, messages, who spoke. */

import type { ChatLine, LessonEvent, Mark, Participant } from "../protocol/messages";
import { EMPTY_ROOM, reduce } from "../room/reducer";

export interface Notes {
  chat: readonly ChatLine[];
  marks: readonly Mark[];
  people: ReadonlyMap<string, Participant>; // everyone who was ever there
  floors: readonly { participant_id: string; at_ms: number }[]; // the floor was given
}

export function notesOf(events: readonly LessonEvent[]): Notes {
  const people = new Map<string, Participant>();
  const floors: { participant_id: string; at_ms: number }[] = [];
  let room = EMPTY_ROOM;
  for (const event of events) {
    room = reduce(room, event, Infinity);
    for (const one of room.participants) people.set(one.participant_id, one);
    if (event.kind === "floor" && event.payload.granted) {
      floors.push({ participant_id: event.payload.participant_id, at_ms: event.at_ms });
    }
  }
  return { chat: room.chat, marks: room.marks, people, floors };
}
