/**
 * What a class is shown of a lesson: which of the pictures, for whom it waits, what it hears while it speaks. Decisions
 * only, values in, value out.
 */

import type { OwnTransport, Slot } from "../protocol/messages";
import { type Arrangement, isPage, type Picture, teaches } from "./pictures";
import { lead, participant, type RoomState } from "./reducer";

/** What the adult beside the screen wants of the pictures: all, the large one, or sound alone. */
export const PICTURE_CHOICES = ["all", "large", "none"] as const;
export type PictureChoice = (typeof PICTURE_CHOICES)[number];

export const OTHERS_AT_MOST = 6; // small pictures of other classes
export const OTHERS_TALL = 180; // lines of each: the smallest layer

// A 360p camera takes 500 kb/s, sound and headers another 100. What comes back needs room for a small picture, too.
const CARRIES = 600_000; // bit/s
const CARRIES_AGAIN = 800_000;

/** Whether the line carries a teacher in 360p and other classes beside; `before` is the last answer. */
export function carriesOthers(before: boolean, transports: readonly OwnTransport[]): boolean {
  const estimate = transports.find((one) => one.direction === "receive")?.estimate ?? null;
  return estimate === null ? before : estimate >= (before ? CARRIES : CARRIES_AGAIN);
}

/**
 * The pictures of a lesson as a class sees them: others small when the line carries them, none that it does not want.
 * A page of slides or board is no more to a line than a second of sound: who wants sound alone still reads it.
 */
export function forClass(arranged: Arrangement, choice: PictureChoice, carries: boolean): Arrangement {
  if (choice === "none") {
    const pages = [arranged.large, arranged.beside, ...arranged.small].filter((one) => one !== null && isPage(one));
    return { large: pages[0] ?? null, beside: null, small: [] };
  }
  if (choice === "large") return { ...arranged, small: [] };
  const others = arranged.small.filter(({ who }) => !teaches(who)).slice(0, carries ? OTHERS_AT_MOST : 0);
  return { ...arranged, small: arranged.small.filter((one) => teaches(one.who) || others.includes(one)) };
}

/** For whom a class waits: for the lesson to begin, or for a teacher who was here and is gone. */
export type Waiting = "start" | "teacher" | null;

export function waitingFor(room: RoomState, large: Picture | null, transports: readonly OwnTransport[]): Waiting {
  const teacher = lead(room);
  const here = teacher !== null && !teacher.away;
  if (large && (here || !standsStill(large, transports))) return null;
  if (room.startedMs === null) return here && large ? null : "start";
  return here ? null : "teacher";
}

/** Whether nothing comes of this picture any more; a teacher may lose the room alone while picture and sound go on. */
function standsStill({ mid }: Picture, transports: readonly OwnTransport[]): boolean {
  const receiving = transports.find((one) => one.direction === "receive");
  return receiving?.slots.find((one) => one.mid === mid)?.bitrate === 0;
}

const DUCKED = 0.25; // of the volume

/** How loud a slot is heard: who speaks hears the teacher as before, and everybody else from afar. */
export function gainOf(slot: Slot, room: RoomState, speaking: boolean): number {
  const who = participant(room, slot.participant_id);
  return speaking && who && !teaches(who) ? DUCKED : 1;
}
