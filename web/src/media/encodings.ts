/**
 * What a source is sent as. A camera has three layers, so that each viewer gets the one its line and its tile can take;
 * a screen has two of the same size, because letters must stay sharp and only frames may be saved.
 *
 * The highest comes first and each says its scale: a server that wants no simulcast gets the first alone, and without a
 * scale of its own that would be the smallest.
 */

import type { Source } from "../protocol/messages";

const VOICE = 64_000; // bit/s

/** Lines of the picture, its rid, and bit/s. */
const CAMERA = [
  { lines: 720, rid: "h", maxBitrate: 1_500_000 },
  { lines: 360, rid: "m", maxBitrate: 500_000 },
  { lines: 180, rid: "l", maxBitrate: 120_000 },
] as const;

const SCREEN: RTCRtpEncodingParameters[] = [
  { rid: "h", maxBitrate: 2_000_000, maxFramerate: 15, scaleResolutionDownBy: 1 },
  { rid: "l", maxBitrate: 500_000, maxFramerate: 5, scaleResolutionDownBy: 1 },
];

/** The encodings of a source; `lines`: how many the camera's picture really has. */
export function encodingsOf(source: Source, lines = 720): RTCRtpEncodingParameters[] {
  if (source === "microphone") return [{ maxBitrate: VOICE }];
  if (source === "screen") return SCREEN.map((one) => ({ ...one }));
  // A camera that gives less has no use for the layers above it; its own size takes the place of the next.
  const fitting = CAMERA.filter((one) => one.lines * 0.75 <= lines);
  const layers = fitting.length > 0 ? fitting : CAMERA.slice(-1);
  return layers.map(({ lines: wanted, rid, maxBitrate }, index) => ({
    rid,
    maxBitrate,
    scaleResolutionDownBy: index === 0 && lines <= CAMERA[0].lines ? 1 : Math.max(1, lines / wanted),
  }));
}

/** Lines of a camera's picture; of one that stands upright, its narrow side. */
export function linesOf(track: MediaStreamTrack): number | undefined {
  const { width, height } = track.getSettings?.() ?? {};
  return height ? Math.min(height, width ?? height) : undefined;
}

/**
 * What of a sender's parameters has to change so that exactly the `active` layers are sent (null: all) within their
 * limits. Gives false when everything is so already.
 */
export function adjust(
  encodings: RTCRtpEncodingParameters[],
  wanted: readonly RTCRtpEncodingParameters[],
  active: readonly string[] | null,
): boolean {
  let changed = false;
  encodings.forEach((encoding, index) => {
    // Browsers that overlook `sendEncodings` have one encoding without a name: it takes the limit of the first.
    const limit = (wanted.find((one) => one.rid !== undefined && one.rid === encoding.rid) ?? wanted[index])?.maxBitrate;
    if (limit !== undefined && encoding.maxBitrate !== limit) {
      encoding.maxBitrate = limit;
      changed = true;
    }
    // One alone is the publication, whatever it is called at either end.
    const on = active === null || (encodings.length > 1 ? active.includes(encoding.rid ?? "") : active.length > 0);
    if ((encoding.active ?? true) !== on) {
      encoding.active = on;
      changed = true;
    }
  });
  return changed;
}
