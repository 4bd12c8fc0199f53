/** The REST calls of the pages for lessons and what is recorded of them, typed at the edge. */

import { type Decoder, flag, list, nullable, number, oneOf, or, shape, text } from "./decode";
import { fetchFrom, json } from "./http";
import { type Kind, policy, type RecordingPolicy, type Source, SOURCES } from "./messages";

export type LessonStatus = "scheduled" | "live" | "ended";

export interface InvitedClass {
  class_group_id: string;
  school: string;
  name: string;
  headcount: number | null;
  code: string | null; // its own
}

export interface Lesson {
  lesson_id: string;
  title: string;
  kind: string;
  class_code: string | null; // only for those who may run the lesson
  join_url: string | null;
  status: LessonStatus;
  created_at: string; // ISO 8601, UTC
  started_at: string | null;
  ended_at: string | null;
  recording: "none" | "recording" | "ready" | "damaged";
  recording_policy: RecordingPolicy;
  may_run: boolean; // plan, end, delete it
  may_lead: boolean; // teach it
  starts_at: string | null; // planned
  subject: string;
  grade: string;
  rehearsal: boolean; // neither recorded nor counted
  classes: InvitedClass[]; // only for those who may run the lesson
}

export interface Track {
  publication_id: string;
  participant: string;
  kind: Kind;
  source: Source;
  lead: boolean;
  codec: string;
  start_ms: number; // on the lesson clock
  duration_ms: number;
  playlist: string; // relative to /archive/{lesson_id}/
  gaps: [number, number][];
}

export interface Recording {
  status: "recording" | "ready" | "damaged";
  duration_ms: number;
  tracks: Track[];
  // Made after the lesson, as paths relative to /archive/{lesson_id}/; null while they are not there.
  poster: string | null;
  storyboard: string | null; // a WebVTT file whose cues name pieces of a picture
  speech: string | null;
}

export type ExportKind = "movie" | "camera" | "audio";
export type ExportState = "none" | "waiting" | "running" | "done" | "failed" | "cancelled";

/** A file made of a recording on request. */
export interface Export {
  kind: ExportKind;
  state: ExportState;
  progress: number; // 0…1
  bytes: number | null;
  url: string | null;
  reason: string | null; // of a failure
}

const status = oneOf("scheduled", "live", "ended");

const invited = shape<InvitedClass>({
  class_group_id: text,
  school: text,
  name: text,
  headcount: nullable(number),
  code: nullable(text),
});

export const decodeLesson = shape<Lesson>({
  lesson_id: text,
  title: text,
  kind: or("", text),
  class_code: nullable(text),
  join_url: nullable(text),
  status,
  created_at: text,
  started_at: nullable(text),
  ended_at: nullable(text),
  recording: or("none", oneOf("none", "recording", "ready", "damaged")),
  recording_policy: or<RecordingPolicy>("consented", policy),
  may_run: or(false, flag),
  may_lead: or(false, flag),
  starts_at: nullable(text),
  subject: or("", text),
  grade: or("", text),
  rehearsal: or(false, flag),
  classes: or<InvitedClass[]>([], list(invited)),
});

const gap: Decoder<[number, number]> = (value, at) => {
  const [from, to] = list(number)(value, at);
  return [from ?? 0, to ?? 0];
};

const STANDS = 1_000; // ms that a picture may stand: what is lost for less is told too, and nobody sees it

const holes: Decoder<[number, number][]> = (value, at) => list(gap)(value, at).filter(([from, to]) => to - from > STANDS);

const recording = shape<Recording>({
  status: oneOf("recording", "ready", "damaged"),
  duration_ms: number,
  tracks: list(
    shape<Track>({
      publication_id: text,
      participant: text,
      kind: oneOf("audio", "video"),
      source: oneOf(...SOURCES),
      lead: or(false, flag),
      codec: or("", text),
      start_ms: number,
      duration_ms: number,
      playlist: text,
      gaps: or<[number, number][]>([], holes),
    }),
  ),
  poster: nullable(text),
  storyboard: nullable(text),
  speech: nullable(text),
});

const exports = shape<{ exports: Export[] }>({
  exports: list(
    shape<Export>({
      kind: oneOf("movie", "camera", "audio"),
      state: oneOf("none", "waiting", "running", "done", "failed", "cancelled"),
      progress: or(0, number),
      bytes: nullable(number),
      url: nullable(text),
      reason: nullable(text),
    }),
  ),
});

const at = (lessonId: string) => `/api/lessons/${encodeURIComponent(lessonId)}`;

export async function listLessons(): Promise<Lesson[]> {
  return shape<{ lessons: Lesson[] }>({ lessons: list(decodeLesson) })(await json("/api/lessons"), "").lessons;
}

/** Deletes it with its recording and all that was made of it. */
export async function deleteLesson(lessonId: string): Promise<void> {
  await fetchFrom(at(lessonId), { method: "DELETE" });
}

export async function getLesson(lessonId: string, token?: string | null): Promise<Lesson> {
  return decodeLesson(await json(at(lessonId), { token: token ?? null }), "");
}

export async function getRecording(lessonId: string, token: string | null): Promise<Recording> {
  return recording(await json(`${at(lessonId)}/recording`, { token }), "");
}

export async function getExports(lessonId: string, token: string | null): Promise<Export[]> {
  return exports(await json(`${at(lessonId)}/exports`, { token }), "").exports;
}

export async function requestExport(lessonId: string, kind: ExportKind): Promise<void> {
  await fetchFrom(`${at(lessonId)}/exports`, { method: "POST", body: { kind } });
}

/** Calls off what is being made, and takes away what was made. */
export async function cancelExport(lessonId: string, kind: ExportKind): Promise<void> {
  await fetchFrom(`${at(lessonId)}/exports/${kind}`, { method: "DELETE" });
}

export const archiveUrl = (lessonId: string, path: string) =>
  new URL(path, `${location.origin}/archive/${encodeURIComponent(lessonId)}/`).pathname;
