/**
 * The state of a room is the fold of its events, in the live lesson and in a replay alike. The Python twin is
 * signaling/room.py. Pure: a state and an event go in, a new state comes out, nothing else is touched.
 */

import type {
  ChatLine,
  LessonEvent,
  Mark,
  Participant,
  Photo,
  PrivateLine,
  Publication,
  RecordingState,
  ShownChoice,
  Signal,
  Snapshot,
  Stage,
} from "../protocol/messages";
import { fold, NO_SURFACES, type Surfaces, surfacesOf } from "./surfaces";

export interface RoomState {
  readonly participants: readonly Participant[]; // in the order they came
  readonly publications: readonly Publication[];
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  readonly recording: RecordingState;
  readonly recordingReason: string | null;
  readonly chat: readonly ChatLine[];
  readonly marks: readonly Mark[];
  readonly shown: ShownChoice | null; // null: nobody has chosen, a screen goes before the teacher
  readonly onStage: string | null; // the class on the floor whose picture is large
  readonly stages: readonly Stage[]; // all that have begun; the last is on
  readonly countdownMs: number | null; // until when, on the lesson clock
  readonly leadMicShared: boolean | null; // null: not asked yet
  readonly locked: boolean; // who was not in before stays out
  readonly private: readonly PrivateLine[]; // of these, of signals and of photos what we may see
  readonly signals: readonly Signal[];
  readonly photos: readonly Photo[];
  readonly photoShown: string | null;
  readonly chatToAll: boolean; // classes may write to everybody
  readonly surfaces: Surfaces; // slides, board, and what is drawn on them
  readonly removed: readonly string[]; // participants the teacher has sent out
}

export const EMPTY_ROOM: RoomState = {
  participants: [],
  publications: [],
  startedMs: null,
  endedMs: null,
  recording: "off",
  recordingReason: null,
  chat: [],
  marks: [],
  shown: null,
  onStage: null,
  stages: [],
  countdownMs: null,
  leadMicShared: null,
  locked: false,
  private: [],
  signals: [],
  photos: [],
  photoShown: null,
  chatToAll: false,
  surfaces: NO_SURFACES,
  removed: [],
};

const CHAT_KEPT = 100; // lines, as in the snapshot; a replay asks for all of them
const PRIVATE_KEPT = 400; // these too
const SIGNALS_KEPT = 100;
const PHOTOS_KEPT = 300;

export function fromSnapshot(snapshot: Snapshot): RoomState {
  return {
    ...EMPTY_ROOM,
    participants: snapshot.participants,
    publications: snapshot.publications,
    startedMs: snapshot.started_ms,
    endedMs: snapshot.ended_ms,
    recording: snapshot.recording,
    recordingReason: snapshot.recording_reason,
    chat: snapshot.chat,
    marks: snapshot.marks,
    shown: snapshot.shown,
    onStage: snapshot.on_stage,
    stages: snapshot.stages,
    countdownMs: snapshot.countdown_ms,
    leadMicShared: snapshot.lead_mic_shared,
    locked: snapshot.locked,
    private: snapshot.private,
    signals: snapshot.signals,
    photos: snapshot.photos,
    photoShown: snapshot.photo_shown,
    chatToAll: snapshot.chat_to_all,
    surfaces: surfacesOf(snapshot),
  };
}

