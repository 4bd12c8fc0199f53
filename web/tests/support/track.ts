/** A track of a recording in one line. */

import type { Track } from "../../src/protocol/api";

export function track(publication_id: string, source: Track["source"], start_ms: number, duration_ms: number, more: Partial<Track> = {}): Track {
  return {
    publication_id,
    participant: "t",
    kind: source === "microphone" ? "audio" : "video",
    source,
    lead: true,
    codec: "",
    start_ms,
    duration_ms,
    playlist: `tracks/${publication_id}/index.m3u8`,
    gaps: [],
    ...more,
  };
}
