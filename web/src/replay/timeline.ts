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
export function spanOf(recording: Pick<Recording, "duration_ms" | "tracks">): Span {
  const starts = recording.tracks.map((one) => one.start_ms);
  const from = starts.length ? Math.min(...starts) : 0;
  return { from, to: from + recording.duration_ms };
}

const AHEAD = 4_000; // ms before its start that a track is loaded, so that it begins without a pause
const BEHIND = 500;

/** The tracks worth having loaded at `at`; without pictures on a line too thin for them. */
export function loaded(tracks: readonly Track[], at: number, pictures = true): Track[] {
  return tracks.filter(
    (one) => (pictures || one.kind === "audio") && at >= one.start_ms - AHEAD && at < one.start_ms + one.duration_ms + BEHIND,
  );
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

/** When there is something again, ms; null: there is now, or will not be any more. */
export function nextStart(track: Track, at: number): number | null {
  if (at < track.start_ms) return track.start_ms;
  const gap = track.gaps.find(([from, to]) => at >= from && at < to);
  return gap && gap[1] < track.start_ms + track.duration_ms ? gap[1] : null;
}

/** When what plays at `at` ends, ms: at a gap or with the track. What is buffered ends there too. */
export function endOf(track: Track, at: number): number {
  const next = track.gaps.map(([from]) => from).filter((from) => from >= at);
  return Math.min(track.start_ms + track.duration_ms, ...next);
}

/** One file or list, one element: a publication that changed its codec has several. */
export const keyOf = (track: Track): string => track.playlist;

export const newestFirst = (tracks: readonly Track[]): Track[] =>
  [...tracks].sort((a, b) => b.start_ms - a.start_ms || a.publication_id.localeCompare(b.publication_id));

/** The track whose sound is the clock: the lead's microphone, else any sound, else any picture. */
export function leading(tracks: readonly Track[], at: number): Track | null {
  const here = newestFirst(tracks.filter((one) => present(one, at)));
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
