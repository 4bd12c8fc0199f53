/** What was said between a class and its teachers, in order: messages, signals and photos as one list. Pure. */

import type { ChatLine, Photo, PrivateLine, Signal } from "../protocol/messages";
import type { RoomState } from "./reducer";

export type Said =
  | { kind: "chat"; seq: number; atMs: number; classId: string | null; mine: boolean; line: ChatLine }
  | { kind: "private"; seq: number; atMs: number; classId: string; mine: boolean; line: PrivateLine }
  | { kind: "signal"; seq: number; atMs: number; classId: string; mine: boolean; signal: Signal["signal"] }
  | { kind: "photo"; seq: number; atMs: number; classId: string; mine: boolean; photoId: string };

/** All that we may see, oldest first. `me`: who looks; a phone looks as its class. */
export function saidIn(state: RoomState, me: string | null): Said[] {
  const chat = state.chat.map((line): Said => ({
    kind: "chat",
    seq: line.seq,
    atMs: line.at_ms,
    classId: line.class_id ?? (line.role === "receiving_class" ? line.participant_id : null),
    mine: line.participant_id === me,
    line,
  }));
  const lines = state.private.map((line): Said => ({
    kind: "private",
    seq: line.seq,
    atMs: line.at_ms,
    classId: line.class_id,
    mine: line.participant_id === me,
    line,
  }));
  const signals = state.signals.map(({ seq, at_ms, participant_id, signal }): Said => ({
    kind: "signal",
    seq,
    atMs: at_ms,
    classId: participant_id,
    mine: participant_id === me,
    signal,
  }));
  const photos = state.photos.map(({ seq, at_ms, participant_id, photo_id }: Photo): Said => ({
    kind: "photo",
    seq,
    atMs: at_ms,
    classId: participant_id,
    mine: participant_id === me,
    photoId: photo_id,
  }));
  return [...chat, ...lines, ...signals, ...photos].sort((a, b) => a.seq - b.seq);
}

/** How many words of others came after this one: what a class's bar shows instead of them. */
export function unreadIn(state: RoomState, me: string | null, readUpTo: number): number {
  const news = (line: { seq: number; participant_id: string }) => line.seq > readUpTo && line.participant_id !== me;
  return state.chat.filter(news).length + state.private.filter(news).length;
}

/** How much came from classes after this: words, and what they want and show, which a teacher must not miss either. */
export function newsFrom(state: RoomState, me: string | null, readUpTo: number): number {
  const since = (one: { seq: number }) => one.seq > readUpTo;
  return unreadIn(state, me, readUpTo) + state.signals.filter(since).length + state.photos.filter(since).length;
}

/** The last seq of all that was said. */
export function lastSaid(state: RoomState): number {
  const last = (lines: readonly { seq: number }[]) => lines[lines.length - 1]?.seq ?? 0;
  return Math.max(last(state.chat), last(state.private), last(state.signals), last(state.photos));
}

/** Phones that stand by a class now. */
export function phonesOf(state: RoomState, classId: string | null): number {
  return state.participants.filter((one) => one.class_id !== null && one.class_id === classId && !one.away).length;
}

/** How large a picture is made that must not be longer than this. */
export function fitted(width: number, height: number, longest: number): { width: number; height: number } {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
