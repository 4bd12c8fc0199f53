/** The REST calls of a teacher's remote control, a phone, and of the page that shows its code. */

import { shape, text } from "./decode";
import { json } from "./http";
import type { PhoneTicket } from "./phones";

export interface RemoteEntry {
  title: string;
  token: string; // good for a moment: for one hello
}

const ticket = shape<PhoneTicket>({ path: text, qr: text, expires_at: text });
const entry = shape<RemoteEntry>({ title: text, token: text });

/** `session`: the teacher's own, which only their page knows. */
export async function remoteTicket(lessonId: string, session: string): Promise<PhoneTicket> {
  return ticket(await json(`/api/lessons/${encodeURIComponent(lessonId)}/remotes`, { method: "POST", body: { session } }), "ticket");
}

/** Exchange the ticket of a QR code, once, or afterwards the cookie it became. */
export async function enterAsRemote(lessonId: string, brought = ""): Promise<RemoteEntry> {
  return entry(await json("/api/remote/enter", { method: "POST", body: { lesson_id: lessonId, ticket: brought } }), "entry");
}
