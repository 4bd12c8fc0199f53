/** The pictures of slides as a class fetches them: over a line that may stop in the middle of one. */

import { fetchFrom } from "./http";

const STALL = 10_000; // ms without a byte: the line is dead, whatever the connection says

/** A picture by its name (room/page_order.ts). Raises ApiError when it does not come, or stops coming. */
export async function slidePicture(lessonId: string, name: string, token: string | null, signal: AbortSignal): Promise<Blob> {
  const given = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => given.abort();
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(stop, STALL);
  };
  signal.addEventListener("abort", stop);
  alive();
  try {
    const response = await fetchFrom(`/api/lessons/${encodeURIComponent(lessonId)}/slides/${name}`, { token, signal: given.signal });
    const reader = response.body?.getReader();
    if (!reader) return await response.blob();
    const parts: BlobPart[] = [];
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      alive();
    }
    return new Blob(parts, { type: response.headers.get("Content-Type") ?? "image/webp" });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
