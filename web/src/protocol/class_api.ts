/** How a class gets in: its code is exchanged for a cookie once; from then on the browser is known without it. */

import { flag, nullable, number, oneOf, or, shape, text } from "./decode";
import { json } from "./http";
import type { LessonStatus } from "./api";

export interface Entry {
  token: string;
  lesson_id: string;
  title: string;
  status: LessonStatus;
  starts_at: string | null; // planned
  name: string | null; // of a class of the list
  headcount: number | null; // it usually has
  waits: boolean; // until a teacher lets it in
}

const entry = shape<Entry>({
  token: text,
  lesson_id: text,
  title: text,
  status: oneOf("scheduled", "live", "ended"),
  starts_at: nullable(text),
  name: nullable(text),
  headcount: nullable(number),
  waits: or(false, flag),
});

export async function enterClass(code: string, name = ""): Promise<Entry> {
  return entry(await json("/api/class/enter", { method: "POST", body: { code, ...(name ? { name } : {}) } }), "");
}

/** The lesson again, or without one whichever is the class's now, for a browser that entered before. */
export async function returnToClass(lessonId: string | null, name = ""): Promise<Entry> {
  const body = { ...(lessonId ? { lesson_id: lessonId } : {}), ...(name ? { name } : {}) };
  return entry(await json("/api/class/enter", { method: "POST", body }), "");
}

/** Another class code for a lesson; the old one opens nothing any more. */
export async function renewCode(lessonId: string): Promise<{ class_code: string; join_url: string }> {
  const made = await json(`/api/lessons/${encodeURIComponent(lessonId)}/code`, { method: "POST" });
  return shape<{ class_code: string; join_url: string }>({ class_code: text, join_url: text })(made, "");
}

/** A link by which a second teacher joins the lesson with an account of their own. */
export async function inviteTeacher(lessonId: string): Promise<string> {
  const made = await json(`/api/lessons/${encodeURIComponent(lessonId)}/co_teacher_link`, { method: "POST" });
  return shape<{ url: string }>({ url: text })(made, "").url;
}
