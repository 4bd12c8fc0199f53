/** The REST calls for what is printed or read before a lesson. */

import { type Decoder, list, number, oneOf, shape, text } from "./decode";
import { ApiError, fetchFrom, json } from "./http";

export interface Handout {
  handout_id: string;
  name: string;
  kind: "pdf" | "picture";
  size: number; // bytes
  url: string; // opens in a browser that has asked for the list
}

const handout: Decoder<Handout> = shape<Handout>({ handout_id: text, name: text, kind: oneOf("pdf", "picture"), size: number, url: text });

const at = (lessonId: string) => `/api/lessons/${encodeURIComponent(lessonId)}/handouts`;

export async function listHandouts(lessonId: string, token: string | null): Promise<Handout[]> {
  return shape<{ handouts: Handout[] }>({ handouts: list(handout) })(await json(at(lessonId), { token }), "").handouts;
}

export async function removeHandout(lessonId: string, handoutId: string): Promise<void> {
  await fetchFrom(`${at(lessonId)}/${encodeURIComponent(handoutId)}`, { method: "DELETE" });
}

/** Send a file; `progress` hears the share that is on its way, which `fetch` would not tell. */
export function sendHandout(lessonId: string, name: string, file: Blob, progress: (share: number) => void): Promise<Handout> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${at(lessonId)}?${new URLSearchParams({ name })}`);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.responseType = "json";
    request.timeout = 190_000; // ms; the server gives it 180 s
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.ontimeout = () => reject(new ApiError("body_slow", 0));
    request.onerror = () => reject(new ApiError("offline", 0));
    request.onload = () => {
      const answer = request.response as { code?: unknown } | null;
      if (request.status === 201) resolve(handout(answer, "handout"));
      else reject(new ApiError(typeof answer?.code === "string" ? answer.code : "server_error", request.status));
    };
    request.send(file);
  });
}
