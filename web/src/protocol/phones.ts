/** The REST calls of a local teacher's phone, and of those who see its photos. */

import { shape, text } from "./decode";
import { ApiError, fetchFrom, json } from "./http";

export interface PhoneTicket {
  path: string; // of the phone's page
  qr: string; // SVG
  expires_at: string; // ISO 8601, UTC
}

export interface PhoneEntry {
  lesson_id: string;
  title: string;
  token: string;
}

const ticket = shape<PhoneTicket>({ path: text, qr: text, expires_at: text });
const entry = shape<PhoneEntry>({ lesson_id: text, title: text, token: text });
const sent = shape<{ photo_id: string }>({ photo_id: text });

const photos = (lessonId: string) => `/api/lessons/${encodeURIComponent(lessonId)}/photos`;

/** `session`: the class's own, which only its page knows. */
export async function phoneTicket(lessonId: string, session: string): Promise<PhoneTicket> {
  return ticket(await json(`/api/lessons/${encodeURIComponent(lessonId)}/phones`, { method: "POST", body: { session } }), "ticket");
}

/** Exchange the ticket of a QR code for a grant; it is good once. */
export async function enterByTicket(brought: string): Promise<PhoneEntry> {
  return entry(await json("/api/phone/enter", { method: "POST", body: { ticket: brought } }), "entry");
}

export async function photo(lessonId: string, photoId: string, token: string | null): Promise<Blob> {
  return (await fetchFrom(`${photos(lessonId)}/${encodeURIComponent(photoId)}`, { token })).blob();
}

/** Send a photo; `progress` hears the share that is on its way, which `fetch` would not tell. */
export function sendPhoto(lessonId: string, token: string, picture: Blob, progress: (share: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", photos(lessonId));
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Content-Type", picture.type || "application/octet-stream");
    request.responseType = "json";
    request.timeout = 100_000; // ms; the server gives it 90 s
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.ontimeout = () => reject(new ApiError("body_slow", 0));
    request.onerror = () => reject(new ApiError("offline", 0));
    request.onload = () => {
      const answer = request.response as { code?: unknown } | null;
      if (request.status === 201) resolve(sent(answer, "photo").photo_id);
      else reject(new ApiError(typeof answer?.code === "string" ? answer.code : "server_error", request.status));
    };
    request.send(picture);
  });
}
