/**
 * A recording as one timeline: which tracks play at a lesson time, at which time inside their own file, and where the
 * marks stand. All times are ms on the lesson clock unless they say otherwise; pure arithmetic.
 */

import type { Recording, Track } from "../protocol/api";

export interface Span {
  from: number;
  to: number;
}

/** Where the recording begins and ends. During the lesson the end moves on. */
export function spanOf(recording: Recording): Span {
  const starts = recording.tracks.map((one) => one.start_ms);
  const from = starts.length ? Math.min(...starts) : 0;
  return { from, to: from + recording.duration_ms };
}

const AHEAD = 4_000; // ms before its start that a track is loaded, so that it begins without a pause
const BEHIND = 500;

/** The tracks worth having loaded at `at`. */
export function loaded(tracks: readonly Track[], at: number): Track[] {
  return tracks.filter((one) => at >= one.start_ms - AHEAD && at < one.start_ms + one.duration_ms + BEHIND);
}

/** Whether a track has something to show or to say at `at`. */
export function present(track: Track, at: number): boolean {
  if (at < track.start_ms || at >= track.start_ms + track.duration_ms) return false;
  return !track.gaps.some(([from, to]) => at >= from && at < to);
}

/** Seconds inside the track's own file. Its zero is the track's start, for HLS and WebM alike. */
export function insideOf(track: Track, at: number): number {
  return Math.max(0, (at - track.start_ms) / 1000);
}

export interface Pictures {
  camera: Track | null; // of the lead teacher, or of a class while nothing else is there
  screen: Track | null;
  guests: Track[]; // cameras of classes on the floor
}

/** The pictures to show at `at`: the newest of several (a reconnect leaves the older one a little longer). */
export function pictures(tracks: readonly Track[], at: number): Pictures {
  const here = tracks
    .filter((one) => one.kind === "video" && present(one, at))
    .sort((a, b) => b.start_ms - a.start_ms || a.publication_id.localeCompare(b.publication_id));
  const screen = here.find((one) => one.source === "screen") ?? null;
  const cameras = here.filter((one) => one.source === "camera");
  const camera = cameras.find((one) => one.lead) ?? null;
  const seen = new Set<string>();
  const guests = cameras.filter((one) => !one.lead && !seen.has(one.participant) && seen.add(one.participant));
  return { camera, screen, guests };
}

/** The track whose sound is the clock: the lead's microphone, else any sound, else any picture. */
export function leading(tracks: readonly Track[], at: number): Track | null {
  const here = tracks.filter((one) => present(one, at)).sort((a, b) => b.start_ms - a.start_ms);
  return (
    here.find((one) => one.kind === "audio" && one.lead) ??
    here.find((one) => one.kind === "audio") ??
    here.find((one) => one.lead) ??
    here[0] ??
    null
  );
}

/** Parts of the span in which nothing at all was recorded. */
export function silences(tracks: readonly Track[], span: Span): Span[] {
  const covered = tracks
    .flatMap((track) => {
      const pieces: Span[] = [];
      let from = track.start_ms;
      for (const [gapFrom, gapTo] of track.gaps) {
        if (gapFrom > from) pieces.push({ from, to: gapFrom });
        from = Math.max(from, gapTo);
      }
      pieces.push({ from, to: track.start_ms + track.duration_ms });
      return pieces;
    })
    .sort((a, b) => a.from - b.from);
  const holes: Span[] = [];
  let at = span.from;
  for (const piece of covered) {
    if (piece.from - at > 1_000) holes.push({ from: at, to: piece.from });
    at = Math.max(at, piece.to);
  }
  if (span.to - at > 1_000) holes.push({ from: at, to: span.to });
  return holes;
}

/** Share of the span, 0…1, for a tick on the timeline. */
export function shareOf(at: number, span: Span): number {
  const length = span.to - span.from;
  return length > 0 ? Math.min(1, Math.max(0, (at - span.from) / length)) : 0;
}

export const clamp = (at: number, span: Span): number => Math.min(span.to, Math.max(span.from, at));
