/**
 * Which picture goes where on a page: the same decision on the screens of the classes, in the studio and in the window
 * for its projector. Values in, value out. Large is a class on stage, or what the teacher has chosen; before any choice the
 * screen, which pupils must read, and without one the teacher.
 */

import type { Participant, ShownChoice, Slot } from "../protocol/messages";
import { lead, participant, type RoomState } from "./reducer";
import type { Qualities } from "./rung";
import { surfaceShown } from "./surfaces";

/** Enough of a picture to know its place. */
export interface Seen {
  source: "camera" | "screen" | "document_camera" | "slides" | "whiteboard";
  who: Participant;
}

export interface Picture extends Seen {
  mid: string; // "" of a page: no slot carries it
  publication_id: string; // of a page: its surface
  paused: boolean; // it stands still, because the line does not carry it
  speaking: boolean; // whoever is in it
}

export interface Arrangement<P extends Seen = Picture> {
  large: P | null;
  beside: P | null; // as large as `large`, when two stand side by side
  small: P[];
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
    if (slot.kind !== "video" || !slot.publication_id || !slot.source || slot.source === "microphone" || slot.source === "second_microphone") continue;
    const who = participant(room, slot.participant_id);
    if (!who || (who.role === "receiving_class" && !who.on_floor)) continue; // that one is for the wall alone
    pictures.push({
      mid: slot.mid,
      publication_id: slot.publication_id,
      source: slot.source,
      who,
      paused: qualities[slot.mid]?.paused ?? false,
      speaking: slot.source === "camera" && heard.has(who.participant_id),
    });
  }
  const surface = surfaceShown(room.shown, room.surfaces);
  const who = lead(room) ?? room.participants.find(teaches);
  if (surface !== null && room.shown && who) pictures.push({ mid: "", publication_id: surface, source: room.shown.source, who, paused: false, speaking: false });
  return compose(pictures, room.shown, room.onStage);
}

/** Where each of these pictures goes; screens that the teacher has not chosen go nowhere. */
export function compose<P extends Seen>(
  pictures: readonly P[],
  choice: ShownChoice | null,
  onStage: string | null,
): Arrangement<P> {
  const wanted = choice ? [choice.source] : (["screen", "document_camera"] as const);
  const content = pictures.find((one) => one.source !== "camera" && (wanted as readonly string[]).includes(one.source)) ?? null;
  const cameras = pictures.filter((one) => one.source === "camera");
  const teacher = cameras.find((one) => one.who.role === "lead_teacher") ?? cameras.find((one) => teaches(one.who)) ?? null;
  const called = cameras.filter((one) => one.who.role === "receiving_class" && one.who.on_floor);
  const guest = called.find((one) => one.who.participant_id === onStage) ?? null;
  const others = cameras.filter((one) => one !== teacher && !called.includes(one));
  const abreast = choice?.layout === "side_by_side";

  const places: (P | null)[] = abreast
    ? [content ?? teacher, guest, content && teacher, called[0] ?? null, others[0] ?? null]
    : [guest, choice?.layout === "portrait" ? teacher : content, content, teacher, called[0] ?? null, others[0] ?? null];
  const [large = null, second = null] = [...new Set(places)].filter((one) => one !== null);
  const beside = abreast && second !== others[0] ? second : null;
  const small = [content, ...called, teacher, ...others].filter((one) => one !== null && one !== large && one !== beside);
  return { large, beside, small: small as P[] };
}

/** Whether it is a page of slides or of the board, which nobody films. */
export const isPage = (picture: Seen): boolean => picture.source === "slides" || picture.source === "whiteboard";

/** Whose microphones are spoken into; `speaking` are the publications. */
export function speakers(room: RoomState, speaking: readonly string[]): Set<string> {
  const heard = room.publications.filter((one) => !one.muted && speaking.includes(one.publication_id));
  return new Set(heard.map((one) => one.participant_id));
}

export function teaches(who: Participant): boolean {
  return who.role === "lead_teacher" || who.role === "co_teacher";
}
