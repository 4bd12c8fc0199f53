/** The REST calls by which teachers plan lessons: not part of the class page. */

import { decodeLesson, type Lesson } from "./api";
import { type Decoder, flag, list, nullable, number, or, shape, text } from "./decode";
import { json } from "./http";
import type { RecordingPolicy } from "./messages";

/** As a teacher is offered them; the first is what most lessons are. */
export const KINDS = [
  "delivered_class", "synchronous_lesson", "dual_teacher_lesson", "master_class", "school_online_course", "demo_lesson",
  "open_lesson", "viewing_lesson", "study_lesson", "research_activity", "lecture", "training",
] as const;

/** What can be changed of a lesson until it begins. */
export interface Plan {
  title: string;
  starts_at: string | null; // ISO 8601
  kind: string;
  subject: string;
  grade: string;
  class_group_ids: string[];
  recording_policy: RecordingPolicy;
}

export interface SchoolClass {
  class_group_id: string;
  name: string;
  headcount: number | null;
  code: string | null; // only for administrators
  consent_until: string | null;
}

export interface School {
  school_id: string;
  name: string;
  region: string;
  classes: SchoolClass[];
  kept: boolean; // its name and classes, by whoever asks
}

export const schoolClass: Decoder<SchoolClass> = shape<SchoolClass>({
  class_group_id: text,
  name: text,
  headcount: nullable(number),
  code: nullable(text),
  consent_until: nullable(text),
});

export const school: Decoder<School> = shape<School>({ school_id: text, name: text, region: text, classes: list(schoolClass), kept: or(false, flag) });

const at = (lessonId: string) => `/api/lessons/${encodeURIComponent(lessonId)}`;

export async function createLesson(wanted: Plan): Promise<Lesson> {
  return decodeLesson(await json("/api/lessons", { method: "POST", body: wanted }), "");
}

/** The studio alone: not recorded, not counted. */
export async function createRehearsal(title: string): Promise<Lesson> {
  return decodeLesson(await json("/api/lessons", { method: "POST", body: { title, rehearsal: true } }), "");
}

export async function changeLesson(lessonId: string, plan: Plan): Promise<Lesson> {
  return decodeLesson(await json(at(lessonId), { method: "PATCH", body: plan }), "");
}

export async function listSchools(): Promise<School[]> {
  return shape<{ schools: School[] }>({ schools: list(school) })(await json("/api/schools"), "").schools;
}

/** A picture of the way in: with the lesson's code, or an invited class's own. */
export function qrUrl(lessonId: string, classGroupId?: string): string {
  const asked = new URLSearchParams({ origin: location.origin, ...(classGroupId ? { class_group_id: classGroupId } : {}) });
  return `${at(lessonId)}/qr?${asked}`;
}