export function reduce(state: RoomState, event: LessonEvent, chatKept: number = CHAT_KEPT): RoomState {
  switch (event.kind) {
    case "joined": {
      const { participant_id, role, name, headcount, class_id } = event.payload;
      const known = participant(state, participant_id);
      const here: Participant = known
        ? { ...known, role, name, headcount, class_id, away: false }
        : {
            participant_id,
            role,
            name,
            headcount,
            joined_ms: event.at_ms,
            hand_ms: null,
            on_floor: false,
            away: false,
            consent: null,
            mode: "interactive",
            spoke_ms: null,
            waiting: false,
            class_id,
            silenced: false,
          };
      return {
        ...state,
        participants: known
          ? state.participants.map((one) => (one === known ? here : one))
          : [...state.participants, here],
      };
    }
    case "away":
      return change(state, event.payload.participant_id, { away: event.payload.away });
    case "left": {
      const { participant_id, reason } = event.payload;
      return {
        ...state,
        participants: state.participants.filter((one) => one.participant_id !== participant_id),
        publications: state.publications.filter((one) => one.participant_id !== participant_id),
        onStage: state.onStage === participant_id ? null : state.onStage,
        removed: reason === "removed" ? [...state.removed, participant_id] : state.removed,
      };
    }
    case "started":
      return { ...state, startedMs: state.startedMs ?? event.at_ms };
    case "published": {
      const publication: Publication = { ...event.payload, muted: false, since_ms: event.at_ms };
      return { ...state, publications: [...without(state.publications, publication.publication_id), publication] };
    }
    case "unpublished":
      return { ...state, publications: without(state.publications, event.payload.publication_id) };
    case "muted": {
      const { publication_id, muted } = event.payload;
      return {
        ...state,
        publications: state.publications.map((one) => (one.publication_id === publication_id ? { ...one, muted } : one)),
      };
    }
    case "hand":
      return change(state, event.actor, { hand_ms: event.payload.raised ? event.at_ms : null });
    case "floor": {
      const { participant_id, granted } = event.payload;
      // Whoever gets the floor has been heard: the hand goes down with it.
      const fields = { on_floor: granted, spoke_ms: event.at_ms };
      const onStage = !granted && state.onStage === participant_id ? null : state.onStage;
      return change({ ...state, onStage }, participant_id, granted ? { ...fields, hand_ms: null } : fields);
    }
    case "chat": {
      const from = participant(state, event.actor);
      const line: ChatLine = {
        seq: event.seq,
        at_ms: event.at_ms,
        participant_id: event.actor,
        name: from?.name ?? "",
        role: from?.role ?? "observer",
        text: event.payload.text,
        to: event.payload.to,
        class_id: event.payload.class_id,
      };
      return { ...state, chat: [...state.chat, line].slice(-chatKept) };
    }
    case "mark": {
      const { seq, at_ms, actor } = event;
      return {
        ...state,
        marks: [...state.marks, { seq, at_ms, participant_id: actor, label: event.payload.label }],
      };
    }
    case "recording":
      return { ...state, recording: event.payload.state, recordingReason: event.payload.reason };
    case "consent": {
      // The archive has a class's name from here only: of one that is not recorded it says none.
      const { participant_id, given, name, headcount } = event.payload;
      return change(state, participant_id, given ? { consent: true, name, headcount } : { consent: false });
    }
    case "ended":
      return { ...state, endedMs: event.at_ms };
    case "shown":
      return { ...state, shown: event.payload };
    case "on_stage":
      return { ...state, onStage: event.payload.participant_id };
    case "stage": {
      const { seq, at_ms } = event;
      return { ...state, stages: [...state.stages, { seq, at_ms, name: event.payload.name }] };
    }
    case "countdown":
      return { ...state, countdownMs: event.payload.until_ms };
    case "mode":
      return change(state, event.payload.participant_id, { mode: event.payload.mode });
    case "lead_mic":
      return { ...state, leadMicShared: event.payload.shared };
    case "headcount":
      return change(state, event.payload.participant_id, { headcount: event.payload.headcount });
    case "admission":
      return change(state, event.payload.participant_id, { waiting: event.payload.state === "waiting" });
    case "locked":
      return { ...state, locked: event.payload.locked };
    case "planned":
      return state; // of the lesson, not of its room: presence/presence.ts
    case "signal": {
      const { seq, at_ms } = event;
      return { ...state, signals: [...state.signals, { seq, at_ms, ...event.payload }].slice(-SIGNALS_KEPT) };
    }
    case "private": {
      const from = participant(state, event.actor);
      const line: PrivateLine = {
        seq: event.seq,
        at_ms: event.at_ms,
        class_id: event.payload.participant_id,
        participant_id: event.actor,
        name: from?.name ?? "",
        role: from?.role ?? "observer",
        text: event.payload.text,
      };
      return { ...state, private: [...state.private, line].slice(-PRIVATE_KEPT) };
    }
    case "photo": {
      const { seq, at_ms } = event;
      return { ...state, photos: [...state.photos, { seq, at_ms, ...event.payload }].slice(-PHOTOS_KEPT) };
    }
    case "photo_shown":
      return { ...state, photoShown: event.payload.photo_id };
    case "hidden":
      return { ...state, chat: state.chat.filter((line) => line.seq !== event.payload.seq) };
    case "silenced":
      return change(state, event.payload.participant_id, { silenced: event.payload.silenced });
    case "chat_to_all":
      return { ...state, chatToAll: event.payload.allowed };
    case "slides_added":
    case "slides_removed":
    case "page_turned":
    case "stroke":
    case "strokes_removed":
    case "surface_cleared":
      return { ...state, surfaces: fold(state.surfaces, event) };
    case "other":
      return state;
  }
}

// ── questions a page asks ───────────────────────────────────────────────────────────────────────────────────────────

export function participant(state: RoomState, id: string | null): Participant | null {
  return state.participants.find((one) => one.participant_id === id) ?? null;
}

/** Those who sit before a teacher: classes, in the order a teacher wants them: hands by age, on the floor, the rest. */
export function classes(state: RoomState): Participant[] {
  const rank = (one: Participant) => (one.hand_ms !== null ? 0 : one.on_floor ? 1 : 2);
  return state.participants
    .filter((one) => one.role === "receiving_class" && !one.waiting)
    .sort((a, b) => rank(a) - rank(b) || (a.hand_ms ?? 0) - (b.hand_ms ?? 0) || a.joined_ms - b.joined_ms);
}

/** Classes that stand at the door, in the order they came. */
export function waiting(state: RoomState): Participant[] {
  return state.participants.filter((one) => one.waiting);
}

/** Who looks on. A teacher's second window (大屏窗口) and a class's second device are no more people than there were. */
export function observersOf(state: RoomState): Participant[] {
  const known = ({ participant_id }: Participant) => participant_id.split("-")[1]; // signaling/seating.py
  const others = new Set(state.participants.filter((one) => one.role !== "observer").map(known));
  return state.participants.filter((one) => one.role === "observer" && !others.has(known(one)));
}

/** Pupils in the classes that are here and in the lead class, as far as they told. */
export function headcount(state: RoomState): number {
  return state.participants.reduce((sum, one) => sum + (one.waiting ? 0 : (one.headcount ?? 0)), 0);
}

export function lead(state: RoomState): Participant | null {
  const leads = state.participants.filter((one) => one.role === "lead_teacher");
  return leads.find((one) => !one.away) ?? leads[0] ?? null;
}

function change(state: RoomState, id: string, fields: Partial<Participant>): RoomState {
  return {
    ...state,
    participants: state.participants.map((one) => (one.participant_id === id ? { ...one, ...fields } : one)),
  };
}

function without(publications: readonly Publication[], id: string): Publication[] {
  return publications.filter((one) => one.publication_id !== id);
}
