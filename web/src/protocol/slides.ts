/**
 * The REST calls for slides: brought by a teacher, drawn by the server, shown page by page. `token`: of a grant; null
 * where the account's cookie speaks. Who asks for the list with a grant can then show the pages in an `<img>`.
 */

import { type Decoder, list, nullable, number, oneOf, shape, text } from "./decode";
import { ApiError, fetchFrom, json } from "./http";

export interface SlideFile {
  slides_id: string;
  title: string;
  state: "rendering" | "ready" | "failed";
  done: number; // pages drawn
  pages: number | null; // null: not counted yet
  reason: string | null; // why it failed
}

const slideFile: Decoder<SlideFile> = shape<SlideFile>({
  slides_id: text,
  title: text,
  state: oneOf("rendering", "ready", "failed"),
  done: number,
  pages: nullable(number),
  reason: nullable(text),
});

const at = (lessonId: string) => `/api/lessons/${encodeURIComponent(lessonId)}/slides`;

/** The address of a page's picture, for an `<img>`; small: 320 pixels wide. */
export function pageAddress(lessonId: string, surface: string, small = false): string {
  return `${at(lessonId)}/${surface}${small ? ".small" : ""}.webp`;
}

export async function listSlides(lessonId: string, token: string | null = null): Promise<SlideFile[]> {
  return shape<{ slides: SlideFile[] }>({ slides: list(slideFile) })(await json(at(lessonId), { token }), "").slides;
}

export async function removeSlides(lessonId: string, slidesId: string, token: string | null = null): Promise<void> {
  await fetchFrom(`${at(lessonId)}/${encodeURIComponent(slidesId)}`, { method: "DELETE", token });
}

export interface Sending {
  token?: string | null;
  progress?: (share: number) => void; // that is on its way, which `fetch` would not tell
  stop?: AbortSignal;
}

export function sendSlides(lessonId: string, title: string, file: Blob, { token, progress, stop }: Sending = {}): Promise<SlideFile> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${at(lessonId)}?${new URLSearchParams({ title })}`);
    if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && progress?.(event.loaded / event.total);
    request.onerror = () => reject(new ApiError("offline", 0));
    request.onabort = () => reject(new ApiError("stopped", 0));
    request.onload = () => {
      const answer = request.response as { code?: unknown } | null;
      if (request.status === 202) resolve(slideFile(answer, "slides"));
      else reject(new ApiError(typeof answer?.code === "string" ? answer.code : "server_error", request.status));
    };
    stop?.addEventListener("abort", () => request.abort());
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
}
