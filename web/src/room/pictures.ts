/**
 * Which picture goes where on a page. Values in, value out: the slots of this participant, who it is, what it sends.
 * The screen is what pupils must read, so it is large whenever there is one; then a class on the floor; then the teacher.
 */

import type { Participant, Slot } from "../protocol/messages";
import { participant, type RoomState } from "./reducer";
import type { Qualities } from "./rung";

export interface Picture {
  mid: string;
  publication_id: string;
  source: "camera" | "screen";
  who: Participant;
  paused: boolean; // it stands still, because the line does not carry it
  speaking: boolean; // whoever is in it
}

export interface Arrangement {
  large: Picture | null;
  small: Picture[];
}

export function arrange(
  slots: readonly Slot[],
  room: RoomState,
  qualities: Qualities = {},
  speaking: readonly string[] = [],
): Arrangement {
  const pictures: Picture[] = [];
  const heard = speakers(room, speaking);
  for (const slot of slots) {
    if (slot.kind !== "video" || !slot.publication_id || !slot.source || slot.source === "microphone") continue;
    const who = participant(room, slot.participant_id);
    if (!who) continue;
    pictures.push({
      mid: slot.mid,
      publication_id: slot.publication_id,
      source: slot.source,
      who,
      paused: qualities[slot.mid]?.paused ?? false,
      speaking: slot.source === "camera" && heard.has(who.participant_id),
    });
  }
  const rank = (one: Picture) =>
    one.source === "screen" ? 0 : one.who.role === "receiving_class" && one.who.on_floor ? 1 : teaches(one.who) ? 2 : 3;
  const [large = null, ...small] = pictures.sort((a, b) => rank(a) - rank(b));
  return { large, small };
}

/** Whose microphones are spoken into; `speaking` are the publications. */
export function speakers(room: RoomState, speaking: readonly string[]): Set<string> {
  const heard = room.publications.filter((one) => !one.muted && speaking.includes(one.publication_id));
  return new Set(heard.map((one) => one.participant_id));
}

export function teaches(who: Participant): boolean {
  return who.role === "lead_teacher" || who.role === "co_teacher";
}
