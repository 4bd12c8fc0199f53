/**
 * The event log of a recorded lesson, read as it grows: what was read before is not fetched again. A lesson with a board
 * has tens of thousands of lines.
 */

import { archiveUrl } from "./api";
import { ApiError } from "./http";
import { decodeEvent, type LessonEvent } from "./messages";

export interface EventLog {
  readonly events: readonly LessonEvent[];
  readonly bytes: number; // whole lines of the file that were read
}

export const UNREAD: EventLog = { events: [], bytes: 0 };
const LINE_END = 0x0a;
const NOTHING_NEW = 416; // there is nothing after what was read

/** The log with what has come since. A torn last line (the lesson is still on) is left for the next time. */
export async function readEvents(lessonId: string, token: string | null, known: EventLog = UNREAD): Promise<EventLog> {
  const response = await fetch(archiveUrl(lessonId, "events.jsonl"), {
    credentials: "same-origin",
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(known.bytes ? { Range: `bytes=${known.bytes}-` } : {}) },
  }).catch(() => {
    throw new ApiError("offline", 0);
  });
  if (response.status === NOTHING_NEW) return known;
  if (!response.ok) throw new ApiError("server_error", response.status);
  const before = response.status === 206 ? known : UNREAD;
  const data = new Uint8Array(await response.arrayBuffer());
  const end = data.lastIndexOf(LINE_END) + 1;
  const events = [...before.events];
  for (const line of new TextDecoder().decode(data.subarray(0, end)).split("\n")) {
    if (!line) continue;
    try {
      events.push(decodeEvent(JSON.parse(line)));
    } catch {
      continue; // a damaged line; the others are as good as they were
    }
  }
  return { events, bytes: before.bytes + end };
}
